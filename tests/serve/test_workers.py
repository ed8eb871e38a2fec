"""Workers: what cannot begin soon is refused, what takes too long is given up, nothing leaks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from ariane.serve.leaving import Leaving
from ariane.serve.problems import Refusal
from ariane.serve.workers import Workers


def test_a_job_gives_its_result_or_its_error() -> None:
    async def main() -> None:
        workers = Workers("t", 2, 2, 10)
        assert await workers.run(None, pow, 2, 5) == 32
        with pytest.raises(ZeroDivisionError):
            await workers.run(None, divmod, 1, 0)
        with pytest.raises(TimeoutError):  # the job's own, not the pool's
            await workers.run(None, _raise_timeout)
        assert workers.held == 0
        workers.close()

    asyncio.run(main())


def _raise_timeout() -> None:
    raise TimeoutError


def test_one_job_more_than_the_queue_is_refused() -> None:
    async def main() -> None:
        go = threading.Event()
        workers = Workers("t", 1, 2, 10)
        jobs = [asyncio.create_task(workers.run(None, go.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as caught:
            await workers.run(None, go.wait)
        assert caught.value.status == 503
        assert int(caught.value.headers["Retry-After"]) >= 1
        go.set()
        assert await asyncio.gather(*jobs) == [True] * 3
        assert await workers.run(None, go.wait)
        workers.close()

    asyncio.run(main())


def test_a_slow_job_is_given_up_but_holds_its_place() -> None:
    async def main() -> None:
        go = threading.Event()
        workers = Workers("t", 1, 0, 0.05)
        with pytest.raises(Refusal, match=r"more than 0\.05 seconds"):
            await workers.run(None, go.wait)
        with pytest.raises(Refusal, match="too much work"):
            await workers.run(None, go.wait)
        go.set()
        while workers.held:
            await asyncio.sleep(0.01)
        assert await workers.run(None, pow, 2, 2) == 4
        workers.close()

    asyncio.run(main())


def test_a_job_that_waited_too_long_never_begins() -> None:
    async def main() -> None:
        go, begun = threading.Event(), []
        workers = Workers("t", 1, 1, 0.05)
        first = asyncio.create_task(workers.run(None, go.wait))
        second = asyncio.create_task(workers.run(None, begun.append, 1))
        refused = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(one) for one in refused] == [Refusal, Refusal]
        go.set()
        workers.close()
        assert begun == []
        assert workers.held == 0

    asyncio.run(main())


def test_a_client_has_its_share_of_the_threads_and_no_more() -> None:
    async def main() -> None:
        go, begun = threading.Event(), []
        workers = Workers("t", 4, 4, 10)

        def job(name: str) -> str:
            begun.append(name)
            go.wait()
            return name

        mine = [asyncio.create_task(workers.run("a", job, "a")) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="this client") as caught:
            await workers.run("a", job, "a")
        assert caught.value.status == 429
        others = [asyncio.create_task(workers.run(name, job, "b")) for name in ("b", None)]
        while len(begun) < 4:
            await asyncio.sleep(0.01)
        assert sorted(begun) == ["a", "a", "b", "b"]
        go.set()
        assert await asyncio.gather(*mine, *others) == ["a"] * 4 + ["b"] * 2
        assert await asyncio.gather(*[workers.run("a", job, "a") for _ in range(3)]) == ["a"] * 3
        workers.close()
        assert workers.held == 0
        assert workers._turns._lines == {}

    asyncio.run(main())


def test_a_turn_that_is_given_up_is_no_turn_lost() -> None:
    async def main() -> None:
        go = threading.Event()
        workers = Workers("t", 2, 4, 0.05)
        waiting = [asyncio.create_task(workers.run("a", go.wait)) for _ in range(3)]
        refused = await asyncio.gather(*waiting, return_exceptions=True)
        assert [getattr(one, "status", None) for one in refused] == [503] * 3
        go.set()
        while workers.held:
            await asyncio.sleep(0.01)
        assert await workers.run("a", go.wait)
        workers.close()

    asyncio.run(main())


def test_a_closed_pool_refuses() -> None:
    async def main() -> None:
        workers = Workers("t", 1, 1, 1)
        workers.close()
        with pytest.raises(Refusal, match="shutting down"):
            await workers.run("a", time.time)
        assert workers.held == 0

    asyncio.run(main())


def test_jobs_that_wait_for_somebody_else_are_left_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ariane.serve.leaving.GRACE_SECONDS", 0.05)

    async def main() -> None:
        never = threading.Event()
        workers = Workers("t", 2, 0, 60, pool=Leaving("t"))
        assert await workers.run("a", pow, 2, 5) == 32
        with pytest.raises(ZeroDivisionError):
            await workers.run("a", divmod, 1, 0)
        hanging = asyncio.create_task(workers.run("a", never.wait))
        await asyncio.sleep(0)
        await asyncio.to_thread(workers.close)
        assert not hanging.done()
        with pytest.raises(Refusal, match="shutting down"):
            await workers.run(None, time.time)
        never.set()
        assert await hanging

    asyncio.run(main())


def test_a_job_that_is_left_keeps_no_process() -> None:
    code = (
        "import threading; from ariane.serve.leaving import Leaving\n"
        "Leaving('t').submit(threading.Event().wait)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
