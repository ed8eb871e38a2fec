"""Pages: a plain status page and the list of routes; no script, nothing from another host."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from ariane.engine import Engine
from ariane.serve.problems import COMMON, said
from ariane.serve.service import Serving

router = APIRouter(include_in_schema=False)

STYLE = "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"


def _page(title: str, body: str) -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1>{body}</html>"
    )


@router.get("/", responses=said(*COMMON))
async def status(serving: Serving) -> HTMLResponse:
    """What is running here, and where to go."""

    def job(engine: Engine) -> HTMLResponse:
        counts = serving.counted(engine.store)
        feeds = "".join(
            f'<li><a href="/v1/feeds/{escape(name)}">{escape(spec.title.get("en", name))}</a></li>'
            for name, spec in sorted(engine.feeds.items())
        )
        body = (
            f"<p>Ranking with <b>{escape(engine.ranker.name)}</b> over {counts.posts} posts, "
            f"{counts.unread} of them not read yet.</p><ul>{feeds}</ul>"
            '<p><a href="/docs">Every route</a> · <a href="/openapi.json">OpenAPI</a> · '
            '<a href="/v1/health/ready">health</a> · <a href="/metrics">metrics</a></p>'
        )
        return _page("Ariane", body)

    return await serving.work(job)


@router.get("/docs", responses=said(*COMMON))
async def routes(request: Request) -> HTMLResponse:
    """Every route of the OpenAPI document, with what it does and what it answers."""
    rows = [
        _row(method.upper(), path, operation)
        for path, methods in request.app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]
    body = f'<p>Machine-readable: <a href="/openapi.json">/openapi.json</a>.</p>{"".join(rows)}'
    return _page("Ariane: every route", body)


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    asked = [
        f"{item['name']}{'' if item.get('required') else '?'}"
        for item in operation.get("parameters", [])
    ]
    return (
        f"<h2><code>{method} {escape(path)}</code></h2>"
        f"<p>{escape(operation.get('summary', ''))}. {escape(operation.get('description', ''))}</p>"
        f"<p><small>Takes: {escape(', '.join(asked) or 'nothing')}. "
        f"Answers: {escape(', '.join(operation['responses']))}.</small></p>"
    )
