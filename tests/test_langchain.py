"""LangChain: the retriever over an application that is really served."""

from __future__ import annotations

import pytest
from tests.serve.test_chat import Make, listening, make, written

from ariane.langchain import ArianeRetriever
from ariane.types import ArianeError

__all__ = ["make", "written"]

pytestmark = pytest.mark.slow


def test_posts_come_as_documents_with_where_they_are(make: Make) -> None:
    api = make()
    with listening(api) as url:
        retriever = ArianeRetriever(url=url, token=api.token("vic"))
        found = retriever.invoke("what do people say about the tram?")
        assert {one.id for one in found} == {"tram", "late"}
        first = next(one for one in found if one.id == "tram")
        assert "twelve stops" in first.page_content
        assert first.metadata["source"] == f"{url}/p/tram"
        assert retriever.invoke("less politics") == []
        assert {one.id for one in ArianeRetriever(url=url).invoke("tram")} >= {"muted"}
        with pytest.raises(ArianeError, match="401"):
            ArianeRetriever(url=url, token="forged").invoke("tram")
        assert api("GET", "/v1/wishes", "vic").json() == []
    with pytest.raises(ArianeError, match="cannot be asked"):
        retriever.invoke("tram")
