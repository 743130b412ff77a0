"""The files of the pages: plain modules that a browser runs as they are, and nothing that is worth protecting."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pgtend_airflow.web.problems import NotFound

FILES: Final = APIRouter(include_in_schema=False)
_KINDS: Final[Mapping[str, str]] = {"js": "text/javascript", "svg": "image/svg+xml"}


@FILES.get("/static/{name}")
def file(name: str, request: Request) -> Response:
    """Give a file; the browser asks each time whether its copy is still the same, so that no page is half old."""
    known = _files()
    if name not in known:
        raise NotFound("there is no such file")
    content = known[name]
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"Cache-Control": "no-cache", "ETag": tag, "X-Content-Type-Options": "nosniff"}
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_KINDS[name.rpartition(".")[2]], headers=headers)


@cache
def _files() -> Mapping[str, bytes]:
    """Read them once: a name that is not among them is no path into the file system."""
    here = files(__package__ or "") / "static"
    return {path.name: path.read_bytes() for path in here.iterdir() if path.name.rpartition(".")[2] in _KINDS}
