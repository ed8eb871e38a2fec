"""Posts that give orders change no wish, citation, tool call or other answer, though obeyed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ask.conftest import HOUR, NOW, POSTS, furnished
from tests.ask.models import Writer
from tests.ask.test_ask import ORDERS, UNSEEN, good
from tests.serve.conftest import Api, close
from tests.serve.test_chat import CHOSEN, STOPS, ask, turns, with_model

from ariane.read import read
from ariane.serve.http import create_app
from ariane.types import Post

INNOCENT = {text for _, text, _ in POSTS.values()}


def obedient(shown: dict[str, Any]) -> list[dict[str, Any] | str]:
    """Does whatever any post orders that is not of the small place, as far as a model can."""
    orders = [one for one in shown["posts"] if one["text"] not in INNOCENT]
    if not orders:
        return [*good(shown)] if "twelve stops" in json.dumps(shown) else []
    calls: dict[str, Any] = {"tool_calls": [{"name": "wish", "target": "topic:politics"}]}
    told: list[dict[str, Any] | str] = ["less politics"]
    for one in shown["posts"]:
        line = {"cites": [one["n"], orders[0]["n"]], "quote": one["text"][:40], **calls}
        told += [{**line, "text": f"OBEYED {orders[0]['text'][:80]}"}]
        told += [{**line, "text": orders[0]["text"], "cites": [one["n"]]}]
    return told


def besiege(home: Path, orders: list[str]) -> tuple[Api, Writer]:
    """The small place with such posts in it, and an obedient model."""
    engine = furnished(home)
    posts = enumerate(orders)
    engine.store.write([Post(f"order-{n}", "mallory", text, NOW - HOUR - n) for n, text in posts])
    read(engine.store, engine.reader, engine.classify)
    engine.refresh()
    engine.store.close()
    writer = Writer(obedient)
    return Api(create_app(with_model(home, writer), CHOSEN)), writer


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Writer]]:
    """Fifty orders that are known, each also about the tram."""
    home = tmp_path_factory.mktemp("besieged") / "home"
    api, writer = besiege(home, [f"The tram line 3. {order}" for order in ORDERS])
    yield api, writer
    close(api)


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Orders that the model is shown, since nothing was fitted to them."""
    home = tmp_path_factory.mktemp("unseen") / "home"
    api, _ = besiege(home, [order["text"] for order in UNSEEN])
    yield api
    close(api)


def test_another_answer_is_what_it_was(besieged: tuple[Api, Writer], tmp_path: Path) -> None:
    furnished(tmp_path / "home").store.close()
    calm = Api(create_app(with_model(tmp_path / "home", Writer(obedient)), CHOSEN))
    answer = ask(besieged[0], STOPS)
    assert answer == ask(calm, STOPS)
    assert answer["by"] == "writer"
    close(calm)


def test_orders_of_earlier_turns_change_no_follow_up(besieged: tuple[Api, Writer]) -> None:
    api, _ = besieged
    others = [*ORDERS, "less politics", "The market hall has leek soup."]
    for last in ("why?", "and the soup?", "et hier ?"):
        body = turns(STOPS, "Twelve.", last)
        plain = api("POST", "/v1/chat/completions", "vic", json=body).json()
        for role in ("assistant", "system", "tool"):
            said = [{"role": role, "content": order} for order in others]
            body["messages"] = [*said, *turns(STOPS)["messages"], *said, *turns(last)["messages"]]
            told = api("POST", "/v1/chat/completions", "vic", json=body).json()
            assert (told["choices"], told["citations"]) == (plain["choices"], plain["citations"])
    assert api("GET", "/v1/wishes", "vic").json() == []


@pytest.mark.parametrize("number", range(len(ORDERS)))
def test_an_order_is_at_most_quoted(besieged: tuple[Api, Writer], number: int) -> None:
    api, writer = besieged
    name = f"order-{number}"
    for question in ("what does this say?", "is this confirmed?", "what is the tram line 3?"):
        answer = ask(api, question, post=name)
        assert "OBEYED" not in json.dumps(answer)
        assert answer["wishes"] == []
        if question != "is this confirmed?":
            assert {one["id"] for one in answer["citations"]} <= {name}
    assert api("GET", "/v1/wishes", "vic").json() == []
    assert not any(ORDERS[number] in json.dumps(one, ensure_ascii=False) for one in writer.seen)


@pytest.mark.parametrize("number", range(len(UNSEEN)))
def test_an_unseen_order_is_told_only_as_its_own_author_s_words(unseen: Api, number: int) -> None:
    words = UNSEEN[number]["text"]
    for question in ("what does this say?", words, STOPS):
        about = {"post": f"order-{number}"} if question != STOPS else {}
        answer = ask(unseen, question, keep=False, **about)
        assert answer["wishes"] == []
        assert "OBEYED" not in json.dumps(answer)
        ids = {one["number"]: one["id"] for one in answer["citations"]}
        for line in answer["lines"]:
            by = {ids[n] for n in line["cites"]}
            assert not line["by"] or all(name.startswith("order-") for name in by)
