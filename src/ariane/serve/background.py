"""Background: new posts are read and indexed, and a newly promoted model is taken up."""

from __future__ import annotations

import logging
import threading
import time

from ariane.engine import Engine
from ariane.read import read
from ariane.serve.live import Live
from ariane.serve.metrics import Metrics
from ariane.serve.resting import Resting

log = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0
"""Seconds between two tries while every try fails."""

RETAIN_SECONDS = 3600.0


class _Stop(Exception):
    """The server is going down."""


class Background:
    """One thread beside the requests; whatever fails in it is counted and tried again later."""

    def __init__(self, live: Live, metrics: Metrics, seconds: float) -> None:
        self._live, self._metrics, self._seconds = live, metrics, seconds
        self._due = threading.Event()
        self._ending = False
        self._resting = Resting()
        self._retained = 0.0
        self._thread = threading.Thread(target=self._run, name="ariane-background", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something was written: take it in now."""
        self._due.set()

    def stop(self) -> None:
        """End, after the batch that is being read."""
        self._ending = True
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._seconds
        while not self._ending:
            try:
                self.turn()
                pause = self._seconds
            except _Stop:
                return
            except Exception:
                self._metrics.background_failures.inc()
                log.exception("new posts could not be read; the next try is in %g s", pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                self._due.clear()
            self._due.wait(pause)

    def turn(self) -> None:
        """Read what is unread, let the indexes follow, then take up a promoted model.

        In this order, so that a model which cannot be loaded keeps no post from being read. Once
        an hour the store forgets what it is to keep no longer.
        """
        self._due.clear()
        with self._live.engine() as engine:
            self._read(engine)
            engine.refresh()
            self._retain(engine)
        if self._live.stale():
            engine = self._live.reload()
            self._metrics.engine_loads.inc()
            log.info("now serving %s", engine.ranker.name)

    def _read(self, engine: Engine) -> None:
        rested = self._resting.now()
        aside = set(rested)
        count = read(
            engine.store,
            engine.reader,
            engine.classify,
            progress=lambda _: self._go_on(),
            aside=aside,
        )
        self._resting.settle(rested, aside)
        self._metrics.posts_read.inc(count)
        self._metrics.posts_unreadable.set(len(self._resting))

    def _retain(self, engine: Engine) -> None:
        now = time.time()
        if now - self._retained < RETAIN_SECONDS:
            return
        self._retained = now  # also where it fails: it is tried again an hour later
        if forgotten := engine.store.retain(round(now * 1000)):
            log.info("%d old actions and receipts are forgotten", forgotten)

    def _go_on(self) -> None:
        if self._ending:
            raise _Stop
