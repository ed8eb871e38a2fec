"""Static files: styles, scripts and the icon, immutable under the hash of what they hold."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from ariane.types import NotFoundError

router = APIRouter(include_in_schema=False)

FOLDER: Final = Path(__file__).parent / "static"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOREVER: Final = "public, max-age=31536000, immutable"


@cache
def files() -> dict[str, tuple[bytes, str]]:
    """Every file by name, with its hash; they are few and small."""
    held = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in TYPES:
            body = path.read_bytes()
            held[path.name] = body, blake2b(body, digest_size=8).hexdigest()
    return held


def address(name: str) -> str:
    """Where a file is had; another one once it changes."""
    return f"/static/{name}?{files()[name][1]}"


@router.get("/static/{name}")
async def get_file(name: str) -> Response:
    """One file, to be kept for good."""
    if name not in files():
        raise NotFoundError(f"There is no file {name}.")
    body, _ = files()[name]
    kind = TYPES[Path(name).suffix]
    return Response(body, headers={"Cache-Control": FOREVER}, media_type=kind)
