"""Errors as programs read them: `application/problem+json` (RFC 9457), with our stable code, detail and hint."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, PgtendError, Refusal, family_of

_LOG: Final = logging.getLogger("pgtend.web")
PROBLEM_JSON: Final = "application/problem+json"
_FAMILY: Final[Mapping[type[PgtendError], HTTPStatus]] = {
    Outage: HTTPStatus.SERVICE_UNAVAILABLE,
    Misconfigured: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal: HTTPStatus.CONFLICT,
    BrokenEvidence: HTTPStatus.SERVICE_UNAVAILABLE,
}


class NotFound(Refusal):
    """What the address names does not exist, or the caller may not see it."""

    code = "web.not_found"
    status: ClassVar[HTTPStatus] = HTTPStatus.NOT_FOUND


class NotAllowed(Refusal):
    """The caller's role is too low."""

    code = "web.not_allowed"
    status: ClassVar[HTTPStatus] = HTTPStatus.FORBIDDEN


class Forged(Refusal):
    """A browser sent something that the person in front of it may not have meant."""

    code = "web.forged"
    status: ClassVar[HTTPStatus] = HTTPStatus.FORBIDDEN


class TooFast(Refusal):
    """The caller asks more often than it may."""

    code = "web.too_fast"
    status: ClassVar[HTTPStatus] = HTTPStatus.TOO_MANY_REQUESTS


class BadRequest(Refusal):
    """What was asked makes no sense as it was asked."""

    code = "web.bad_request"
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class NoLedger(Misconfigured):
    """The fleet file names no ledger, and pages are drawn from one."""

    code = "web.no_ledger"


class Problem(BaseModel):
    """What went wrong."""

    type: str = Field(default="about:blank", description="Always about:blank: the code says which problem it is.")
    title: str = Field(description="The problem in one line.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="Stable name of the problem, as in docs/reference/errors.md.")
    detail: str = Field(default="", description="What is known about it.")
    hint: str = Field(default="", description="What a person may do.")


RESPONSES: Final[dict[int | str, dict[str, object]]] = {
    int(status): {
        "description": said,
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, said in {
        HTTPStatus.BAD_REQUEST: "It makes no sense as it was asked.",
        HTTPStatus.UNAUTHORIZED: "Nobody is logged in.",
        HTTPStatus.FORBIDDEN: "The role is too low, or the request was forged.",
        HTTPStatus.NOT_FOUND: "There is no such thing, or it may not be seen.",
        HTTPStatus.CONFLICT: "A safety rule said no.",
        HTTPStatus.UNPROCESSABLE_ENTITY: "A value is not what the description says.",
        HTTPStatus.TOO_MANY_REQUESTS: "Too many questions in a short time.",
        HTTPStatus.SERVICE_UNAVAILABLE: "The ledger does not answer, or something is not set up.",
    }.items()
}


def install(app: FastAPI) -> None:
    """Answer every error of this app as a problem."""
    app.add_exception_handler(PgtendError, _ours)
    app.add_exception_handler(StarletteHTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_values)
    app.add_exception_handler(Exception, _unexpected)


def status_of(error: PgtendError) -> HTTPStatus:
    """Choose the HTTP status of an error: its own, or that of its family."""
    own: HTTPStatus | None = getattr(error, "status", None)
    return own or _FAMILY[family_of(error)]


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Write a problem down."""
    return JSONResponse(problem.model_dump(), problem.status, headers=dict(headers or {}), media_type=PROBLEM_JSON)


def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PgtendError)  # noqa: S101 - it is registered for these alone
    headers = {"Retry-After": "10"} if isinstance(error, (Outage, TooFast)) else {}
    if not hasattr(error, "status"):
        _LOG.error("%s", error)
    return answer(
        Problem(title=error.message, status=status_of(error), code=error.code, detail=error.detail, hint=error.hint),
        headers,
    )


def _of_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)  # noqa: S101 - it is registered for these alone
    # 401 and 403 come from Airflow's own check of the login.
    status = HTTPStatus.UNAUTHORIZED if _is_bad_token(error) else HTTPStatus(error.status_code)
    said = Problem(title=str(error.detail), status=status, code=f"web.{status.name.lower()}")
    return answer(said, error.headers)


def _is_bad_token(error: StarletteHTTPException) -> bool:
    return error.detail == "Invalid JWT token"


def _of_values(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for these alone
    # Where and why, never the value itself: it may be anything.
    said = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
    return answer(
        Problem(
            title="a value is not what the description says",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            code="web.bad_value",
            detail=said[:1000],
            hint="The description of this API says what each value may be.",
        )
    )


def _unexpected(_: Request, error: Exception) -> JSONResponse:
    _LOG.error("an error of ours: %s", type(error).__name__, exc_info=error)
    return answer(
        Problem(
            title="the API made a mistake",
            status=HTTPStatus.INTERNAL_SERVER_ERROR,
            code="web.mistake",
            hint="The log of the API server has the details; see docs/runbooks/unexpected-error.md.",
        )
    )


__all__ = [
    "PROBLEM_JSON",
    "RESPONSES",
    "BadRequest",
    "Forged",
    "HTTPException",
    "NoLedger",
    "NotAllowed",
    "NotFound",
    "Problem",
    "TooFast",
    "answer",
    "install",
    "status_of",
]
