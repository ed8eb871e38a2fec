"""How this feed works: the report on the algorithm as a page, from the engine that is live."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter
from starlette.responses import HTMLResponse, JSONResponse

from ariane.engine import Engine
from ariane.report.algorithm import Algorithm, algorithm
from ariane.report.markdown import (
    heading,
    importance_sentence,
    loss_in_words,
    model_sentences,
    values_sentence,
)
from ariane.report.words import numbered
from ariane.serve.page.render import show
from ariane.serve.page.visit import Visiting
from ariane.serve.service import Serving

router = APIRouter(include_in_schema=False)

SECTIONS = ("stages", "importances", "values", "inputs", "absent", "options", "feeds", "model")
"""The sections, in the order in which they are read."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A name with a figure, and how long its bar is (0 to 100); `low` to `high` is its interval."""

    title: str
    figure: str
    share: float
    minus: bool = False
    why: str = ""
    low: float = 0.0
    high: float = 0.0


@router.get("/how")
async def how(serving: Serving, visit: Visiting) -> HTMLResponse:
    """How this feed works: stages, what weighs most, values, inputs, what one can change."""

    def job(engine: Engine) -> HTMLResponse:
        told, language = algorithm(engine), visit.language
        return show(
            engine,
            visit,
            "how.html",
            here="how/",
            algorithm=told,
            parts=[part for part in SECTIONS if told.model or part not in ("model", "inputs")],
            head=partial(heading, language=language),
            model=model_sentences(told, language),
            importances=importance_bars(told, language),
            measured=importance_sentence(told, language),
            values=value_bars(told, language),
            values_are=values_sentence(told, language),
        )

    return await serving.work(job)


@router.get("/how.json")
async def how_json(serving: Serving) -> JSONResponse:
    """The same document as data, in both languages."""
    return JSONResponse(await serving.work(lambda engine: algorithm(engine).json()))


def importance_bars(told: Algorithm, language: str) -> list[Bar]:
    """What each group of inputs is worth, on one scale from nothing to the largest interval's end.

    A loss below nothing has no bar.
    """
    losses = [one.loss for one in told.importances if one.loss]
    most = max((loss[2] for loss in losses), default=0.0) or 1.0

    def share(value: float) -> float:
        return round(100 * min(max(value, 0.0), most) / most, 1)

    return [
        Bar(
            one.title[language],
            loss_in_words(one, language),
            share(one.loss[1]) if one.loss else 0.0,
            why=one.why[language],
            low=share(one.loss[0]) if one.loss else 0.0,
            high=share(one.loss[2]) if one.loss else 0.0,
        )
        for one in told.importances
    ]


def value_bars(told: Algorithm, language: str) -> list[Bar]:
    """What each action is worth, the highest first; bars are as long as the values are large."""
    most = max((abs(worth.value) for worth in told.values), default=0.0) or 1.0
    return [
        Bar(
            worth.title[language],
            numbered(language, "{value:+g}", value=worth.value),
            round(100 * abs(worth.value) / most, 1),
            minus=worth.value < 0,
        )
        for worth in sorted(told.values, key=lambda one: -one.value)
    ]
