"""What an alert says, and what it can never say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from pgtend.cli.reference import known_errors
from pgtend.kernel.errors import BrokenEvidence
from pgtend.postgres.errors import RowsBroken, ServerUnreachable
from pgtend_airflow.alerts.message import Incident, Moment, Trouble, compose, trouble_of

INCIDENT = Incident(
    moment=Moment.OPENED,
    key="kgc.analyze",
    fleet="clinic",
    environment="production",
    subject="database kgc",
    owner="kgc-team",
    trouble=trouble_of(ServerUnreachable("no answer from <db>", hint="See docs/runbooks/database-unreachable.md.")),
    still_safe="what the run of yesterday left",
    next_step="The schedule tries again.",
    runbook="https://runbooks.clinic.test/database-unreachable.md",
    run="https://airflow.clinic.test/dags/kgc.analyze/runs/1",
)


def test_the_end_of_a_log_has_every_problem_and_what_to_do_a_line_each() -> None:
    """Who reads a log sees what is wrong, not only that something is, and needs not scroll sideways for the cure."""
    trouble = Trouble(
        code="backup.not_ready",
        message="kgc cannot be backed up yet",
        detail="\n  - pg_dump 16.2: older than 16.16\n  - schema clinic: closed",
        hint="Each problem names its cure. Then try again: pgtend backup.",
    )
    assert list(trouble.last_words()) == [
        "kgc cannot be backed up yet [backup.not_ready]",
        "DETAIL: - pg_dump 16.2: older than 16.16",
        "    - schema clinic: closed",
        "HINT: Each problem names its cure.",
        "    Then try again: pgtend backup.",
    ]
    assert list(Trouble(code="a.b", message="it broke").last_words()) == ["it broke [a.b]"]


def test_a_process_that_met_no_error_of_a_room_knows_whom_to_wake() -> None:
    """A reminder comes from a process that only heard of a code, and must reach the pager that the alert reached."""
    codes = {kind.code: kind for kind in known_errors()}
    asked = (
        "import sys; from pgtend_airflow.alerts.message import Trouble;"
        "[print(code, Trouble(code=code, message='').wakes_somebody) for code in sys.argv[1:]]"
    )
    done = subprocess.run(
        (sys.executable, "-c", asked, *codes, "airflow.not_approved", "airflow.killed", "no.such", "odd"),
        check=True,
        capture_output=True,
        text=True,
    )
    wakes = dict(line.split() for line in done.stdout.splitlines())
    assert {code for code, answer in wakes.items() if answer == "True"} == {
        code for code, kind in codes.items() if issubclass(kind, BrokenEvidence)
    }
    assert len(wakes) == len(codes) + 4


def test_a_message_says_everything_that_a_person_needs() -> None:
    """What, of which class, for whom, what is still safe, what to do, where to look, what happens next."""
    said = compose(INCIDENT)
    assert said.title == "[clinic production] kgc.analyze failed: no answer from <db>"
    assert said.text == (
        "What failed:\n    kgc.analyze: no answer from <db> [postgres.unreachable]\n"
        "Class:\n    outage: trying again may help, and the retries are used up\n"
        "For:\n    database kgc, fleet clinic (production), owner kgc-team\n"
        "Still safe:\n    what the run of yesterday left\n"
        "Hint:\n    See docs/runbooks/database-unreachable.md.\n"
        "Runbook:\n    https://runbooks.clinic.test/database-unreachable.md\n"
        "Run:\n    https://airflow.clinic.test/dags/kgc.analyze/runs/1\n"
        "Next:\n    The schedule tries again.\n"
    )
    assert "&lt;db&gt;" in said.html
    assert "<db>" not in said.html
    assert not said.is_good_news


def test_good_news_is_short() -> None:
    """It says what is over and where."""
    said = compose(replace(INCIDENT, moment=Moment.RECOVERED))
    assert said.title == "[clinic production] kgc.analyze recovered"
    assert said.chat.splitlines()[0] == "no answer from <db> [postgres.unreachable] is over"
    assert said.is_good_news


def test_a_long_error_does_not_make_a_long_title() -> None:
    """A subject fits on a phone; the whole text is in the body."""
    long = Trouble(code="postgres.unreachable", message="word " * 100)
    said = compose(replace(INCIDENT, trouble=long))
    assert len(said.title) <= 160
    assert said.title.endswith(" ...")
    assert "word " * 99 in said.text


@pytest.mark.parametrize("error", [KeyError("canary-of-a-row"), ValueError("password=canary-of-a-row")])
def test_the_text_of_an_error_that_is_not_ours_is_never_told(error: Exception) -> None:
    """Nobody knows what is in it, so only its kind is."""
    said = compose(replace(INCIDENT, trouble=trouble_of(error)))
    assert "canary" not in f"{said.title}{said.text}{said.html}{said.chat}"
    assert type(error).__name__ in said.title
    assert "unexpected" in said.text


def test_only_broken_evidence_wakes_somebody() -> None:
    """An outage waits for the morning, damaged data does not."""
    assert not trouble_of(ServerUnreachable("no answer")).wakes_somebody
    assert trouble_of(RowsBroken("a rule was broken")).wakes_somebody


def test_the_last_words_are_folded_and_a_command_stays_whole() -> None:
    """A log does not fold its lines, and what somebody copies out of it must be in one piece."""
    hint = f"Become {'a very patient person, ' * 3}then run `pgtend doctor --all --and more`; see docs/runbooks/x.md."
    *_, first, last = Trouble(code="a.b", message="it broke", hint=hint).last_words()
    assert first.startswith("HINT: Become a very patient person,")
    assert last == "    `pgtend doctor --all --and more`; see docs/runbooks/x.md."
    assert max(len(first), len(last)) <= 96
