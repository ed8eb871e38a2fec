from __future__ import annotations

import subprocess
import sys

import pytest

from ariane import grok
from ariane.grok.configuration_grok2 import YARN, Grok2Config

PUBLISHED = {
    "architectures": ["Grok1ForCausalLM"],
    "vocab_size": 131072,
    "hidden_size": 8192,
    "intermediate_size": 32768,
    "moe_intermediate_size": 16384,
    "num_hidden_layers": 64,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "residual_moe": True,
    "rms_norm_eps": 1e-5,
    "embedding_multiplier_scale": 90.50966799187809,
    "output_multiplier_scale": 0.5,
    "attn_logit_softcapping": 30,
    "router_logit_softcapping": 30,
    "final_logit_softcapping": 50,
    "attn_temperature_len": 1024,
    "rope_theta": 208533496,
    "rope_type": "original",
    "original_max_position_embeddings": 8192,
    "scaling_factor": 16,
    "max_position_embeddings": 131072,
}


def test_the_defaults_are_the_published_model() -> None:
    ours = Grok2Config()
    theirs = Grok2Config(**PUBLISHED)
    for name in PUBLISHED:
        if hasattr(ours, name) and name != "architectures":
            assert getattr(ours, name) == getattr(theirs, name), name
    assert theirs.rope_parameters == {"rope_type": "default", "rope_theta": 208533496}
    assert ours.yarn_parameters == theirs.yarn_parameters == YARN
    assert ours.eos_token_id == [1, 2]


def test_yarn_takes_the_published_keys_and_survives_its_file(tmp_path: object) -> None:
    config = Grok2Config(**{**PUBLISHED, "rope_type": "yarn", "scaling_factor": 4})
    assert config.rope_parameters == {
        "rope_type": "yarn",
        "rope_theta": 208533496,
        "factor": 4,
        "original_max_position_embeddings": 8192,
        "beta_fast": 8.0,
        "beta_slow": 1.0,
    }
    config.save_pretrained(tmp_path)
    assert Grok2Config.from_pretrained(tmp_path).rope_parameters == config.rope_parameters


def test_a_configuration_survives_its_file(tmp_path: object) -> None:
    config = Grok2Config(hidden_size=64, attn_temperature_len=None, num_local_experts=0)
    config.save_pretrained(tmp_path)
    again = Grok2Config.from_pretrained(tmp_path)
    assert again.to_dict() == config.to_dict() | {
        "transformers_version": again.transformers_version
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"num_key_value_heads": 0},
            r"num_key_value_heads \(0\) must be a whole number of at least 1",
        ),
        (
            {"num_attention_heads": -8},
            r"num_attention_heads \(-8\) must be a whole number of at least 1",
        ),
        ({"hidden_size": 0}, r"hidden_size \(0\)"),
        ({"vocab_size": 0}, r"vocab_size \(0\)"),
        ({"num_hidden_layers": -1}, r"num_hidden_layers \(-1\)"),
        ({"head_dim": 0}, r"head_dim \(0\)"),
        ({"max_position_embeddings": 0}, r"max_position_embeddings \(0\)"),
        ({"intermediate_size": 0}, r"intermediate_size \(0\)"),
        ({"moe_intermediate_size": 0}, r"moe_intermediate_size \(0\)"),
        (
            {"num_local_experts": -1},
            r"num_local_experts \(-1\) must be a whole number of at least 0",
        ),
        ({"hidden_size": "x"}, r"hidden_size \('x'\)"),
        ({"attn_temperature_len": "x"}, r"attn_temperature_len \('x'\)"),
        ({"rms_norm_eps": -1.0}, r"rms_norm_eps \(-1.0\) must be above 0"),
        ({"embedding_multiplier_scale": "a"}, r"embedding_multiplier_scale \('a'\)"),
        ({"router_logit_softcapping": float("nan")}, r"router_logit_softcapping \(nan\)"),
        ({"rope_theta": 0}, r"rope_theta \(0\)"),
        ({"rope_type": "yarn", "scaling_factor": "x"}, r"factor \('x'\)"),
        ({"pad_token_id": 131072}, r"pad_token_id \(131072\) is no token of 131072"),
        ({"num_attention_heads": 6, "num_key_value_heads": 4}, r"num_attention_heads \(6\)"),
        ({"head_dim": 7}, r"head_dim \(7\) must be even"),
        ({"hidden_act": "silu"}, "hidden_act 'silu'"),
        ({"num_experts_per_tok": 9}, r"num_experts_per_tok \(9\)"),
        ({"num_local_experts": 0, "residual_moe": False}, "residual_moe False needs experts"),
        ({"attn_temperature_len": 1}, r"attn_temperature_len \(1\)"),
        ({"final_logit_softcapping": -1.0}, r"final_logit_softcapping \(-1.0\)"),
        ({"rope_type": "longrope"}, "rope_type 'longrope'"),
        ({"rope_parameters": {"rope_type": "linear", "factor": 2.0}}, "rope_type 'linear'"),
    ],
)
def test_a_wrong_number_is_named(changes: dict[str, object], said: str) -> None:
    with pytest.raises(Exception, match=said):
        Grok2Config(**changes)


def test_what_is_not_there_needs_no_width() -> None:
    assert Grok2Config(num_local_experts=0, moe_intermediate_size=0).moe_intermediate_size == 0
    assert Grok2Config(residual_moe=False, intermediate_size=0).intermediate_size == 0


def test_importing_grok_loads_no_other_room_and_no_torch() -> None:
    code = (
        "import sys, ariane.grok; "
        "print(sorted(m for m in sys.modules if m.startswith('ariane.') or m == 'torch'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['ariane.grok', 'ariane.grok.after_import']"


def test_public_names_load_lazily_and_unknown_ones_are_refused() -> None:
    assert grok.Grok2Config is Grok2Config
    assert set(grok.__all__) < set(grok.PARTS)
    with pytest.raises(AttributeError, match="Grok9"):
        _ = grok.Grok9
