"""A result as one HTML page that needs nothing else: no script, no font, no request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from ariane.evaluate.trial import METRICS

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #8886; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: currentColor; }
"""

_NAMES = {
    "ranker": "Ranker",
    "random": "Random",
    "popularity": "Popularity, live",
    "recency": "Newest first",
    "knn": "Signed item-kNN, frozen",
    "logistic": "Logistic regression, popularity live",
    "knn_live": "Signed item-kNN, similarities live",
    "logistic_live": "Logistic regression, all live",
}


def page(result: Mapping[str, Any]) -> str:
    """The result's tables and intervals as an HTML document."""
    parts = [
        "<h1>Replay: the ranker and its baselines</h1>",
        _protocol(result["protocol"]),
        _methods(result),
        *(_plot(result["differences"], metric) for metric in METRICS),
        *(_reading(name, pair) for name, pair in result["reading"].items()),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Replay</title>\n<style>{_STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"
    )


def _protocol(protocol: Mapping[str, Any]) -> str:
    shown, viewers = protocol["exposures"], protocol["viewers"]
    counted = ", ".join(f"{viewers[metric]:,} viewers for {metric}" for metric in METRICS)
    latest = datetime.fromtimestamp(max(protocol["until"].values()) / 1000, UTC)
    return (
        f"<p>Kind of action: <b>{escape(protocol['kind'])}</b>. {shown['train']:,} exposures up to "
        f"the cuts of {len(protocol['until'])} sources (the last one on {latest:%Y-%m-%d}), "
        f"{shown['test']:,} after them, {protocol['sampled']:,} of these sampled, without "
        f"{protocol['own']:,} to viewers' own posts; {counted}. "
        f"Intervals are of 95 %, from {protocol['draws']:,} paired draws of viewers. What is "
        "live in a row goes on learning from other viewers after the cut, which the ranker does "
        "not.</p>"
    )


def _methods(result: Mapping[str, Any]) -> str:
    head = "".join(f"<th>{metric}</th><th>ranker ahead by</th>" for metric in METRICS)
    lines = []
    for name in ("ranker", *result["differences"]):
        ahead = result["differences"].get(name, {})
        cells = "".join(
            _cell(result[name][metric]) + f"<td>{_interval(ahead.get(metric))}</td>"
            for metric in METRICS
        )
        lines.append(f"<tr><th>{escape(_NAMES.get(name, name))}</th>{cells}</tr>")
    return f"<table><caption>Methods</caption><tr><th></th>{head}</tr>{''.join(lines)}</table>"


def _reading(name: str, pair: Mapping[str, Any]) -> str:
    lines = "".join(
        f"<tr><th>{metric}</th>{_cell(pair['with'][metric])}{_cell(pair['without'][metric])}"
        f"<td>{_interval(pair['difference'][metric])}</td></tr>"
        for metric in METRICS
    )
    return (
        f"<table><caption>What reading adds, on {escape(name)} posts ({pair['exposures']:,} "
        "exposures)</caption><tr><th></th><th>with readings</th><th>without</th>"
        f"<th>difference</th></tr>{lines}</table>"
    )


def _plot(differences: Mapping[str, Mapping[str, Any]], metric: str) -> str:
    """Every difference as a dot on its interval, beside a line at zero."""
    told = {name: each[metric] for name, each in differences.items() if each[metric]}
    if not told:
        return ""
    low: float = min(0.0, *(interval[0] for interval in told.values()))
    high: float = max(0.0, *(interval[2] for interval in told.values()), low + 1e-6)

    def across(value: float) -> float:
        return round(240 + 460 * (value - low) / (high - low), 1)

    marks = [f'<line x1="{across(0)}" x2="{across(0)}" y1="0" y2="{24 * len(told)}" {_STROKE}/>']
    for index, (name, (left, middle, right)) in enumerate(told.items()):
        y = 24 * index + 12
        marks.append(
            f'<g><text x="0" y="{y + 4}">{escape(_NAMES.get(name, name))}</text>'
            f'<line x1="{across(left)}" x2="{across(right)}" y1="{y}" y2="{y}" {_STROKE}/>'
            f'<circle cx="{across(middle)}" cy="{y}" r="4" fill="currentColor"/></g>'
        )
    return (
        f"<figure><figcaption>How far the ranker is ahead, {metric} (line at 0)</figcaption>"
        f'<svg viewBox="0 0 720 {24 * len(told)}" role="img" aria-label="Differences in {metric}">'
        f"{''.join(marks)}</svg></figure>"
    )


_STROKE = 'stroke="currentColor" stroke-width="1.5"'


def _cell(value: float | None) -> str:
    return f'<td class="number">{"" if value is None else f"{value:.4f}"}</td>'


def _interval(value: list[float] | None) -> str:
    return "" if value is None else f"{value[1]:+.4f} ({value[0]:+.4f} to {value[2]:+.4f})"
