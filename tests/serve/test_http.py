"""The application and its server: shapes of refusal, headers, limits, pages, start and stop."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from tests.serve.conftest import Api, lines, post

from ariane.home import init
from ariane.serve.http import create_app, listen, run
from ariane.serve.problems import OPENAI, XRPC
from ariane.serve.settings import ServeSettings
from ariane.serve.tokens import KEY_FILE
from ariane.types import ArianeError, CallError


@contextmanager
def served(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A real server on a free port, in a process of its own."""
    code = (
        f"from pathlib import Path; from ariane.serve import run; run(Path({str(home)!r}), port=0)"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, said
        with httpx.Client(base_url=found[0], timeout=60) as client:
            assert client.get("/v1/health/live").status_code == 200
        yield found[0], process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/feeds/", 404),
        ("PATCH", "/v1/feeds", 405),
        ("TRACE", "/v1/feeds", 405),
        ("HEAD", "/v1/feeds", 405),
        ("DELETE", "/metrics", 405),
    ],
)
def test_what_is_not_there_is_refused_in_the_house_shape(
    api: Api, method: str, path: str, status: int
) -> None:
    if method == "HEAD":
        assert api(method, path).status_code == status
    else:
        assert api.problem(method, path)[0] == status


def test_a_wrong_method_says_which_are_right(api: Api) -> None:
    assert "GET" in api("PATCH", "/v1/feeds").headers["Allow"]


@pytest.mark.parametrize("body", ["{", "[" * 50, "null", '{"consent": NaN}', '"\\ud800"', "\xff"])
def test_a_broken_body_is_refused(api: Api, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    content = body.encode("latin-1")
    status, _ = api.problem("POST", "/v1/anonymous", content=content, headers=headers)
    assert status in (400, 422)


def test_every_answer_bears_safe_headers(api: Api) -> None:
    for path in ("/", "/docs", "/v1/feeds", "/nowhere", "/metrics"):
        headers = api("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert "server" not in headers


def test_no_other_origin_may_ask_unless_it_is_named(
    api: Api, home: Path, settings: ServeSettings
) -> None:
    headers = {"Origin": "https://app.example.org"}
    assert "access-control-allow-origin" not in api("GET", "/v1/feeds", headers=headers).headers
    named = Api(create_app(home, replace(settings, origins=("https://app.example.org",))))
    allowed = named("GET", "/v1/feeds", headers=headers).headers
    assert allowed["access-control-allow-origin"] == "https://app.example.org"
    other = named("GET", "/v1/feeds", headers={"Origin": "https://evil.example.org"}).headers
    assert "access-control-allow-origin" not in other


def test_a_fault_tells_its_id_and_nothing_else(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    @api.app.get("/broken")
    def broken(request: Request) -> None:
        raise RuntimeError(f"the secret of {request.url}")

    @api.app.get("/failed")
    def failed() -> None:
        raise ArianeError("the file /home/someone/ariane.db is broken.")

    for path, secret in (("/broken", "secret"), ("/failed", "someone")):
        answer = api("GET", path)
        assert answer.status_code == 500
        assert secret not in answer.text
        fault = answer.json()["error"]["id"]
        assert fault in caplog.text
        assert secret in caplog.text


def test_a_client_that_asks_too_often_is_refused(home: Path) -> None:
    api = Api(create_app(home, ServeSettings(rate=0.001, burst=2)))
    answers = [api("GET", "/v1/health/live") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 1
    assert api("GET", "/v1/health/live", "v1").status_code == 200
    assert {api("GET", "/v1/health/live", "operator").status_code for _ in range(5)} == {200}


def test_a_body_too_large_is_refused(home: Path) -> None:
    api = Api(create_app(home, ServeSettings(body_bytes=1000)))
    body = lines(post("n1", text="x" * 2000))
    assert api.problem("POST", "/v1/posts", "operator", **body)[0] == 413


def test_a_full_server_says_when_to_return(home: Path) -> None:
    api = Api(create_app(home, ServeSettings(threads=1, queue=0, timeout_seconds=0.2)))
    go = threading.Event()

    async def fill() -> None:
        await api.service.workers.run(None, go.wait)

    holder = threading.Thread(target=lambda: _quietly(fill()))
    holder.start()
    while not api.service.workers.held:
        pass
    answer = api("GET", "/v1/feeds/for-you")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert api("GET", "/v1/health/ready").status_code == 503
    assert api("GET", "/v1/health/live").status_code == 200
    assert "ariane_work_held 1.0" in api("GET", "/metrics").text
    go.set()
    holder.join()
    while api.service.workers.held:
        pass
    assert api("GET", "/v1/feeds/for-you").status_code == 200


def _quietly(work: object) -> None:
    try:
        asyncio.run(work)  # type: ignore[arg-type]
    except Exception as error:
        assert "more than 0.2 seconds" in str(error)


def test_metrics_count_by_route_and_name_no_one(api: Api) -> None:
    api("GET", "/v1/feeds/for-you", "someone-private")
    api("GET", "/v1/viewers/someone-private", "someone-private")
    api("GET", "/v1/viewers/someone-private")
    api("BREW", "/nowhere/at/all")
    text = api("GET", "/metrics").text
    assert 'ariane_requests_total{method="GET",route="/v1/feeds/{name}",status="200"} 1.0' in text
    assert 'route="/v1/viewers/{viewer:path}",status="401"} 1.0' in text
    assert 'ariane_requests_total{method="other",route="none",status="404"} 1.0' in text
    assert 'ariane_feeds_total{feed="for-you",model="' in text
    assert "someone-private" not in text


def test_health_tells_the_model_and_the_store(api: Api) -> None:
    assert api("GET", "/v1/health/live").json() == {"status": "ok"}
    ready = api("GET", "/v1/health/ready").json()
    assert ready["model"]
    assert (ready["posts"], ready["unread"]) == (12, 12)


def test_a_store_that_fails_makes_the_server_unready(api: Api) -> None:
    api.service.live.close()
    assert api("GET", "/v1/health/ready").status_code >= 500
    assert api("GET", "/v1/health/live").status_code == 200


def test_the_pages_tell_what_there_is(api: Api) -> None:
    status = api("GET", "/").text
    assert "12 posts" in status
    assert "/docs" in status
    docs = api("GET", "/docs").text
    for path in api.app.openapi()["paths"]:
        assert path.replace("&", "&amp;") in docs


def test_every_problem_is_documented_in_its_shape(api: Api) -> None:
    for path, methods in api.app.openapi()["paths"].items():
        shape = "OpenAIProblem" if path.startswith(OPENAI) else "Problem"
        shape = "XrpcProblem" if path.startswith(XRPC) else shape
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema == {"$ref": f"#/components/schemas/{shape}"}


def test_a_port_in_use_is_one_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CallError, match=rf"127\.0\.0\.1:{port} cannot be listened on"):
            listen("127.0.0.1", port)
    with pytest.raises(CallError, match="cannot be listened on"):
        listen("no.such.host.invalid", 0)


def test_a_server_listens_on_ipv6_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        listening = listen("::1", 0)
    except CallError:
        pytest.skip("this machine has no IPv6 loopback")
    with listening:
        assert listening.family == socket.AF_INET6


def test_a_home_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="ariane init"):
        run(tmp_path / "absent", port=0)


def test_a_setting_that_is_none_is_named(tmp_path: Path) -> None:
    init(tmp_path)
    path = tmp_path / "ariane.toml"
    path.write_text("[serve]\nprot = 1\n")
    with pytest.raises(CallError, match=r"\[serve\] prot"):
        run(tmp_path, port=0)


def test_a_secret_that_others_can_read_is_refused(home: Path) -> None:
    (home / KEY_FILE).write_text("x" * 64)
    (home / KEY_FILE).chmod(0o644)
    with pytest.raises(ArianeError, match="chmod 600"):
        create_app(home)


@pytest.mark.slow
def test_a_server_prints_its_address_and_stops_when_told(home: Path) -> None:
    with served(home) as (url, process):
        with httpx.Client(base_url=url, timeout=60) as client:
            assert client.get("/v1/feeds/for-you").json()["items"] == []
            port = int(url.rpartition(":")[2])
            with pytest.raises(CallError, match="end what uses it"):
                run(home, port=port)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert process.returncode in (0, -signal.SIGTERM)


def test_a_refusal_tells_every_fault_where_they_are_few(api: Api) -> None:
    wrong = {"name": 1, "birth_year": 3, "country": "france", "shoe_size": 43}
    status, sentence = api.problem("PUT", "/v1/accounts/a", "operator", json=wrong)
    assert status == 422
    assert all(f"body.{key}: " in sentence for key in wrong)
    assert " more" not in sentence
    many = {f"k{number}": 0 for number in range(12)}
    _, sentence = api.problem("PUT", "/v1/accounts/a", "operator", json=many)
    assert sentence.count("body.k") == 10
    assert sentence.endswith("; and 2 more.")
