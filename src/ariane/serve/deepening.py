"""Deepening: while the server runs, the language model reads on, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time

from ariane.read.deepen import deepen
from ariane.serve.live import Live
from ariane.serve.metrics import Metrics
from ariane.serve.resting import Resting

log = logging.getLogger(__name__)

HOUR = 3600.0
IDLE = 30.0
"""Seconds until it is looked again for posts to read."""

LONGEST_PAUSE = 600.0
"""Seconds between two tries while there is no model, or it gives nothing."""


class Deepening:
    """Reads a few posts at a time, so many an hour; no request and no other post waits for it."""

    def __init__(self, live: Live, metrics: Metrics, seconds: float) -> None:
        self._live, self._metrics, self._seconds = live, metrics, seconds
        self._ending = threading.Event()
        self._resting = Resting()
        self._row = 0
        self._thread = threading.Thread(target=self._run, name="ariane-deepening", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; the questions that are under way end with the process, if their model is slow."""
        self._ending.set()
        self._thread.join(self._seconds)

    def _run(self) -> None:
        pause = self._seconds
        while not self._ending.wait(pause):
            try:
                pause = self.turn()
            except Exception:
                if self._ending.is_set():  # its store is closed by now
                    return
                self._metrics.background_failures.inc()
                log.exception("posts could not be read by the language model")
                pause = min(2 * pause, LONGEST_PAUSE)

    def turn(self) -> float:
        """Read as many posts as are asked at once; the seconds until the next turn.

        So many an hour are tried, whatever becomes of them: what fails may have been paid for.
        """
        with self._live.engine() as engine:
            reader, settings = engine.deeper, engine.settings
            if reader is None:
                return LONGEST_PAUSE
            together = settings.llm.together
            rested = self._resting.now()
            done = deepen(
                engine.store,
                reader,
                at=round(time.time() * 1000),
                most=together,
                together=together,
                aside=rested,
                row=self._row,
            )
        self._row = done.row
        self._resting.settle(rested, rested | done.failed.keys())
        self._metrics.posts_deepened.inc(done.read)
        self._metrics.posts_not_deepened.inc(len(done.failed))
        if done.failed and (done.stopped or not done.read):
            log.warning("the language model reads later: %s", next(reversed(done.failed.values())))
            return LONGEST_PAUSE
        tried = done.read + len(done.failed)
        return HOUR * tried / settings.read.deepen if tried else IDLE
