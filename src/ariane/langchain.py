"""LangChain: the posts that a server's answers cite, as documents."""

from __future__ import annotations

from typing import Any

import httpx
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import SecretStr

from ariane.types import ArianeError


class ArianeRetriever(BaseRetriever):
    """Posts of a server's feed about a query, best first, as the token's viewer may see them.

    Each is the words that say most about the query, with the post's `id`, `author` and `source`
    (its page). A wish in the query is not kept. Raises ArianeError where the server refuses.
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
        cited = self._asked({"question": query, "keep": False})["citations"]
        return [self._document(one) for one in cited if one["kind"] == "post"]

    def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        token = self.token.get_secret_value() if self.token else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{self.url.rstrip('/')}/v1/ask"
        try:
            answer = httpx.post(
                address, json=question, headers=headers, timeout=self.timeout_seconds
            )
        except httpx.HTTPError as error:
            reason = type(error).__name__
            raise ArianeError(f"{address} cannot be asked ({reason}); see that it runs.") from None
        if answer.status_code != httpx.codes.OK:
            raise ArianeError(f"{address} refused ({answer.status_code}): {answer.text[:300]}")
        told: dict[str, Any] = answer.json()
        return told

    def _document(self, cited: dict[str, Any]) -> Document:
        source = self.url.rstrip("/") + cited["path"]
        about = {"id": cited["id"], "author": cited["author"], "source": source}
        return Document(page_content=cited["quote"], metadata=about, id=cited["id"])
