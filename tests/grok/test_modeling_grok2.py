from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.grok.tiny import IDS, TINY, VARIANTS, reference, run, tiny
from transformers import StaticCache

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM, Grok2Model


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS.keys())
def test_logits_are_the_reference_s(changes: dict[str, Any]) -> None:
    model = tiny(**changes)
    oracle, head = reference(model)
    error = np.abs(run(model, [IDS])[0] - oracle.logits(IDS, head)).max()
    assert error < 1e-12


def test_float32_stays_within_rounding_of_the_reference() -> None:
    model = tiny()
    oracle, head = reference(model)
    error = np.abs(run(model.float(), [IDS])[0] - oracle.logits(IDS, head)).max()
    assert error < 3e-5


def test_each_feature_changes_the_logits() -> None:
    plain = run(tiny(), [IDS])
    for name in ("tanh gelu", "no temperature", "dense", "experts alone"):
        assert np.abs(run(tiny(**VARIANTS[name]), [IDS]) - plain).max() > 1e-4, name
    for cap in ("attn", "router", "final"):
        changed = run(tiny(**{f"{cap}_logit_softcapping": None}), [IDS])
        assert np.abs(changed - plain).max() > 1e-3, cap


def test_attention_sharpens_past_position_1024_and_not_at_it() -> None:
    changes = {"attn_temperature_len": 1024, "num_hidden_layers": 1}
    model, off = tiny(**changes), tiny(**changes | {"attn_temperature_len": None})
    positions = [0, 700, 1023, 1024, 1025, 1500, 4000]
    where = torch.tensor([positions])
    mask = torch.ones(1, len(positions), dtype=torch.long)
    ids = IDS[: len(positions)]
    oracle, head = reference(model)
    got = run(model, [ids], position_ids=where, attention_mask=mask)[0]
    assert np.abs(got - oracle.logits(ids, head, positions=positions)).max() < 1e-9
    differs = np.abs(got - run(off, [ids], position_ids=where, attention_mask=mask)[0]).max(-1)
    assert (differs[:4] == 0).all()
    assert (differs[4:] > 1e-9).all()


@pytest.mark.parametrize("cache", ["dynamic", "static"])
def test_a_cache_changes_nothing(cache: str) -> None:
    model = tiny()
    past = StaticCache(config=model.config, max_cache_len=16) if cache == "static" else None
    whole = run(model, [IDS])
    with torch.no_grad():
        first = model(torch.tensor([IDS[:7]]), past_key_values=past, use_cache=True)
        rows, past = [first.logits.numpy()], first.past_key_values
        for token in IDS[7:]:
            step = model(torch.tensor([[token]]), past_key_values=past, use_cache=True)
            rows.append(step.logits.numpy())
            past = step.past_key_values
    assert np.abs(np.concatenate(rows, axis=1) - whole).max() < 1e-6


def test_left_padding_and_batch_change_nothing() -> None:
    model = tiny()
    oracle, head = reference(model)
    short = IDS[:8]
    pad = len(IDS) - len(short)
    mask = torch.tensor([[1] * len(IDS), [0] * pad + [1] * len(short)])
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    got = run(model, [IDS, [0] * pad + short], attention_mask=mask, position_ids=positions)
    assert np.abs(got[0] - oracle.logits(IDS, head)).max() < 1e-6
    assert np.abs(got[1, pad:] - oracle.logits(short, head)).max() < 1e-6


def test_generation_is_greedy_over_the_reference() -> None:
    model = tiny()
    oracle, head = reference(model)
    expected = list(IDS[:4])
    for _ in range(4):
        expected.append(int(oracle.logits(expected, head)[-1].argmax()))
    made = model.generate(
        torch.tensor([IDS[:4]]), max_new_tokens=4, do_sample=False, eos_token_id=[]
    )
    assert made[0].tolist() == expected


def test_embeddings_stand_for_ids() -> None:
    model = tiny()
    with torch.no_grad():
        embeddings = model.model.embed_tokens(torch.tensor([IDS]))
        got = model(inputs_embeds=embeddings).logits.numpy()
    assert np.array_equal(got, run(model, [IDS]))
    with pytest.raises(ValueError, match="exactly one of input_ids and inputs_embeds"):
        model.model()


def test_every_experts_implementation_agrees() -> None:
    model = tiny()
    eager = {}
    for name in ("eager", "batched_mm", "grouped_mm"):
        model.set_experts_implementation(name)
        eager[name] = run(model.float(), [IDS])
    assert np.abs(eager["batched_mm"] - eager["eager"]).max() < 1e-4
    assert np.abs(eager["grouped_mm"] - eager["eager"]).max() < 1e-4


def test_logits_loss_and_recorded_outputs() -> None:
    model = tiny()
    ids = torch.tensor([IDS])
    whole = model(
        ids,
        labels=ids,
        output_router_logits=True,
        output_hidden_states=True,
        output_attentions=True,
    )
    shifted = torch.nn.functional.cross_entropy(whole.logits[0, :-1].float(), ids[0, 1:])
    assert whole.loss.item() == pytest.approx(shifted.item(), rel=1e-6)
    assert [tuple(r.shape) for r in whole.router_logits] == [(len(IDS), 8)] * 2
    assert len(whole.hidden_states) == 3
    assert len(whole.attentions) == 2
    last = model(ids, logits_to_keep=1).logits
    assert torch.allclose(last, whole.logits[:, -1:])


def test_gradients_are_the_same_under_checkpointing() -> None:
    model = tiny().train()
    ids = torch.tensor([IDS])
    gradients = []
    for checkpointing in (False, True):
        if checkpointing:
            model.activation_checkpointing_enable()
        model.zero_grad()
        model(ids, labels=ids).loss.backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    assert all(torch.allclose(a, b) for a, b in zip(*gradients, strict=True))


def test_a_saved_model_loads_again(tmp_path: Any) -> None:
    model = tiny()
    model.save_pretrained(tmp_path)
    options = {
        "dtype": torch.float64,
        "attn_implementation": "eager",
        "experts_implementation": "eager",
    }
    again = Grok2ForCausalLM.from_pretrained(tmp_path, **options)
    assert np.array_equal(run(again, [IDS]), run(model, [IDS]))
    body = Grok2Model.from_pretrained(tmp_path, **options)
    assert torch.equal(body.norm.weight, model.model.norm.weight)


def test_weights_start_small_and_norms_at_one() -> None:
    model = Grok2ForCausalLM(Grok2Config(**TINY))
    experts = model.model.layers[0].block_sparse_moe
    for weight in (experts.experts.gate_up_proj, experts.experts.down_proj, experts.gate.weight):
        assert 0.01 < weight.std().item() < 0.03
    assert (model.model.layers[0].post_moe_norm.weight == 1).all()
