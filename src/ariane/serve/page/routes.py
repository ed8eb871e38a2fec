"""The list of the API's routes, from its own OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from ariane.engine import Engine
from ariane.serve.page.render import show
from ariane.serve.page.visit import Visiting
from ariane.serve.service import Serving

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def routes(request: Request, serving: Serving, visit: Visiting) -> HTMLResponse:
    """Every route of the OpenAPI document, with what it does and what it answers."""
    rows = [
        _row(method.upper(), path, operation)
        for path, methods in request.app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]

    def job(engine: Engine) -> HTMLResponse:
        return show(engine, visit, "routes.html", routes=rows)

    return await serving.work(job)


def _row(method: str, path: str, operation: dict[str, Any]) -> dict[str, str]:
    asked = [
        f"{item['name']}{'' if item.get('required') else '?'}"
        for item in operation.get("parameters", [])
    ]
    return {
        "method": method,
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "takes": ", ".join(asked),
        "answers": ", ".join(operation["responses"]),
    }
