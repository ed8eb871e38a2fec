"""Fetching: bounded in size, in time from first byte to last, and in where it may lead."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.server import Handler, Server, serving

from ariane.ingest import fetch as fetching
from ariane.ingest.fetch import REDIRECTS, fetch, is_public
from ariane.ingest.source import BrokenSourceError, WrongSourceError
from ariane.types import CallError

loopback = partial(fetch, allow_private=True, timeout=5)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as held:
        yield held


def test_a_body_comes_with_its_type_and_what_recognises_it(server: Server) -> None:
    url = server.serve("/a?b=1", b"body", content_type="text/csv", etag='"1"', last_modified="then")
    got = loopback(url)
    assert (got.url, got.body, got.content_type) == (url, b"body", "text/csv")
    assert (got.etag, got.modified, got.unchanged) == ('"1"', "then", False)
    path, headers = server.asked[0]
    assert path == "/a?b=1"
    assert headers["host"] == server.url.removeprefix("http://")
    assert headers["accept-encoding"] == "identity"


def test_what_has_not_changed_is_not_sent_again(server: Server) -> None:
    def answer(handler: Handler) -> None:
        same = handler.headers["If-None-Match"] == '"1"'
        handler.answer(b"" if same else b"body", 304 if same else 200, etag='"1"')

    url = server.route("/", answer)
    first = loopback(url)
    again = loopback(url, etag=first.etag, modified="then")
    assert (again.unchanged, again.body, again.etag) == (True, b"", '"1"')
    assert server.asked[1][1]["if-modified-since"] == "then"


@pytest.mark.parametrize("etag", ['"é"', '"日"', "a\nb", " "])
def test_whatever_a_server_said_recognises_its_answer_it_is_asked_again(
    server: Server, etag: str
) -> None:
    url = server.serve("/", b"body")
    assert loopback(url, etag=etag, modified=etag).body == b"body"
    sent = server.asked[0][1]
    assert (sent.get("if-none-match"), sent.get("if-modified-since")) == (
        (etag, etag) if etag == '"é"' else (None, None)
    )


@pytest.mark.parametrize("told", [True, False], ids=["length", "no length"])
def test_a_body_over_the_limit_is_refused(server: Server, told: bool) -> None:
    sent = threading.Event()

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        if told:
            handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        try:
            for _ in range(10_000):
                handler.wfile.write(b"x" * 10_000)
            sent.set()
        except OSError:
            pass  # the reader hung up

    url = server.route("/", answer)
    with pytest.raises(BrokenSourceError, match=r"is larger than 1,000 bytes; download it"):
        loopback(url, limit_bytes=1_000)
    assert not sent.is_set()
    assert len(loopback(server.serve("/b", b"x" * 1_000), limit_bytes=1_000).body) == 1_000


@pytest.mark.parametrize("part", ["silence", "headers", "body"])
def test_a_server_that_trickles_is_left_at_the_deadline(server: Server, part: str) -> None:
    over = threading.Event()

    def answer(handler: Handler) -> None:
        if part == "body":
            handler.send_response(200)
            handler.end_headers()
        try:
            while not over.wait(0.05):
                if part != "silence":
                    handler.wfile.write(b"H")
                    handler.wfile.flush()
        except OSError:
            pass

    url = server.route("/", answer)
    with pytest.raises(BrokenSourceError, match=r"did not answer whole within 0\.4 seconds"):
        fetch(url, timeout=0.4, allow_private=True)
    over.set()


@pytest.mark.parametrize("status", [404, 500, 204])
def test_an_answer_that_is_no_body_is_named(server: Server, status: int) -> None:
    url = server.route("/", lambda handler: handler.answer(b"", status))
    with pytest.raises(BrokenSourceError, match=f"answered {status}; check the address"):
        loopback(url)


def test_a_compressed_answer_that_was_not_asked_for_is_refused(server: Server) -> None:
    url = server.serve("/", b"\x1f\x8b", content_encoding="gzip")
    with pytest.raises(BrokenSourceError, match="answers compressed although asked not to"):
        loopback(url)


def test_a_server_that_hangs_up_or_is_not_there_is_named(server: Server) -> None:
    url = server.route("/", lambda handler: handler.connection.close())
    with pytest.raises(BrokenSourceError, match="cannot be fetched"):
        loopback(url)
    with socket.socket() as held:  # bound, and not listening
        held.bind(("127.0.0.1", 0))
        with pytest.raises(BrokenSourceError, match="cannot be fetched"):
            loopback(f"http://127.0.0.1:{held.getsockname()[1]}/")
    with pytest.raises(BrokenSourceError, match=r"nowhere\.invalid has no address"):
        loopback("http://nowhere.invalid/")


def redirect(to: str, status: int = 302) -> Any:
    return lambda handler: handler.answer(b"", status, location=to)


def test_redirects_are_followed_to_the_last_address_but_not_for_ever(server: Server) -> None:
    for count in range(REDIRECTS + 1):
        server.route(f"/{count}", redirect(f"/{count + 1}", (301, 302, 303, 307, 308)[count % 5]))
    server.serve(f"/{REDIRECTS}", b"body")
    got = loopback(f"{server.url}/0")
    assert (got.body, got.url) == (b"body", f"{server.url}/{REDIRECTS}")
    server.route("/loop", redirect("/loop"))
    with pytest.raises(BrokenSourceError, match="redirects more than 5 times"):
        loopback(f"{server.url}/loop")
    for number, wrong in enumerate(("/" + "x" * 65_600, "http://[::1/", "//xn--/")):
        url = server.route(f"/wrong{number}", redirect(wrong))
        with pytest.raises(BrokenSourceError, match="no URL"):
            loopback(url)
    server.route("/blank", lambda handler: handler.answer(b"", 302))
    with pytest.raises(BrokenSourceError, match="redirects without saying where"):
        loopback(f"{server.url}/blank")


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("file:///etc/passwd", "is no http or https URL"),
        ("ftp://example.org/", "is no http or https URL"),
        ("http://", "is no http or https URL"),
        ("http://a:b@example.org/", "with a password"),
        ("http://exa mple.org/\n", "is no"),
        ("http://[::1/", "is no URL"),
        ("http://xn--/", "is no URL"),
        ("http://127.0.0.1:65536/", "is no http or https URL"),
        ("http://127.0.0.1/", "is at no public address"),
        ("http://localhost/", "is at no public address"),
        ("http://2130706433/", "is at no public address"),
        ("http://[::1]:80/", "is at no public address"),
        ("http://[::ffff:10.0.0.1]/", "is at no public address"),
        ("http://169.254.169.254/latest/meta-data", "is at no public address"),
    ],
)
def test_where_a_fetch_may_not_lead_is_a_wrong_call(url: str, error: str) -> None:
    with pytest.raises(WrongSourceError, match=error) as caught:
        fetch(url, timeout=5)
    assert isinstance(caught.value, CallError)
    assert "a:b" not in str(caught.value)


def resolving(monkeypatch: pytest.MonkeyPatch, **names: list[str]) -> list[str]:
    """Resolve these names so, each answer used up in turn; the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: str | bytes, port: int, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        key = name.partition(".")[0]
        if key not in names:
            return real(host, port, *rest, **more)
        asked.append(name)
        given = names[key].pop(0) if len(names[key]) > 1 else names[key][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in given.split()]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def test_a_redirect_into_the_private_network_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first address passes as public; what it redirects to does not."""
    port = server.server_address[1]
    server.route("/", redirect(f"http://inner.test:{port}/secret"))
    server.serve("/secret", b"secret")
    resolving(monkeypatch, outer=["127.0.0.1"], inner=["127.0.0.2"])
    monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
    with pytest.raises(WrongSourceError, match=r"leads to inner\.test, which is at no public"):
        fetch(f"http://outer.test:{port}/", timeout=5)
    assert [path for path, _ in server.asked] == ["/"]


def test_a_name_that_changes_its_address_after_the_check_gains_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name resolves to a good address once, then to a bad one: it is resolved once."""
    port = server.server_address[1]
    server.serve("/", b"good")
    asked = resolving(monkeypatch, rebinding=["127.0.0.1", "127.0.0.9"])
    monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
    assert fetch(f"http://rebinding.test:{port}/", timeout=5).body == b"good"
    assert asked == ["rebinding.test"]


def test_of_several_addresses_only_the_good_ones_are_tried_each_in_turn(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.server_address[1]
    server.serve("/", b"good")
    resolving(monkeypatch, many=["127.0.0.3 127.0.0.9 127.0.0.1"])
    monkeypatch.setattr(fetching, "is_public", lambda address: address != "127.0.0.9")
    assert fetch(f"http://many.test:{port}/", timeout=5).body == b"good"


def test_a_resolver_that_hangs_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    with pytest.raises(BrokenSourceError, match="did not answer whole"):
        fetch("http://slow.example/", timeout=0.2)
    over.set()


def test_a_certificate_of_another_is_refused_and_https_never_becomes_http(
    server: Server, monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, Path]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://localhost:{server.server_address[1]}"
    server.serve("/", b"body")
    server.route("/down", redirect("http://example.org/"))
    with pytest.raises(BrokenSourceError, match="CERTIFICATE_VERIFY_FAILED"):
        loopback(f"{url}/")
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    monkeypatch.setattr(fetching, "_tls", lambda: trusting)
    assert loopback(f"{url}/").body == b"body"
    with pytest.raises(BrokenSourceError, match="redirects from https to http"):
        loopback(f"{url}/down")
    with pytest.raises(BrokenSourceError, match="CERTIFICATE_VERIFY_FAILED"):
        loopback(f"{url.replace('localhost', '127.0.0.1')}/")


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.16.0.1"),
        *("192.168.1.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fc00::1"),
        *("fe80::1%eth0", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:7f00:1::"),
        *("2001:db8::1", "2001:1::1", "fec0::1", "3fff::1", "5f00::1", "4000::1", "::8.8.8.8"),
        *("64:ff9b:1::8.8.8.8", "::ffff:0:8.8.8.8", "100::1", "2002:0a00:0001::1"),
    ],
)
def test_an_address_that_is_not_on_the_public_internet_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_carried_in_another_is_judged_the_same(ip: ipaddress.IPv4Address) -> None:
    for carrier in (f"::ffff:{ip}", f"64:ff9b::{ip}"):
        assert is_public(carrier) == is_public(str(ip))
