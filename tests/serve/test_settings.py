"""Settings of the server: what cannot be is refused in a sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ariane import serve
from ariane.serve.settings import ServeSettings
from ariane.settings import documentation, load_tables, section, template
from ariane.types import CallError


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("port", 65536),
        ("port", -1),
        ("threads", 0),
        ("rate", float("inf")),
        ("timeout_seconds", float("nan")),
        ("queue", -1),
        ("hostname", "https://feed.example.org"),
        ("hostname", "localhost"),
        ("hostname", "-.example.org"),
        ("publisher", "alice.example.org"),
    ],
)
def test_a_setting_that_cannot_be_is_named(setting: str, value: object) -> None:
    with pytest.raises(CallError, match=rf"\[serve\] {setting} is"):
        ServeSettings(**{setting: value})  # type: ignore[arg-type]


def test_the_did_comes_from_the_host_name() -> None:
    assert ServeSettings().did == ""
    assert ServeSettings(hostname="feed.example.org").did == "did:web:feed.example.org"


def test_every_setting_is_documented_and_its_default_can_be_written(tmp_path: Path) -> None:
    assert set(documentation(ServeSettings)) == set(ServeSettings.__dataclass_fields__)
    text = template({"serve": ServeSettings()})
    settings = [line.removeprefix("# ") for line in text.splitlines() if " = " in line]
    (tmp_path / "ariane.toml").write_text("[serve]\n" + "\n".join(settings))
    assert section(load_tables(tmp_path), "serve", ServeSettings) == ServeSettings()


def test_the_front_page_has_what_it_names_and_nothing_else() -> None:
    assert serve.ServeSettings is ServeSettings
    with pytest.raises(AttributeError, match="create_app"):
        _ = serve.nothing
