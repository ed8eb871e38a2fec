"""The ladder of degradation: a ranker that fails costs its quality, never the feed."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from ariane.types import PREDICTED, ArianeError, Ask, CallError, Candidate, Forecast, Ranker, Viewer

log = logging.getLogger(__name__)


class Ladder:
    """Asks each rung in turn until one answers in numbers; `Forecast.model` names which."""

    def __init__(self, rungs: Sequence[Ranker]) -> None:
        if not rungs:
            raise CallError("A ladder of no rungs ranks nothing: give it at least one ranker.")
        self.rungs = tuple(rungs)
        self.name = self.rungs[0].name

    def forecast(self, ask: Ask, viewer: Viewer, candidates: Sequence[Candidate]) -> Forecast:
        """The first rung's forecast that is finite and complete.

        A feed in order of time asks the last rung alone: no forecast would move a post. Raises
        ArianeError where every rung fails.
        """
        failed = []
        for rung in self.rungs[-1:] if ask.feed.order == "latest" else self.rungs:
            try:
                forecast = rung.forecast(ask, viewer, candidates)
            except Exception as error:  # whatever it is, the next rung may still answer
                failed.append(f"{rung.name}: {error}")
            else:
                fault = _fault(forecast, len(candidates))
                if fault is None:
                    return forecast
                failed.append(f"{rung.name}: {fault}")
            log.warning("A ranker failed and the next rung is asked (%s)", failed[-1])
        raise ArianeError(f"Every ranker failed ({'; '.join(failed)}): train one again.")


def _fault(forecast: Forecast, candidates: int) -> str | None:
    """What makes a forecast unfit to be ranked by."""
    shape = (candidates, len(PREDICTED))
    if forecast.probabilities.shape != shape:
        return f"its forecast has shape {forecast.probabilities.shape} instead of {shape}"
    if not (np.isfinite(forecast.probabilities).all() and np.isfinite(forecast.seconds).all()):
        return "its forecast is not finite"
    return None
