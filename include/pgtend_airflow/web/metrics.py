"""The numbers of the fleet for Prometheus and whoever reads OpenMetrics: with a token of their own, not a login."""

from __future__ import annotations

import hashlib
import hmac
import os
from http import HTTPStatus
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Header
from fastapi.responses import Response

from pgtend.kernel.errors import Refusal
from pgtend.report.openmetrics import metrics_of
from pgtend_airflow.web.books import BOOKS, ledger_settings

METRICS: Final = APIRouter(include_in_schema=False)
TOKEN_VARIABLE: Final = "PGTEND_METRICS_TOKEN"  # noqa: S105 - the name of a variable
_KIND: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class NoMetricsToken(Refusal):
    """Whoever asks for the metrics does not send the token that the API server was given, or it was given none."""

    code = "web.no_metrics_token"
    status: ClassVar[HTTPStatus] = HTTPStatus.UNAUTHORIZED


@METRICS.get("/metrics")
def metrics(authorization: Annotated[str, Header()] = "") -> Response:
    """Write all metrics, for `Authorization: Bearer` and the token; without a token nobody may read them."""
    expected = os.environ.get(TOKEN_VARIABLE, "")
    given = authorization.removeprefix("Bearer ")
    if not expected or not hmac.compare_digest(_digest(given), _digest(expected)):
        raise NoMetricsToken(
            "the metrics are for whoever has their token",
            hint=f"Set {TOKEN_VARIABLE} for Airflow's API server, and send it as a bearer token.",
        )
    with BOOKS.session(ledger_settings()) as session:
        return Response(metrics_of(session), media_type=_KIND)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
