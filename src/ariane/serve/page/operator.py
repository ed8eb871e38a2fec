"""The operator's page: what is held, how fast answers are, what is removed, which model is live."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ariane.engine import Engine
from ariane.report.algorithm import algorithm
from ariane.report.markdown import model_sentences
from ariane.report.words import RULES, numbered
from ariane.serve.metrics import Latency, Metrics
from ariane.serve.page.errors import Told
from ariane.serve.page.moments import iso
from ariane.serve.page.render import html, render, show, tab
from ariane.serve.page.visit import Visit, Visiting
from ariane.serve.service import Serving, now

router = APIRouter(include_in_schema=False)

ROUTES: Final = 12
"""Routes whose times are shown, the most asked for first."""

HOUSEKEEPING: Final = ("/static/{name}", "/metrics", "/v1/health/live", "none")
"""Routes that say nothing of the feed."""

RULE_NAMES: Final = {"hides-from-algorithms": "hides", "members-only": "members"}
"""Verdicts whose name is not their rule's."""


@dataclass(frozen=True, slots=True)
class Removal:
    """How often one rule or policy took a candidate out."""

    title: str
    policy: str
    of_reader: bool
    count: str


@router.get("/operator")
async def operator(serving: Serving, visit: Visiting, *, live: bool = True) -> Response:
    """How the feed fares; the figures alone for a script that keeps them fresh while `live`."""
    if visit.asking.role == "nobody":
        return RedirectResponse("/sign-in?to=/operator", 303)
    if visit.asking.role != "operator":
        raise Told(403, "op.only")

    def job(engine: Engine) -> HTMLResponse:
        values = _figures(engine, visit) | {"live": live}
        if visit.fragment:
            return html(render(visit, "operator_part.html", **values))
        return show(engine, visit, "operator.html", here="operator/", **values)

    return await serving.work(job)


def _figures(engine: Engine, visit: Visit) -> dict[str, Any]:
    """All that the page tells."""
    language, metrics = visit.language, visit.serving.metrics
    counts = visit.serving.counted(engine.store)
    told = algorithm(engine)
    number = partial(numbered, language)
    figures = told.model.figures if told.model else None
    return {
        "at": iso(now())[11:19] + " UTC",
        "counts": {
            "posts": number("{n:,}", n=counts.posts),
            "read": number("{n:,}", n=counts.posts - counts.unread),
            "unread": number("{n:,}", n=counts.unread),
            "accounts": number("{n:,}", n=counts.accounts),
            "viewers": number("{n:,}", n=counts.viewers),
            "actions": number("{n:,}", n=counts.actions),
            "served": number("{n:,}", n=counts.served),
        },
        "latencies": [
            (row.route, number("{n:,}", n=row.requests), _milliseconds(row, language))
            for row in metrics.latencies()
            if row.route not in HOUSEKEEPING
        ][:ROUTES],
        "errors": number("{n:,}", n=_errors(metrics)),
        "removals": _removals(engine, metrics, language),
        "model": model_sentences(told, language),
        "ahead": [
            (name, number("{low:+.3f} … {high:+.3f}", low=ahead["auc"][0], high=ahead["auc"][2]))
            for name, ahead in ((figures or {}).get("differences") or {}).items()
            if ahead.get("auc")
        ],
        "retriever": engine.store.promoted("retriever"),
        "feeds": _feeds(engine, metrics, language),
    }


def _milliseconds(row: Latency, language: str) -> list[str]:
    return [
        numbered(language, "{ms:,.0f} ms", ms=1000 * seconds)
        for seconds in (row.p50, row.p95, row.p99)
    ]


def _errors(metrics: Metrics) -> int:
    """Answers of 5xx."""
    rows = metrics.counted(metrics.requests)
    return sum(count for labels, count in rows if labels["status"].startswith("5"))


def _removals(engine: Engine, metrics: Metrics, language: str) -> list[Removal]:
    """What took candidates out of feeds, the most frequent first."""
    titles = {policy.name: policy.title[language] for policy in engine.policies}
    found = []
    for labels, count in metrics.counted(metrics.removed):
        policy = labels["policy"]
        name = policy.partition("@")[0]
        rule = RULES.get(RULE_NAMES.get(name, name))
        title = titles.get(policy) or (rule[language == "fr"] if rule else name)
        times = numbered(language, "{n:,}", n=count)
        found.append(Removal(title, policy, policy not in titles, times))
    return found


def _feeds(engine: Engine, metrics: Metrics, language: str) -> list[tuple[str, str, str]]:
    """Every feed: its title, where it is, and how many of its pages were served."""
    served: dict[str, int] = {}
    for labels, count in metrics.counted(metrics.feeds):
        served[labels["feed"]] = served.get(labels["feed"], 0) + count
    tabs = [(name, tab(spec, language)) for name, spec in engine.feeds.items()]
    return [
        (one.title, one.href, numbered(language, "{n:,}", n=served.get(name, 0)))
        for name, one in tabs
    ]
