"""LangChain: the retriever over an application that is really served."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.ask.models import Writer
from tests.ask.test_ask import good
from tests.serve.test_chat import Make, listening, make, written

from ariane.langchain import ArianeRetriever
from ariane.types import ArianeError

__all__ = ["make", "written"]

pytestmark = pytest.mark.slow


def test_posts_come_as_documents_with_where_they_are(make: Make) -> None:
    writer = Writer(good)
    api = make(writer)
    with listening(api) as url:
        retriever = ArianeRetriever(url=url, token=api.token("vic"))
        found = retriever.invoke("what do people say about the tram?")
        assert {one.id for one in found} == {"tram", "late"}
        first = next(one for one in found if one.id == "tram")
        assert "twelve stops" in first.page_content
        assert first.metadata["source"] == f"{url}/p/tram"
        assert "soup" in {one.id for one in retriever.invoke("less soup")}  # a query is no wish
        assert retriever.invoke("the tram?\n" + "tram " * 200)
        assert {one.id for one in ArianeRetriever(url=url).invoke("tram")} >= {"muted"}
        with pytest.raises(ArianeError, match="401"):
            ArianeRetriever(url=url, token="forged").invoke("tram")
        assert api("GET", "/v1/wishes", "vic").json() == []
    assert writer.seen == []  # nobody pays for words that no document has
    with pytest.raises(ArianeError, match="cannot be asked"):
        retriever.invoke("tram")


@contextmanager
def another(body: bytes, seconds: float = 0.0, headers: int = 0) -> Iterator[str]:
    """A server that is none of Ariane's, which says this in four pieces, after such headers."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            with suppress(OSError):
                for number in range(headers):
                    self.send_header(f"X-{number}", "")
                    self.flush_headers()
                    time.sleep(seconds)
                self.end_headers()
                size = -(-len(body) // 4)
                for start in range(0, len(body), size):
                    self.wfile.write(body[start : start + size])
                    self.wfile.flush()
                    time.sleep(seconds)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("body", "seconds", "error"),
    [
        (b"<html>Sign in</html>", 0.0, "no server of Ariane"),
        (b'{"citations": [{"kind": "post"}]}', 0.0, "no server of Ariane"),
        (b"[]", 0.0, "no server of Ariane"),
        (b"[" * 100_000, 0.0, "no server of Ariane"),
        (b"x" * 2_000_000, 0.0, "too much"),
        (b"wxyz", 0.2, "too slowly|ReadTimeout"),
    ],
    ids=["page", "no citations", "list", "nested", "large", "slow"],
)
def test_what_is_no_answer_is_an_error_in_one_sentence(
    body: bytes, seconds: float, error: str
) -> None:
    with another(body, seconds) as url, pytest.raises(ArianeError, match=error):
        ArianeRetriever(url=url, timeout_seconds=0.3 if seconds else 30).invoke("tram")


def test_headers_that_trickle_are_not_waited_for() -> None:
    with another(b"{}", 0.2, headers=90) as url, pytest.raises(ArianeError, match="ReadTimeout"):
        ArianeRetriever(url=url, timeout_seconds=0.3).invoke("tram")


def test_an_address_that_is_none_is_an_error_in_one_sentence() -> None:
    with pytest.raises(ArianeError, match="cannot be asked"):
        ArianeRetriever(url="http://[").invoke("tram")
    with pytest.raises(ArianeError, match="cannot be asked"):
        ArianeRetriever(url="http://127.0.0.1:9", token="clé").invoke("tram")
