"""MCP: the tools, asked by the SDK's own client over stdin and stdout."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from tests.ask.conftest import furnished

pytestmark = pytest.mark.slow


def told(result: Any) -> Any:
    assert not result.is_error, result.content
    held = result.structured_content
    return held["result"] if set(held) == {"result"} else held


async def use(home: Path) -> None:
    command = ["-m", "ariane", "mcp", "vic", "--home", str(home)]
    server = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
    async with Client(server, read_timeout_seconds=240) as client:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == {"search_posts", "my_feed", "why", "ask"}
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
        found = told(await client.call_tool("search_posts", {"query": "the tram", "size": 5}))
        assert {post["id"] for post in found} == {"tram", "late"}  # vic muted the troll
        page = told(await client.call_tool("my_feed", {}))
        assert all(post["why"] for post in page["items"])
        about = {"request": page["request"], "post": page["items"][0]["id"]}
        reasons = told(await client.call_tool("why", about))
        assert reasons["citations"][0]["kind"] == "receipt"
        question = {"question": "how many stops will the tram have?"}
        answer = told(await client.call_tool("ask", question))
        assert "tram" in [one["id"] for one in answer["citations"]]
        assert "no AI" in answer["written"]
        wish = told(await client.call_tool("ask", {"question": "less politics"}))
        assert wish["wishes"] == ["topic:politics (not kept)"]
        assert (await client.call_tool("ask", {"question": ""})).is_error
    json.dumps(answer)


def test_a_program_searches_reads_and_asks_over_stdio(tmp_path: Path) -> None:
    engine = furnished(tmp_path / "home")
    asyncio.run(asyncio.wait_for(use(tmp_path / "home"), 500))
    assert engine.store.wishes("vic", 2_000_000_000_000) == ()
    engine.store.close()
