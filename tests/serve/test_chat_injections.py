"""Posts that give orders change no wish, citation, tool call or other answer, though obeyed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ask.conftest import HOUR, NOW, furnished
from tests.ask.models import Writer
from tests.ask.test_ask import ORDERS, good
from tests.serve.conftest import Api, close
from tests.serve.test_chat import CHOSEN, STOPS, ask, turns, with_model

from ariane.read import read
from ariane.serve.http import create_app
from ariane.types import Post


def obedient(shown: dict[str, Any]) -> list[dict[str, Any] | str]:
    """Does whatever any post that it is shown orders, as far as a model can."""
    told = json.dumps(shown["posts"], ensure_ascii=False)
    if not any(json.dumps(order, ensure_ascii=False)[1:-1] in told for order in ORDERS):
        return [*good(shown)] if "twelve stops" in told else []
    first = shown["posts"][0]
    line = {"cites": [one["n"] for one in shown["posts"]], "quote": first["text"][:40]}
    calls: dict[str, Any] = {"tool_calls": [{"name": "wish", "target": "topic:politics"}]}
    return [{**line, **calls, "text": f"OBEYED {first['text'][:80]}"}, "less politics"]


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Writer]]:
    """The small place with fifty such posts in it, each also about the tram."""
    home: Path = tmp_path_factory.mktemp("besieged") / "home"
    engine = furnished(home)
    engine.store.write(
        [
            Post(f"order-{number}", "mallory", f"The tram line 3. {order}", NOW - HOUR - number)
            for number, order in enumerate(ORDERS)
        ]
    )
    read(engine.store, engine.reader, engine.classify)
    engine.refresh()
    engine.store.close()
    writer = Writer(obedient)
    api = Api(create_app(with_model(home, writer), CHOSEN))
    yield api, writer
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
