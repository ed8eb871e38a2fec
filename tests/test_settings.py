"""Settings: known keys of the right type become dataclasses; anything else is named."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from ariane.settings import build, documentation, load_tables, section, template
from ariane.types import CallError


@dataclass(frozen=True)
class Kettle:
    """A thing with settings."""

    litres: float = 1.5
    """How much it holds,
    to the brim."""

    colours: tuple[str, ...] = ("red", "bleu d'été")
    """What it comes in."""


def test_a_table_becomes_its_dataclass() -> None:
    assert build({"litres": 2, "colours": ["green"]}, "[kettle]", Kettle) == Kettle(2.0, ("green",))


def test_a_missing_table_is_the_defaults() -> None:
    assert section({}, "kettle", Kettle) == Kettle()


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"liters": 2}, ("[kettle] liters", "colours, litres")),
        ({"litres": "much"}, ("[kettle] litres", "'much'")),
        ({"a": 1, "b": 2}, ("[kettle] a, b", "are no settings")),
        ({"litres": "much", "colours": 3}, ("[kettle] litres", "'much'", "[kettle] colours")),
        (["litres"], ("[kettle]", "must be a table")),
    ],
)
def test_what_does_not_fit_is_named(table: object, named: tuple[str, ...]) -> None:
    with pytest.raises(CallError) as caught:
        build(table, "[kettle]", Kettle)
    assert all(part in str(caught.value) for part in named)


def test_documentation_is_the_text_under_each_field() -> None:
    texts = {"litres": "How much it holds, to the brim.", "colours": "What it comes in."}
    assert documentation(Kettle) == texts


def test_the_template_is_all_comments_and_reads_back_as_the_defaults(tmp_path: Path) -> None:
    text = template({"kettle": Kettle()})
    (tmp_path / "ariane.toml").write_text(text)
    assert section(load_tables(tmp_path), "kettle", Kettle) == Kettle()
    uncommented = text.replace("# litres", "litres").replace("# colours", "colours")
    (tmp_path / "ariane.toml").write_text(uncommented)
    assert section(load_tables(tmp_path), "kettle", Kettle) == Kettle()


def test_a_home_without_settings_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="ariane init"):
        load_tables(tmp_path)


def test_toml_that_is_not_toml_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "ariane.toml").write_text("[kettle\n")
    with pytest.raises(CallError, match="line 1"):
        load_tables(tmp_path)


def test_a_settings_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "ariane.toml").mkdir()
    with pytest.raises(CallError, match=r"ariane\.toml cannot be read"):
        load_tables(tmp_path)


def test_a_template_says_aloud_only_what_is_not_as_by_default() -> None:
    text = template({"kettle": Kettle(litres=2.5)})
    assert "\nlitres = 2.5\n" in f"\n{text}\n"
    assert "# litres" not in text
    assert all(
        line.startswith("#") for line in template({"kettle": Kettle()}).splitlines()[1:] if line
    )
