"""The door by URL: OpenAI's own client against a server that misbehaves as it is told."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.llm.scripted import (
    Behaviour,
    completion,
    fails,
    gives,
    says,
    scripted,
    send,
    streams,
)

from ariane.llm import LanguageModelSettings, Ledger, open_llm
from ariane.types import (
    LanguageModel,
    LanguageModelError,
    Message,
    ModelDownError,
    ModelGarbageError,
    ModelRefusedError,
    ModelSlowError,
)

HELLO = [Message("system", "Be brief."), Message("user", "Bonjour")]
SCHEMA = {
    "type": "object",
    "properties": {"topic": {"enum": ["sport", "science"]}},
    "required": ["topic"],
    "additionalProperties": False,
}
NO_SCHEMA = fails(400, "response_format json_schema is not supported", "response_format")


def model(url: str, home: Path, **more: Any) -> LanguageModel:
    """A model at an address; nothing is asked again unless told."""
    given = {"retries": 0, "timeout_seconds": 20.0, "model": "small", **more}
    found = open_llm(LanguageModelSettings(kind="url", url=url, **given), home)
    assert found is not None
    return found


def test_an_answer_is_what_the_server_says(tmp_path: Path) -> None:
    with scripted(says("Salut.")) as server:
        assert model(server.url, tmp_path).answer(HELLO, limit=50) == "Salut."
    asked = server.asked[0]
    assert asked["model"] == "small"
    assert asked["max_tokens"] == 50
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Bonjour"},
    ]
    assert "response_format" not in asked


def test_the_thoughts_before_an_answer_are_cut(tmp_path: Path) -> None:
    with scripted(says("<think>They greet me.</think>\nSalut.")) as server:
        assert model(server.url, tmp_path).answer(HELLO) == "Salut."


def test_half_a_character_becomes_a_question_mark(tmp_path: Path) -> None:
    with scripted(says("\ud83d!")) as server:
        assert model(server.url, tmp_path).answer([Message("user", "\udc00")]) == "?!"
    assert server.asked[0]["messages"][0]["content"] == "?"


def drops(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def promises_more(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


def compressed(handler: BaseHTTPRequestHandler) -> None:
    send(handler, gzip.compress(b"x" * 1_000_000), Content_Encoding="gzip")


FAILURES: dict[str, tuple[Behaviour, type[LanguageModelError], str]] = {
    "500": (fails(500), ModelDownError, "500"),
    "503": (fails(503), ModelDownError, "503"),
    "429": (fails(429), ModelDownError, "overloaded"),
    "dropped": (drops, ModelDownError, "cannot be reached or broke off"),
    "broken off": (promises_more, ModelDownError, "cannot be reached or broke off"),
    "401": (fails(401), ModelRefusedError, "wants a key; put it into ARIANE_LLM_KEY"),
    "403": (fails(403), ModelRefusedError, "ARIANE_LLM_KEY"),
    "404": (fails(404), ModelRefusedError, "has no small"),
    "400": (fails(400), ModelRefusedError, "declines the question"),
    "413": (fails(413), ModelRefusedError, "declines the question"),
    "elsewhere": (
        fails(307, Location="http://example.invalid/v1/chat/completions"),
        ModelRefusedError,
        "sends elsewhere",
    ),
    "refusal": (says(None, refusal="I cannot help with that."), ModelRefusedError, "declines"),
    "filter": (says("", "content_filter"), ModelRefusedError, "declines"),
    "empty": (says("  \n"), ModelGarbageError, "empty"),
    "nothing": (says(None), ModelGarbageError, "empty"),
    "cut": (says("Once upon", "length"), ModelGarbageError, "cut at its limit of 1,024 tokens"),
    "a page": (gives(b"<html>Hello</html>", "text/html"), ModelGarbageError, "chat completion"),
    "half": (gives(b'{"choices": [{"mess'), ModelGarbageError, "chat completion"),
    "no choice": (gives(b'{"choices": []}'), ModelGarbageError, "chat completion"),
    "a list": (gives(b"[1, 2]"), ModelGarbageError, "chat completion"),
    "null": (gives(b"null"), ModelGarbageError, "chat completion"),
    "a number": (says(7), ModelGarbageError, "chat completion"),  # type: ignore[arg-type]
    "no text": (gives(b"\xff\xfe\x00"), ModelGarbageError, "chat completion"),
    "depth": (gives(b"[" * 7_000), ModelGarbageError, "chat completion"),
    "negative": (
        gives(json.dumps({"choices": [], "usage": {"prompt_tokens": -5}}).encode()),
        ModelGarbageError,
        "chat completion",
    ),
    "huge": (says("x" * 9_000), ModelGarbageError, "larger than 8,000 bytes"),
    "compressed": (compressed, ModelGarbageError, "compressed"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_each_failure_has_its_error(name: str, tmp_path: Path) -> None:
    behave, kind, said = FAILURES[name]
    with scripted(behave) as server, pytest.raises(kind, match=said) as error:
        model(server.url, tmp_path, answer_bytes=8_000).answer(HELLO)
    assert type(error.value) is kind
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_down(tmp_path: Path) -> None:
    with scripted(says("x")) as server:
        url = server.url
    with pytest.raises(ModelDownError, match="see that its server runs"):
        model(url, tmp_path).answer(HELLO)


def test_a_server_that_says_nothing_is_slow(tmp_path: Path) -> None:
    with (
        scripted(lambda _: server.over.wait(20) and None) as server,
        pytest.raises(ModelSlowError, match=r"within 0\.3 seconds"),
    ):
        model(server.url, tmp_path, timeout_seconds=0.3).answer(HELLO)


def test_a_server_that_trickles_is_slow(tmp_path: Path) -> None:
    """Every byte comes in time, and the answer does not."""

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        while not server.over.wait(0.05):
            handler.wfile.write(b" ")

    with scripted(trickle) as server, pytest.raises(ModelSlowError):
        model(server.url, tmp_path, timeout_seconds=0.5).answer(HELLO)


def test_headers_that_trickle_are_slow(tmp_path: Path) -> None:
    """They are given up while they trickle, not once they are there."""
    there = Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for _ in range(100):
            server.over.wait(0.05)
            handler.connection.sendall(b"x")
        there.set()
        body = json.dumps(completion("Salut.")).encode()
        handler.connection.sendall(b"\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with scripted(trickle) as server:
        with pytest.raises(ModelSlowError):
            model(server.url, tmp_path, timeout_seconds=0.5).answer(HELLO)
        assert not there.is_set()


def test_a_body_that_trickles_and_stalls_has_no_time_anew(tmp_path: Path) -> None:
    """A byte that comes before the end gives the silence after it no more time."""
    anew = Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for pause in (2.5, 2.5):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            server.over.wait(pause)
        anew.set()

    with scripted(stall) as server:
        with pytest.raises(ModelSlowError):
            model(server.url, tmp_path, timeout_seconds=3.0).answer(HELLO)
        assert not anew.is_set()


def test_a_stream_that_stalls_is_slow(tmp_path: Path) -> None:
    def stall(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        handler.wfile.write(b'data: {"choices":[{"delta":{"content":"Sa"}}]}\n\n')
        handler.wfile.flush()
        server.over.wait(20)

    with scripted(stall) as server, pytest.raises(ModelSlowError):
        list(model(server.url, tmp_path, timeout_seconds=0.5).stream(HELLO))


def test_a_stream_that_trickles_ends_at_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        while not server.over.wait(0.05):
            handler.wfile.write(b": still here\n\n")

    monkeypatch.setattr("ariane.llm.url.STREAM_TIMES", 2)
    with scripted(trickle) as server, pytest.raises(ModelSlowError):
        list(model(server.url, tmp_path, timeout_seconds=0.5).stream(HELLO))


def test_a_server_that_fails_and_recovers_is_asked_again(tmp_path: Path) -> None:
    with scripted(fails(500), drops, says("Salut.")) as server:
        assert model(server.url, tmp_path, retries=2).answer(HELLO) == "Salut."
    assert len(server.asked) == 3


def test_an_overloaded_server_is_given_the_time_it_asks_for(tmp_path: Path) -> None:
    with scripted(fails(429, Retry_After="2"), says("Salut.")) as server:
        assert model(server.url, tmp_path, retries=1).answer(HELLO) == "Salut."
    assert server.times[1] - server.times[0] >= 2


def test_who_asks_for_too_much_time_is_not_asked_again(tmp_path: Path) -> None:
    behave = fails(429, Retry_After="86400")
    with scripted(behave, says("x")) as server, pytest.raises(ModelDownError):
        model(server.url, tmp_path, retries=3).answer(HELLO)
    assert len(server.asked) == 1


def test_a_stream_that_fails_before_its_first_piece_is_asked_again(tmp_path: Path) -> None:
    with scripted(fails(503), drops, streams("Sa", "lut.")) as server:
        assert list(model(server.url, tmp_path, retries=2).stream(HELLO)) == ["Sa", "lut."]
    with scripted(streams("Sa", why=None), streams("Salut.")) as server:
        with pytest.raises(ModelDownError):
            list(model(server.url, tmp_path, retries=2).stream(HELLO))
        assert len(server.asked) == 1  # its pieces are told already


def test_what_a_server_refuses_is_not_asked_again(tmp_path: Path) -> None:
    with scripted(fails(401), says("x")) as server, pytest.raises(ModelRefusedError):
        model(server.url, tmp_path, retries=3).answer(HELLO)
    assert len(server.asked) == 1


def test_a_redirect_carries_neither_key_nor_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARIANE_LLM_KEY", "xai-secret")
    with scripted(says("I have it")) as other:
        to = other.url.replace("127.0.0.1", "localhost") + "/chat/completions"
        for status in (301, 302, 303, 307, 308):
            with scripted(fails(status, Location=to)) as server:
                with pytest.raises(ModelRefusedError, match="last address"):
                    model(server.url, tmp_path).answer(HELLO)
                assert server.headers[0]["authorization"] == "Bearer xai-secret"
    assert other.asked == []


def test_a_schema_is_held_by_the_server(tmp_path: Path) -> None:
    with scripted(says('{"topic": "sport"}')) as server:
        said = model(server.url, tmp_path).answer(HELLO, SCHEMA)
    assert json.loads(said) == {"topic": "sport"}
    held = server.asked[0]["response_format"]["json_schema"]
    assert held["schema"] == SCHEMA
    assert server.asked[0]["messages"][-1]["content"] == "Bonjour"


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_schemas_gets_them_in_the_prompt(status: int, tmp_path: Path) -> None:
    refuses = fails(status, "response_format json_schema is not supported", "response_format")
    fenced = says('Here it is:\n```json\n{"topic": "science"}\n```')
    with scripted(refuses, fenced) as server:
        asked = model(server.url, tmp_path)
        for _ in range(2):
            assert json.loads(asked.answer(HELLO, SCHEMA)) == {"topic": "science"}
    assert ["response_format" in one for one in server.asked] == [True, False, False]
    assert json.dumps(SCHEMA) in server.asked[1]["messages"][-1]["content"]


def test_a_question_that_is_refused_either_way_says_nothing_of_schemas(tmp_path: Path) -> None:
    with scripted(fails(400), fails(400), says('{"topic": "sport"}')) as server:
        asked = model(server.url, tmp_path)
        with pytest.raises(ModelRefusedError):
            asked.answer(HELLO, SCHEMA)
        asked.answer(HELLO, SCHEMA)
    assert ["response_format" in one for one in server.asked] == [True, False, True]


def test_a_server_is_trusted_with_the_schema_where_the_settings_say_so(tmp_path: Path) -> None:
    with scripted(NO_SCHEMA) as server, pytest.raises(ModelRefusedError):
        model(server.url, tmp_path, schema="server").answer(HELLO, SCHEMA)
    assert len(server.asked) == 1


def test_a_server_is_not_asked_to_hold_schemas_where_the_settings_say_so(tmp_path: Path) -> None:
    with scripted(says('{"topic": "sport"}')) as server:
        model(server.url, tmp_path, schema="prompt").answer(HELLO, SCHEMA)
    assert "response_format" not in server.asked[0]


def test_a_server_that_ignores_schemas_is_found_out(tmp_path: Path) -> None:
    with scripted(says("It is about sport."), says('{"topic": "sport"}')) as server:
        asked = model(server.url, tmp_path)
        for _ in range(2):
            assert json.loads(asked.answer(HELLO, SCHEMA)) == {"topic": "sport"}
    assert ["response_format" in one for one in server.asked] == [True, False, False]


def test_a_wrong_answer_is_repaired_once(tmp_path: Path) -> None:
    with scripted(says('{"topic": "weather"}'), says('{"topic": "sport"}')) as server:
        said = model(server.url, tmp_path).answer(HELLO, SCHEMA)
    assert json.loads(said) == {"topic": "sport"}
    repair = server.asked[1]["messages"]
    assert [one["role"] for one in repair] == ["system", "user", "assistant", "user"]
    assert repair[2]["content"] == '{"topic": "weather"}'
    assert "weather" in repair[3]["content"]


def test_what_is_wrong_twice_is_garbage(tmp_path: Path) -> None:
    with (
        scripted(says('{"topic": "secret weather"}')) as server,
        pytest.raises(ModelGarbageError, match="broken: enum") as error,
    ):
        model(server.url, tmp_path).answer(HELLO, SCHEMA)
    assert len(server.asked) == 2
    assert "secret" not in str(error.value)


def test_an_answer_cut_in_its_json_is_not_asked_again(tmp_path: Path) -> None:
    with (
        scripted(says('{"topic": "spo', "length")) as server,
        pytest.raises(ModelGarbageError, match="cut at its limit"),
    ):
        model(server.url, tmp_path).answer(HELLO, SCHEMA)
    assert len(server.asked) == 1


def test_an_answer_cut_after_its_json_is_taken(tmp_path: Path) -> None:
    with scripted(says('{"topic": "sport"} because the', "length")) as server:
        assert model(server.url, tmp_path).answer(HELLO, SCHEMA) == '{"topic": "sport"}'


def test_a_server_names_the_options_that_it_does_without(tmp_path: Path) -> None:
    script = [fails(400, param="max_tokens"), fails(400, param="temperature"), says("Salut.")]
    with scripted(*script) as server:
        asked = model(server.url, tmp_path)
        assert [asked.answer(HELLO, limit=9) for _ in range(2)] == ["Salut.", "Salut."]
    assert len(server.asked) == 4
    assert server.asked[3]["max_completion_tokens"] == 9
    assert not {"max_tokens", "temperature"} & server.asked[3].keys()


def test_an_option_that_a_server_cannot_do_without_is_refused(tmp_path: Path) -> None:
    with scripted(fails(400, param="model")) as server, pytest.raises(ModelRefusedError):
        model(server.url, tmp_path).answer(HELLO)
    assert len(server.asked) == 1


@pytest.mark.parametrize("param", [["temperature"], {"loc": ["temperature"]}, 7])
def test_an_option_that_is_named_as_no_text_is_a_refusal(param: Any, tmp_path: Path) -> None:
    with scripted(fails(400, param=param)) as server, pytest.raises(ModelRefusedError):
        model(server.url, tmp_path).answer(HELLO)
    assert len(server.asked) == 1
    assert Ledger(tmp_path, LanguageModelSettings()).spent().tokens_out == 0


def test_a_server_that_names_no_option_is_read(tmp_path: Path) -> None:
    refuses = fails(400, "Argument not supported: max_tokens")
    with scripted(refuses, says("Salut.")) as server:
        assert model(server.url, tmp_path).answer(HELLO) == "Salut."
    with scripted(refuses) as server, pytest.raises(ModelRefusedError):
        model(server.url, tmp_path).answer(HELLO)
    assert len(server.asked) == 2


def test_a_stream_comes_in_pieces(tmp_path: Path) -> None:
    with scripted(streams("Sa", "lut", ".")) as server:
        asked = model(server.url, tmp_path)
        assert list(asked.stream(HELLO, limit=9)) == ["Sa", "lut", "."]
    assert server.asked[0]["stream_options"] == {"include_usage": True}
    assert server.headers[0]["accept-encoding"] == "identity"
    spent = Ledger(tmp_path, LanguageModelSettings()).spent()
    assert (spent.tokens_in, spent.tokens_out) == (11, 7)


BROKEN: dict[str, tuple[Behaviour, type[LanguageModelError]]] = {
    "breaks off": (streams("Sa", why=None), ModelDownError),
    "cut": (streams("Sa", why="length"), ModelGarbageError),
    "filtered": (streams("Sa", why="content_filter"), ModelRefusedError),
    "an error inside": (
        gives(
            b'data: {"choices":[{"delta":{"content":"Sa"}}]}\n\n'
            b'data: {"error":{"message":"no"}}\n\n',
            "text/event-stream",
        ),
        ModelDownError,
    ),
    "garbage inside": (
        gives(
            b'data: {"choices":[{"delta":{"content":"Sa"}}]}\n\ndata: {"choi\n\n',
            "text/event-stream",
        ),
        ModelGarbageError,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_stream_that_fails_says_so_after_its_pieces(name: str, tmp_path: Path) -> None:
    behave, kind = BROKEN[name]
    pieces = []
    with scripted(behave) as server, pytest.raises(kind):
        for piece in model(server.url, tmp_path).stream(HELLO):
            pieces.append(piece)
    assert pieces == ["Sa"]


@pytest.mark.parametrize(
    ("behave", "kind"),
    [(fails(503), ModelDownError), (streams(), ModelGarbageError), (says("x"), ModelGarbageError)],
    ids=["down", "empty", "no stream"],
)
def test_a_stream_without_pieces_has_its_error(
    behave: Behaviour, kind: type[LanguageModelError], tmp_path: Path
) -> None:
    with scripted(behave) as server, pytest.raises(kind):
        list(model(server.url, tmp_path).stream(HELLO))


def test_a_stream_that_never_ends_is_bounded(tmp_path: Path) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        while not server.over.is_set():
            handler.wfile.write(b": still here\n\n" * 1_000)

    with scripted(flood) as server, pytest.raises(ModelGarbageError, match="larger than"):
        list(model(server.url, tmp_path, answer_bytes=100_000).stream(HELLO))


def test_neither_key_nor_texts_are_logged_or_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """At the finest level of every logger, from servers that quote what they were sent."""
    monkeypatch.setenv("ARIANE_LLM_KEY", "xai-KEYKEY")
    caplog.set_level(logging.DEBUG)
    quoted = "Incorrect key xai-KEYKEY for TEXTTEXT"
    script = [*(fails(s, quoted) for s in (400, 401, 403, 404, 429, 500)), promises_more]
    script += [gives(quoted.encode()), says("ANSWERANSWER"), says('{"topic": "ANSWERANSWER"}')]
    told, private = [], [Message("user", "TEXTTEXT")]
    for behave in script:
        for schema in (None, SCHEMA):
            with scripted(behave) as server:
                asked = model(server.url, tmp_path, retries=int(behave is script[5]))
                try:
                    asked.answer(private, schema)
                    list(asked.stream(private))
                except LanguageModelError as error:
                    told.append(str(error))
                    logging.getLogger("a.caller").exception("it failed")
                assert server.headers[0]["authorization"] == "Bearer xai-KEYKEY"
    assert len(told) == 2 * len(script)
    assert any(record.name.startswith("openai") for record in caplog.records)
    for secret in ("KEYKEY", "TEXTTEXT", "ANSWERANSWER"):
        assert secret not in caplog.text
        assert secret not in " ".join(told)


def test_a_key_that_goes_out_in_the_clear_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for url in ("http://127.0.0.1:1/v1", "http://localhost:1/v1", "https://models.example/v1"):
        monkeypatch.setenv("ARIANE_LLM_KEY", "xai-secret")
        model(url, tmp_path)
    assert caplog.text == ""
    model("http://models.example/v1", tmp_path)
    assert "unencrypted" in caplog.text
    assert "xai-secret" not in caplog.text


def test_the_environment_of_another_provider_stays_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "BASE_URL")
    for name in (f"OPENAI_{one}" for one in names):
        monkeypatch.setenv(name, "of-another")
    with scripted(says("Salut.")) as server:
        model(server.url, tmp_path).answer(HELLO)
    assert "of-another" not in str(server.headers)
