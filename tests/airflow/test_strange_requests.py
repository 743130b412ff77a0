"""Nothing that a stranger sends makes the API fail: everything its own description allows, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import hypothesis
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error

from bed.face import Face
from pgtend_airflow.web.app import VERSION
from pgtend_airflow.web.pace import PACE

EXAMPLES: Final = 4
SENT: Final[Mapping[str, str]] = {"Content-Type": "application/json"}


def test_no_request_that_can_be_made_up_is_answered_with_500(face: Face) -> None:
    """Four for each route, half of them against the description; an answer is a problem or what was promised."""
    headers = {"Authorization": f"Bearer {face.token('ada', 'admin')}"}
    schema = schemathesis.openapi.from_asgi(f"{VERSION}/openapi.json", face.app, headers=headers)
    strategies = [
        found.ok().as_strategy(generation_mode=mode)
        for found in schema.get_all_operations()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    asked: list[str] = []
    for strategy in strategies:

        @hypothesis.settings(
            max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=strategy)
        def ask(case: Case) -> None:
            PACE.forget()
            answer = case.call(headers=headers)
            asked.append(case.path)
            if answer.status_code != 503:
                case.validate_response(answer, checks=[not_a_server_error])

        try:
            ask()
        except hypothesis.errors.Unsatisfiable:
            # A route without any value has nothing that could be sent against its description.
            continue
    assert len(set(asked)) > 10


@hypothesis.settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.one_of(
        st.text(min_size=1, max_size=40),
        st.sampled_from(["'; DROP SCHEMA reporting --", "%(x)s", "{x}", "\x00", "\u202e"]),
    ),
    where=st.sampled_from(["database", "pipeline", "outcome", "before", "target"]),
)
def test_text_in_a_filter_stays_text(face: Face, text: str, where: str) -> None:
    """Quotes, braces, percent signs, zero bytes: it is a value, refused or without a match, and never SQL."""
    PACE.forget()
    headers = {"Authorization": f"Bearer {face.token('ada', 'admin')}"}
    for path in ("/runs", "/alerts", "/audit"):
        answer = face.client.get(f"{VERSION}{path}", params={where: text}, headers=headers)
        assert answer.status_code in {200, 400, 404, 422}, (path, where, text, answer.text)
