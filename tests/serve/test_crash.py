"""A server that is killed loses nothing that it had acknowledged."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pytest
from tests.serve.conftest import lines, post
from tests.serve.test_http import served

from ariane.engine import open_store
from ariane.serve.tokens import issue


@pytest.mark.slow
def test_kill_9_under_load_loses_nothing_acknowledged(home: Path) -> None:
    acknowledged: list[str] = []
    headers = {"Authorization": f"Bearer {issue(home, None)}"}

    def load(url: str, writer: int) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            for batch in range(10_000):
                names = [f"w{writer}-{batch}-{number}" for number in range(5)]
                body = lines(*[post(name) for name in names])
                try:
                    answer = client.post(
                        "/v1/posts", content=body["content"], headers=body["headers"] | headers
                    )
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    assert answer.json()["taken"] == 5
                    acknowledged.extend(names)

    for round_ in range(2):
        with served(home) as (url, process):
            writers = [
                threading.Thread(target=load, args=(url, 10 * round_ + number))
                for number in range(3)
            ]
            before = len(acknowledged)
            for writer in writers:
                writer.start()
            while len(acknowledged) < before + 100:
                time.sleep(0.01)
            process.kill()
            for writer in writers:
                writer.join()
    store = open_store(home)
    assert len(acknowledged) >= 200
    assert set(store.posts(acknowledged)) == set(acknowledged)
    store.close()
