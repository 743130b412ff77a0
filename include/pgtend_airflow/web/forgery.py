"""Keeps other web sites from acting in the name of a person who is logged in here.

A browser sends Airflow's cookie along with whatever any page makes it send. So a write that rests on the cookie must
also carry a token in a header, which only our own page can read: a MAC over the login and the day. A caller with a
bearer token needs none, because no browser adds that by itself.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Annotated, Final

from airflow.sdk import conf
from fastapi import Header, Request

from pgtend.kernel.times import utc_now
from pgtend_airflow.web.problems import Forged
from pgtend_airflow.web.standing import StandingDep

HEADER: Final = "X-Pgtend-Token"
_LASTS: Final = timedelta(hours=12)


def token_for(user_id: str, at: datetime | None = None) -> str:
    """Make the token of one person; it is good for this half day and the next."""
    half_day = int((at or utc_now()).timestamp() // _LASTS.total_seconds())
    return hmac.new(_key(), f"{half_day}:{user_id}".encode(), hashlib.sha256).hexdigest()


def refuse_forgery(
    request: Request,
    who: StandingDep,
    token: Annotated[str, Header(alias=HEADER, description="The token of `/me`, when the login is a cookie.")] = "",
) -> None:
    """Refuse a write that a browser may have been made to send."""
    if request.headers.get("Authorization", "").lower().startswith("bearer "):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Forged("the request comes from another web site", hint="Act from the pages of this Airflow.")
    user_id, now = who.user.get_id(), utc_now()
    if not any(hmac.compare_digest(token.encode(), token_for(user_id, at).encode()) for at in (now, now - _LASTS)):
        raise Forged(
            f"the header {HEADER} does not hold the token of the person who is logged in",
            hint="Load the page again: it fetches a new token.",
        )


def _key() -> bytes:
    secret = str(conf.get("api", "secret_key"))  # pyright: ignore[reportUnknownMemberType] - half typed
    return hashlib.sha256(b"pgtend forgery token:" + secret.encode()).digest()
