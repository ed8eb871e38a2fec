"""How this feed works, as a page: the live engine's own figures, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from tests.homes import community, with_ranker
from tests.report.test_algorithm import FIGURES
from tests.serve.conftest import Api

from ariane.home import runs
from ariane.report.algorithm import Algorithm, Importance, Worth
from ariane.report.promote import KEY, sign, signing_key
from ariane.serve.http import create_app
from ariane.serve.page.how import SECTIONS, importance_bars, value_bars
from ariane.serve.settings import ServeSettings

EMPTY = Algorithm((), (), None, (), {}, {}, (), (), (), ())
VOID = ("meta", "link", "input", "br", "img", "path", "rect", "circle", "hr")


class Shape(HTMLParser):
    """What is open at the end, the ids, and where links of this page lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.styled: list[str] = []
        self.feed(html)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(dict(attrs), tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(dict(attrs), tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _note(self, given: dict[str, str | None], tag: str) -> None:
        self.ids += [given["id"] or ""] if "id" in given else []
        if (given.get("href") or "").startswith("#"):
            self.anchors.append((given["href"] or "")[1:])
        if "style" in given or any(name.startswith("on") for name in given):
            self.styled.append(tag)


def sound(html: str) -> None:
    """Every tag is closed, every id is one, inner links lead somewhere, nothing is inline."""
    shape = Shape(html)
    assert shape.open == []
    assert len(set(shape.ids)) == len(shape.ids)
    assert set(shape.anchors) <= set(shape.ids)
    assert shape.styled == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The application over a home with a ranker and its signed report."""
    home = tmp_path_factory.mktemp("home")
    community(home)
    with_ranker(home)
    sign(runs(home) / "ranker-1", "ranker", FIGURES, signing_key(home / KEY))
    api = Api(create_app(home, ServeSettings(burst=100_000)))
    yield api
    api.service.workers.close()
    api.service.look_ups.close()
    api.service.live.close()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("From all posts to your page", "12.3 (10.0 to 15.0)", "74.2% of the pairs")),
        ("fr", ("De toutes les publications à votre page", "12,3 (10,0 à 15,0)", "12\u202f345")),
    ],
)
def test_the_document_is_there_in_both_languages(
    trained: Api, language: str, said: tuple[str, ...]
) -> None:
    page = trained("GET", "/how", headers={"Accept-Language": language})
    assert page.status_code == 200
    assert f'<html lang="{language}">' in page.text
    for text in said:
        assert text in page.text
    for part in SECTIONS:
        assert f'id="{part}"' in page.text
    sound(page.text)


def test_the_same_is_to_be_had_as_data(trained: Api) -> None:
    told = trained("GET", "/how.json").json()
    assert told["model"]["name"] == "ranker-1"
    assert told["importances"][0]["group"] == "history"


def test_only_who_is_remembered_is_offered_to_turn_personalisation_off(trained: Api) -> None:
    button = '<button class="button soft" name="mode" value="plain">'
    assert button not in trained("GET", "/how").text
    assert button in trained("GET", "/how", "someone").text


def test_nothing_of_the_program_shows_beside_it(trained: Api) -> None:
    page = trained("GET", "/how", "someone").text
    assert "wish" in page
    assert "Algorithm(" not in page


def test_without_a_model_it_says_so(api: Api) -> None:
    page = api("GET", "/how").text
    assert "newer posts simply come first" in page
    assert "no inputs to weigh" in page
    assert 'id="inputs"' not in page
    sound(page)


def test_bars_share_one_scale_and_none_is_below_nothing() -> None:
    text = {"en": "x", "fr": "y"}
    losses = {"a": (0.1, 0.2, 0.4), "b": (-0.3, -0.1, 0.1), "c": None}
    found = tuple(Importance(name, text, text, loss) for name, loss in losses.items())
    told = Algorithm((), (), None, found, {}, {}, (), (), (), ())
    bars = importance_bars(told, "en")
    assert [(bar.share, bar.low, bar.high) for bar in bars] == [
        (50.0, 25.0, 100.0),
        (0.0, 0.0, 25.0),
        (0.0, 0.0, 0.0),
    ]
    assert bars[2].figure == ""
    worth = (Worth("like", text, 1.0), Worth("report", text, -20.0), Worth("reply", text, 5.0))
    values = value_bars(Algorithm((), worth, None, (), {}, {}, (), (), (), ()), "fr")
    assert [(bar.figure, bar.share, bar.minus) for bar in values] == [
        ("+5", 25.0, False),
        ("+1", 5.0, False),
        ("\u221220", 100.0, True),
    ]
    assert importance_bars(EMPTY, "en") == value_bars(EMPTY, "en") == []
