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
    document = request.app.openapi()
    rows = [
        _row(method.upper(), path, operation, document["components"]["schemas"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]

    def job(engine: Engine) -> HTMLResponse:
        return show(engine, visit, "routes.html", routes=rows)

    return await serving.work(job)


def _row(
    method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]
) -> dict[str, str]:
    asked = [
        f"{item['name']}{'' if item.get('required') else '?'}"
        for item in operation.get("parameters", [])
    ]
    asked += _body(operation.get("requestBody", {}).get("content", {}), schemas)
    return {
        "method": method,
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "takes": ", ".join(asked),
        "answers": ", ".join(operation["responses"]),
    }


def _body(content: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    """The keys of a JSON body, or the media types of one that has no keys of its own."""
    refs = [form["schema"].get("$ref", "") for form in content.values()]
    names = [ref.rpartition("/")[2] for ref in refs]
    shapes = [schemas[name] for name in names if "properties" in schemas.get(name, {})]
    if not shapes:
        return list(content)
    required = shapes[0].get("required", [])
    return [f"{key}{'' if key in required else '?'}" for key in shapes[0]["properties"]]
