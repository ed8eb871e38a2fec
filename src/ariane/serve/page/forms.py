"""Forms: what a page's form sends, within bounds, without a parser of multipart bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from ariane.serve.problems import Refusal

KIND = "application/x-www-form-urlencoded"
FIELDS = 40


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, each once; 415 for any other body, 422 for one that is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if body and kind != KIND:
        raise Refusal(415, f"The content type {kind or 'none'} is not taken; send {KIND}.")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict"
        )
    except (ValueError, UnicodeDecodeError):
        raise Refusal(422, f"This is no form of at most {FIELDS} fields in UTF-8.") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise Refusal(422, f"The field {name[:60]} is given twice; give it once.")
        fields[name] = value.replace("\r\n", "\n")
    return fields


Form = Annotated[Mapping[str, str], Depends(form)]
