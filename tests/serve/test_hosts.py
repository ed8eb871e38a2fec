"""Hosts: a name that leads here but is not this server's is refused, whatever it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.serve.conftest import Api

from ariane.serve.http import create_app
from ariane.serve.settings import ServeSettings
from ariane.types import CallError


@pytest.fixture
def named(home: Path, settings: ServeSettings) -> Iterator[Api]:
    """A server with names of its own."""
    chosen = replace(settings, host="nas.lan", hosts=("feed.test", "reader"))
    api = Api(create_app(home, chosen))
    yield api
    api.service.workers.close()
    api.service.look_ups.close()
    api.service.live.close()


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "127.0.0.1:8000",
        "127.0.0.1:",
        "192.168.1.4",
        "[::1]",
        "[::1]:8000",
        "[2001:db8::7]:80",
        "nas.lan",
        "Feed.Test:443",
        "feed.test.",
        "reader",
        "feed.example.org",
    ],
)
def test_a_server_answers_to_its_names_and_to_any_address(named: Api, host: str) -> None:
    assert named("GET", "/v1/health/live", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "sub.feed.test",
        "feed.test@evil.example",
        "evil.example@feed.test",
        "evil.example#feed.test",
        "[evil.example]",
        "[::1",
        "::1",
        "feed.test:80:80",
        "2130706433",
        "",
        " ",
        ".",
    ],
)
def test_any_other_name_is_refused(named: Api, host: str) -> None:
    for method, path in (("GET", "/v1/feeds"), ("POST", "/v1/tokens"), ("GET", "/metrics")):
        status, sentence = named.problem(method, path, "operator", headers={"Host": host})
        assert status == 421
        assert host in sentence
        assert "hosts under [serve]" in sentence


def test_the_refusal_is_a_page_for_whoever_reads_pages(named: Api) -> None:
    headers = {"Host": "evil.example", "Accept": "text/html", "Accept-Language": "fr"}
    answer = named("GET", "/sign-in", headers=headers)
    assert answer.status_code == 421
    assert "Ce serveur ne répond pas au nom de evil.example" in answer.text
    answer = named("GET", "/sign-in", headers=headers | {"Host": "<script>", "Accept-Language": ""})
    assert "<script>" not in answer.text
    assert "does not answer to &lt;script&gt;" in answer.text


def test_a_rebound_name_signs_nobody_in_where_accounts_are_open(
    home: Path, settings: ServeSettings
) -> None:
    api = Api(create_app(home, replace(settings, open_accounts=True)))
    headers = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000"}
    answer = api("POST", "/sign-in", data={"operator": "1"}, headers=headers)
    assert answer.status_code == 421
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "name", ["", "https://feed.test", "feed.test:443", "*", "*.test", "Feed.test", "a..b", "a/b"]
)
def test_a_name_that_is_none_is_refused_in_the_settings(name: str) -> None:
    with pytest.raises(CallError, match=r"\[serve\] hosts holds"):
        ServeSettings(hosts=(name,))
