"""LangChain: the posts that a server's answers cite, as documents."""

from __future__ import annotations

import json
import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

import httpx
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import SecretStr

from ariane.types import ArianeError

LONGEST: Final = 500
"""Characters of a query that are asked."""

MOST_BYTES: Final = 1_000_000
"""Bytes of an answer that are read."""


class ArianeRetriever(BaseRetriever):
    """Posts of a server's feed about a query, best first, as the token's viewer may see them.

    Each is the words that say most about the query, with the post's `id`, `author` and `source`
    (its page). No language model words anything for it, and a wish is answered as a question.
    Raises ArianeError where the server refuses, or is none of Ariane's.
    """

    url: str
    """The server's address, such as http://127.0.0.1:8000."""

    token: SecretStr | None = None
    """A token of `ariane token`; none is anonymous."""

    timeout_seconds: float = 60.0
    """The longest that an answer may take."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        question = {"question": " ".join(query.split())[:LONGEST], "keep": False, "words": False}
        address = f"{self.url.rstrip('/')}/v1/ask"
        status, body = self._in_time(address, question)
        if status != httpx.codes.OK:
            said = body[:300].decode("utf-8", "replace")
            raise ArianeError(f"{address} refused ({status}): {said}")
        try:
            cited = [one for one in json.loads(body)["citations"] if one["kind"] == "post"]
            return [self._document(one) for one in cited]
        except (ValueError, TypeError, LookupError, RecursionError):
            raise ArianeError(
                f"{address} is no server of Ariane: it answers something else."
            ) from None

    def _in_time(self, address: str, question: dict[str, Any]) -> tuple[int, bytes]:
        """The status and the body; a thread that is given up holds up nobody, nor the process."""
        told = SimpleQueue[tuple[int, bytes] | Exception]()

        def run() -> None:
            try:
                told.put(self._posted(address, question))
            except Exception as error:  # told to the one who waits
                told.put(error)

        Thread(target=run, name="ariane-ask", daemon=True).start()
        try:
            answer = told.get(timeout=self.timeout_seconds)
        except Empty:
            answer = httpx.ReadTimeout("")
        if isinstance(answer, httpx.HTTPError | httpx.InvalidURL | UnicodeError):
            reason = type(answer).__name__
            raise ArianeError(f"{address} cannot be asked ({reason}); see that it runs.")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _posted(self, address: str, question: dict[str, Any]) -> tuple[int, bytes]:
        token = self.token.get_secret_value() if self.token else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        end = time.monotonic() + self.timeout_seconds
        body = bytearray()
        with httpx.stream(
            "POST", address, json=question, headers=headers, timeout=self.timeout_seconds
        ) as answer:
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > MOST_BYTES or time.monotonic() > end:
                    raise ArianeError(f"{address} answers too much or too slowly; ask for less.")
        return answer.status_code, bytes(body)

    def _document(self, cited: dict[str, Any]) -> Document:
        source = self.url.rstrip("/") + cited["path"]
        about = {"id": cited["id"], "author": cited["author"], "source": source}
        return Document(page_content=cited["quote"], metadata=about, id=cited["id"])
