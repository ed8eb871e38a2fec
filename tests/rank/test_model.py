from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.rank.world import WIDTH, ask, candidate, model, viewer

from ariane.rank.batch import (
    CandidateTokens,
    ContextTokens,
    HistoryTokens,
    candidate_tokens,
    context_tokens,
    history_tokens,
)
from ariane.rank.model import SIZES, RankerConfig, RankerModel
from ariane.types import PREDICTED, ArianeError, CallError


def batch(
    lengths: list[int], count: int, seed: int = 0
) -> tuple[HistoryTokens, ContextTokens, CandidateTokens, np.ndarray]:
    """Viewers with histories of these lengths, `count` candidates each, shown at random times."""
    rng = np.random.default_rng(seed)
    histories = [history_tokens(viewer(length).history, WIDTH) for length in lengths]
    shown = [[candidate(int(i)) for i in rng.integers(0, 400, count)] for _ in lengths]
    asks = [[ask(at=ask().at + int(t)) for t in rng.integers(0, 10**9, count)] for _ in lengths]
    return (
        HistoryTokens.stack(histories, max(lengths)),
        ContextTokens.stack([context_tokens(row) for row in asks], count),
        CandidateTokens.stack(
            [
                candidate_tokens(posts, [one.at for one in row], WIDTH)
                for posts, row in zip(shown, asks, strict=True)
            ],
            count,
        ),
        np.array([rng.integers(0, length + 1, count) for length in lengths]),
    )


@pytest.mark.parametrize(
    "changes",
    [{}, {"attention_cap": 2.0}, {"experts": 4}, {"hidden": 96, "heads": 6, "key_heads": 3}],
    ids=["plain", "capped", "experts", "grouped"],
)
def test_training_and_serving_compute_the_same(changes: dict[str, object]) -> None:
    made = model(**changes)
    history, context, candidates, visible = batch([80, 130, 0], 9)
    with torch.no_grad():
        packed = made(history, context, candidates, visible)
        for row, counts in enumerate(visible):
            for place, count in enumerate(counts):
                seen = history.take([row]).arrays()
                past = HistoryTokens(**{name: array[:, :count] for name, array in seen.items()})
                keys = made.encode(past, 0) if count else ()
                one = CandidateTokens(
                    **{
                        name: array[row : row + 1, place : place + 1]
                        for name, array in candidates.arrays().items()
                    }
                )
                now = ContextTokens(context.names[row : row + 1, place : place + 1])
                served = made.score(now, one, keys, int(count))
                assert torch.allclose(served.logits[0, 0], packed.logits[row, place], atol=1e-5)
                assert torch.allclose(served.seconds[0, 0], packed.seconds[row, place], atol=1e-5)


def test_history_in_blocks_is_history_at_once() -> None:
    made = model()
    tokens = history_tokens(viewer(100).history, WIDTH).batch()
    first, last = (
        HistoryTokens(**{name: array[:, part] for name, array in tokens.arrays().items()})
        for part in (slice(0, 64), slice(64, None))
    )
    with torch.no_grad():
        whole = made.encode(tokens, 0)
        begun = made.encode(first, 0)
        rest = made.encode(last, 64, begun)
    for (keys, values), (more_keys, more_values), (all_keys, all_values) in zip(
        begun, rest, whole, strict=True
    ):
        assert torch.allclose(torch.cat((keys, more_keys), 2), all_keys, atol=1e-5)
        assert torch.allclose(torch.cat((values, more_values), 2), all_values, atol=1e-5)


def test_a_candidate_sees_neither_its_neighbours_nor_later_history() -> None:
    made = model()
    history, context, candidates, visible = batch([60], 6)
    visible[:] = 20
    with torch.no_grad():
        before = made(history, context, candidates, visible).logits
        for array in history.arrays().values():
            array[:, 20:] = 0
        for array in (*candidates.arrays().values(), context.names):
            array[:, 1:] = 0
        after = made(history, context, candidates, visible).logits
    assert torch.allclose(before[:, 0], after[:, 0], atol=1e-6)
    assert not torch.allclose(before[:, 1:], after[:, 1:], atol=1e-3)


def test_everything_that_a_token_holds_counts() -> None:
    made = model()
    history, context, candidates, visible = batch([30], 1)
    visible[:] = 30
    parts = {
        **{f"history {name}": array for name, array in history.arrays().items()},
        **{f"candidate {name}": array for name, array in candidates.arrays().items()},
        "context": context.names,
    }
    with torch.no_grad():
        whole = made(history, context, candidates, visible).logits
        for name, array in parts.items():
            kept = array.copy()
            array[:] = 0
            changed = made(history, context, candidates, visible).logits
            array[:] = kept
            assert (changed - whole).abs().max() > 1e-4, name


def test_the_order_of_history_counts() -> None:
    made = model()
    history, context, candidates, visible = batch([30], 1)
    visible[:] = 30
    with torch.no_grad():
        forward = made(history, context, candidates, visible).logits
        turned = HistoryTokens(**{n: a[:, ::-1].copy() for n, a in history.arrays().items()})
        assert not torch.allclose(made(turned, context, candidates, visible).logits, forward)


def test_every_weight_learns() -> None:
    made = model(experts=2).train()
    told = made(*batch([70, 90], 30))
    (told.logits.square().mean() + told.seconds.mean()).backward()
    still = [name for name, p in made.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_hashes_of_posts_and_tokens_are_dropped_in_training_alone() -> None:
    parts = batch([40], 4)
    with torch.no_grad():
        made = model(post_dropout=0.5, dropout=0.0)
        assert torch.equal(made(*parts).logits, made(*parts).logits)
        made.train()
        assert not torch.equal(made(*parts).logits, made(*parts).logits)
        made = model(post_dropout=0.0, dropout=0.0).train()
        assert torch.equal(made(*parts).logits, made(*parts).logits)
        made = model(post_dropout=0.0, dropout=0.1).train()
        assert not torch.equal(made(*parts).logits, made(*parts).logits)


def test_an_author_or_post_never_seen_adds_nothing_before_training() -> None:
    made = RankerModel(replace(RankerConfig.sized("nano"), width=WIDTH)).eval()
    history, context, candidates, visible = batch([40], 4)
    with torch.no_grad():
        before = made(history, context, candidates, visible).logits
        candidates.post[:], candidates.author[:] = 5, 6
        assert torch.equal(made(history, context, candidates, visible).logits, before)


def test_heads_are_float32_under_a_bfloat16_body() -> None:
    made = model().to(torch.bfloat16)
    parts = batch([40], 4)
    with torch.no_grad():
        told = made(*parts)
        whole = model()(*parts)
    assert told.logits.dtype == told.seconds.dtype == torch.float32
    assert (told.seconds >= 0).all()
    assert torch.allclose(told.logits, whole.logits, atol=0.3)


def test_the_dial_has_three_sizes() -> None:
    grown = [
        sum(p.numel() for p in RankerModel(RankerConfig.sized(size)).body.parameters())
        for size in SIZES
    ]
    assert list(SIZES) == ["nano", "small", "base"]
    assert grown == sorted(grown)
    with pytest.raises(CallError, match="'huge' is not a ranker size: use one of nano"):
        RankerConfig.sized("huge")


def test_a_saved_ranker_loads_to_the_bit(tmp_path: Path) -> None:
    made = model(name="ranker-1", reader="test@1")
    made.save(tmp_path / "ranker-1", {"auc": 0.75})
    again = RankerModel.load(tmp_path / "ranker-1")
    assert again.config == made.config
    assert not again.training
    parts = batch([40], 4)
    with torch.no_grad():
        assert torch.equal(made(*parts).logits, again(*parts).logits)
    about = json.loads((tmp_path / "ranker-1" / "config.json").read_text())
    assert about["training"] == {"auc": 0.75}
    assert about["ranker"]["reader"] == "test@1"
    assert sorted(path.name for path in (tmp_path / "ranker-1").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def edited(path: Path, **changes: object) -> None:
    config = path / "config.json"
    about = json.loads(config.read_text())
    about["ranker"].update(changes.pop("ranker", {}))
    config.write_text(json.dumps(about | changes))


def test_a_checkpoint_that_is_not_whole_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "run"

    def refused(said: str) -> None:
        with pytest.raises(ArianeError, match=said) as caught:
            RankerModel.load(path)
        assert str(caught.value).count(". ") == 0
        assert "\n" not in str(caught.value)

    refused("There is no ranker at .*run")
    model().save(path)
    weights = (path / "model.safetensors").read_bytes()
    (path / "model.safetensors").write_bytes(weights[:-9] + b"corrupted")
    refused("corrupt or was replaced")
    (path / "model.safetensors").write_bytes(weights[:100])
    refused("corrupt or was replaced")
    (path / "model.safetensors").unlink()
    refused("weights .* cannot be read")
    model().save(path)
    edited(path, ranker={"name_rows": 99})
    refused("do not fit the sizes")
    model().save(path)
    edited(path, ranker={"kinds": ["like"]})
    refused("predicts like where this Ariane predicts dwell")
    model().save(path)
    edited(path, version=99)
    refused("layout 99 where this Ariane reads 1")
    (path / "config.json").write_text("{")
    refused("is not a ranker's configuration")
    (path / "config.json").write_text('{"version": 1, "ranker": {}, "weights_sha256": ""}')
    refused("is not a ranker's configuration")


def test_weights_that_are_no_safetensors_are_refused(tmp_path: Path) -> None:
    model().save(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not tensors at all")
    edited(tmp_path, weights_sha256=hashlib.sha256(b"not tensors at all").hexdigest())
    with pytest.raises(ArianeError, match="do not fit"):
        RankerModel.load(tmp_path)


def test_the_kinds_are_the_one_list() -> None:
    assert RankerConfig().kinds == tuple(kind.value for kind in PREDICTED)
    assert model().action_head.out_features == len(PREDICTED)
