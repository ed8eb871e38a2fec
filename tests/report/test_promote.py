"""Promotion: nothing goes live but the very bytes that a report of this operator was signed for."""

import json
from pathlib import Path

import pytest

from ariane.report.promote import REPORT, WEIGHTS, promote, sign, signing_key
from ariane.store.sqlite import SqliteStore
from ariane.types import ArianeError, CallError, NotFoundError


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "ranker-1"
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(b"weights")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "ariane.db")


def test_a_signed_run_goes_live(run: Path, store: SqliteStore, tmp_path: Path) -> None:
    key = signing_key(tmp_path / "operator.pem")
    sign(run, "ranker", {"auc": 0.75}, key)
    promote(store, "ranker", run, key)
    assert store.promoted("ranker") == "ranker-1"


def test_the_key_is_made_once_and_for_its_owner_only(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "operator.pem"
    sign(run, "ranker", {}, signing_key(path))
    assert path.stat().st_mode & 0o077 == 0
    again = signing_key(path).public_key().public_bytes_raw()
    assert again == signing_key(path).public_key().public_bytes_raw()
    assert json.loads((run / REPORT).read_text())["key"] == again.hex()


def test_without_a_report_nothing_goes_live(run: Path, store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(ArianeError, match="has no report"):
        promote(store, "ranker", run, signing_key(tmp_path / "operator.pem"))
    assert store.promoted("ranker") is None


def test_other_weights_than_those_signed_for_do_not_go_live(
    run: Path, store: SqliteStore, tmp_path: Path
) -> None:
    key = signing_key(tmp_path / "operator.pem")
    sign(run, "ranker", {}, key)
    (run / WEIGHTS).write_bytes(b"others")
    with pytest.raises(ArianeError, match="not what its report"):
        promote(store, "ranker", run, key)


def test_a_report_is_for_one_part_one_run_and_every_file(
    run: Path, store: SqliteStore, tmp_path: Path
) -> None:
    key = signing_key(tmp_path / "operator.pem")
    (run / "config.json").write_text("{}")
    sign(run, "ranker", {}, key)
    with pytest.raises(ArianeError, match="not what its report"):
        promote(store, "retriever", run, key)
    other = run.rename(run.with_name("ranker-2"))
    with pytest.raises(ArianeError, match="not what its report"):
        promote(store, "ranker", other, key)
    same = other.rename(run)
    (same / "config.json").write_text('{"window": 1}')
    with pytest.raises(ArianeError, match="not what its report"):
        promote(store, "ranker", same, key)


def test_a_report_that_was_changed_or_signed_by_another_does_not_count(
    run: Path, store: SqliteStore, tmp_path: Path
) -> None:
    key, other = signing_key(tmp_path / "operator.pem"), signing_key(tmp_path / "other.pem")
    sign(run, "ranker", {"auc": 0.5}, other)
    with pytest.raises(ArianeError, match="not signed by this operator"):
        promote(store, "ranker", run, key)
    with pytest.raises(CallError, match="signed already"):
        sign(run, "ranker", {"auc": 0.5}, key)
    (run / REPORT).unlink()
    path = sign(run, "ranker", {"auc": 0.5}, key)
    path.write_text(path.read_text().replace("0.5", "0.9"))
    with pytest.raises(ArianeError, match="not signed by this operator"):
        promote(store, "ranker", run, key)
    path.write_text("{")
    with pytest.raises(ArianeError, match="damaged"):
        promote(store, "ranker", run, key)


def test_missing_runs_weights_and_keys_are_named(
    run: Path, store: SqliteStore, tmp_path: Path
) -> None:
    key = signing_key(tmp_path / "operator.pem")
    with pytest.raises(NotFoundError, match="ranker-9"):
        promote(store, "ranker", run.parent / "ranker-9", key)
    (run / WEIGHTS).unlink()
    with pytest.raises(ArianeError, match=WEIGHTS):
        sign(run, "ranker", {}, key)
    (tmp_path / "bad.pem").write_text("nothing")
    with pytest.raises(CallError, match=r"bad\.pem is not a private key"):
        signing_key(tmp_path / "bad.pem")
