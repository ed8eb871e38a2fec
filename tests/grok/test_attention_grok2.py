from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from tests.grok.test_quantization_grok2 import plain
from tests.grok.tiny import IDS, VARIANTS, reference, run, tiny
from transformers import StaticCache

from ariane.grok import attention_grok2
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.modeling_grok2 import Grok2RotaryEmbedding
from ariane.grok.quantizer_grok2 import pack

UNCAPPED = {"attn_logit_softcapping": None}
OFF = {"attn_logit_softcapping": None, "attn_temperature_len": None}
FORMS = {"as published": {}, "temperature alone": UNCAPPED, "neither": OFF}


@pytest.mark.parametrize("changes", [*VARIANTS.values(), UNCAPPED], ids=[*VARIANTS, "uncapped"])
def test_sdpa_is_the_reference_s_and_the_default(changes: dict[str, Any]) -> None:
    model = tiny(**{**changes, "attn_implementation": None})
    assert model.config._attn_implementation == "sdpa"
    oracle, head = reference(model)
    assert np.abs(run(model, [IDS])[0] - oracle.logits(IDS, head)).max() < 1e-12


@pytest.mark.parametrize("changes", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("scores", [2**24, 150])
def test_sdpa_agrees_with_eager_over_padding_blocks_and_cache(
    changes: dict[str, Any], scores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention_grok2, "BLOCK_SCORES", scores)
    eager, fast = tiny(**changes), tiny(**changes, attn_implementation="sdpa")
    pad = 4
    mask = torch.tensor([[1] * len(IDS), [0] * pad + [1] * (len(IDS) - pad)])
    rows = [IDS, [0] * pad + IDS[pad:]]
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    padded = {"attention_mask": mask, "position_ids": positions}
    difference = run(fast, rows, **padded) - run(eager, rows, **padded)
    assert np.abs(difference[mask.bool().numpy()]).max() < 1e-12
    assert np.isfinite(difference).all()

    for past in (None, StaticCache(config=fast.config, max_cache_len=20)):
        made = fast.generate(
            torch.tensor(rows),
            attention_mask=mask,
            max_new_tokens=5,
            do_sample=False,
            eos_token_id=[],
            past_key_values=past,
        )
        expected = eager.generate(
            torch.tensor(rows),
            attention_mask=mask,
            max_new_tokens=5,
            do_sample=False,
            eos_token_id=[],
        )
        assert made.tolist() == expected.tolist()


def test_sdpa_sharpens_past_position_1024() -> None:
    changes = {"attn_temperature_len": 1024, "num_hidden_layers": 1}
    positions = [0, 1023, 1024, 1025, 1500, 4000]
    where = {
        "position_ids": torch.tensor([positions]),
        "attention_mask": torch.ones(1, len(positions), dtype=torch.long),
    }
    ids = IDS[: len(positions)]
    for form in FORMS.values():
        model = tiny(**{**form, **changes}, attn_implementation="sdpa")
        oracle, head = reference(model)
        got = run(model, [ids], **where)[0]
        assert np.abs(got - oracle.logits(ids, head, positions=positions)).max() < 1e-9


def test_a_temperature_after_the_cap_is_a_scaled_cap() -> None:
    score, cap, temperature = torch.randn(9).double() * 9, 3.0, 1.4
    scaled = temperature * cap
    assert torch.allclose(
        temperature * attention_grok2.soft_cap(score, cap),
        attention_grok2.soft_cap(temperature * score, scaled),
    )


@pytest.mark.slow
def test_flex_agrees_with_eager() -> None:
    wide = {"head_dim": 16}  # FlexAttention on a processor wants heads of 16 at least
    eager = tiny(**wide).float()
    flex = tiny(**wide, attn_implementation="flex_attention").float()
    ids = IDS * 12
    assert np.abs(run(flex, [ids, ids]) - run(eager, [ids, ids])).max() < 1e-4


def test_flex_refuses_dropout() -> None:
    heads = torch.zeros(1, 1, 1, 16)
    with pytest.raises(ValueError, match=r"no dropout \(attention_dropout 0.1\)"):
        attention_grok2.flex_attention_forward(
            torch.nn.Identity(), heads, heads, heads, None, 1.0, dropout=0.1
        )


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_compiled_decode_agrees(packed: bool) -> None:
    model = plain()
    if packed:
        pack(model, Grok2PackedConfig())
    model.set_experts_implementation("batched_mm")
    cache = StaticCache(config=model.config, max_cache_len=16)
    with torch.no_grad():
        model(torch.tensor([IDS[:-3]]), past_key_values=cache)
        step = torch.compile(model, fullgraph=True)
        for place in range(len(IDS) - 3, len(IDS)):
            got = step(
                torch.tensor([[IDS[place]]]),
                past_key_values=cache,
                position_ids=torch.tensor([[place]]),
            )
    error = np.abs(got.logits[0, -1].numpy() - run(model, [IDS])[0, -1]).max()
    assert error < (2e-3 if packed else 1e-4)


def test_yarn_is_llama_cpp_s() -> None:
    config = Grok2Config(rope_type="yarn")
    rope = Grok2RotaryEmbedding(config)
    width, theta, factor = config.head_dim, 208533496.0, 16.0

    def turns(rotations: float) -> float:
        return width * math.log(8192 / (rotations * 2 * math.pi)) / (2 * math.log(theta))

    first, last = max(0, math.floor(turns(8.0))), min(width - 1, math.ceil(turns(1.0)))
    for pair in range(width // 2):
        plain = theta ** (-2 * pair / width)
        near = 1 - min(1.0, max(0.0, (pair - first) / max(0.001, last - first)))
        expected = plain / factor * (1 - near) + plain * near
        assert rope.inv_freq[pair].item() == pytest.approx(expected, rel=1e-5)
    assert rope.attention_scaling**2 == pytest.approx(1.63, abs=0.005)
    plain_cos, _ = Grok2RotaryEmbedding(Grok2Config())(torch.zeros(1), torch.zeros(1, 1))
    yarn_cos, _ = rope(torch.zeros(1), torch.zeros(1, 1))
    assert (yarn_cos / plain_cos)[0, 0, 0].item() == pytest.approx(1 + 0.1 * math.log(16))
