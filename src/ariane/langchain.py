"""LangChain: the posts that a server's answers cite, as documents."""

from __future__ import annotations

import json
import time
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
    """The longest that an answer may take; one that trickles and then stalls may take twice."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        question = {"question": " ".join(query.split())[:LONGEST], "keep": False, "words": False}
        cited = self._asked(question)["citations"]
        return [self._document(one) for one in cited if one["kind"] == "post"]

    def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        token = self.token.get_secret_value() if self.token else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{self.url.rstrip('/')}/v1/ask"
        end = time.monotonic() + self.timeout_seconds
        body = bytearray()
        try:
            with httpx.stream(
                "POST", address, json=question, headers=headers, timeout=self.timeout_seconds
            ) as answer:
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES or time.monotonic() > end:
                        raise ArianeError(
                            f"{address} answers too much or too slowly; ask for less."
                        )
            told = json.loads(body)
        except httpx.HTTPError as error:
            reason = type(error).__name__
            raise ArianeError(f"{address} cannot be asked ({reason}); see that it runs.") from None
        except (ValueError, RecursionError):
            told = None
        if answer.status_code != httpx.codes.OK:
            said = body[:300].decode("utf-8", "replace")
            raise ArianeError(f"{address} refused ({answer.status_code}): {said}")
        if not isinstance(told, dict) or "citations" not in told:
            raise ArianeError(f"{address} is no server of Ariane: it answers something else.")
        return told

    def _document(self, cited: dict[str, Any]) -> Document:
        source = self.url.rstrip("/") + cited["path"]
        about = {"id": cited["id"], "author": cited["author"], "source": source}
        return Document(page_content=cited["quote"], metadata=about, id=cited["id"])
