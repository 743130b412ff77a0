"""Questions of the application to the restored copy: asked read-only, as the application's own role, and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from pgtend.backup.facts import PIN_SETTING
from pgtend.drill.model import Check, CheckName, CheckOutcome
from pgtend.drill.provision import APPLICATION, Copy
from pgtend.fleet.model import DrillRules, Limits, SmokeQuery
from pgtend.kernel.digests import sha256_hex
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.identifiers import written
from pgtend.postgres.session import open_session
from pgtend.sqlfiles import query

_LIMITS = Limits(statement_timeout=timedelta(minutes=5))
_SETTINGS = {"default_transaction_read_only": "on", "search_path": '"$user", public', "row_security": "on"}
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question got: the text of it, and its type."""

    answer: str | None
    kind: str

    @property
    def number(self) -> Decimal | None:
        """The answer as a number, when it is one that others can be compared with: NaN and infinity are not."""
        if self.answer is None or self.kind not in _NUMBERS:
            return None
        number = Decimal(self.answer)
        return number if number.is_finite() else None

    @property
    def shown(self) -> str:
        """The answer as far as it may be kept: a number, true or false; of anything else a digest."""
        if self.answer is None:
            return "nothing"
        if self.kind == "boolean":
            return self.answer
        return str(self.number) if self.number is not None else f"sha256:{sha256_hex(self.answer.encode())[:16]}"


ASK_SMOKE = query(__package__ or "", "ask_smoke", Answer)


def check_smoke(copy: Copy, rules: DrillRules, owner: str, before: Mapping[str, Decimal]) -> tuple[Check, ...]:
    """Ask every question of the fleet file. `before` are the numbers that the last drill got, by question."""
    if not rules.smoke:
        why = "the fleet file names no smoke query for this database"
        return (Check(name=CheckName.SMOKE, outcome=CheckOutcome.SKIPPED, detail=why),)
    return tuple(_ask(copy, one, owner, before.get(one.name)) for one in rules.smoke)


def _ask(copy: Copy, asked: SmokeQuery, owner: str, before: Decimal | None) -> Check:
    role = asked.role or owner
    if role not in copy.roles:
        return _check(asked, CheckOutcome.FAILED, f"there is no role {role} in the backup")
    try:
        answer = _answer(copy, asked, role)
    except PgtendError as error:
        return _check(asked, CheckOutcome.FAILED, f"it could not be asked: {error.code}")
    good, expected, why = judge_answer(asked, answer, before)
    outcome = CheckOutcome.PASSED if good else CheckOutcome.FAILED
    return _check(asked, outcome, why, (expected, answer.shown))


def _answer(copy: Copy, asked: SmokeQuery, role: str) -> Answer:
    with open_session(copy.role(role), _LIMITS, application=APPLICATION) as session:
        for name, value in {**_SETTINGS, **asked.settings}.items():
            session.row(PIN_SETTING, {"name": name, "value": value})
        return session.row(ASK_SMOKE, question=written(asked.sql.strip().rstrip(";")))


def judge_answer(asked: SmokeQuery, answer: Answer, before: Decimal | None) -> tuple[bool, str, str]:
    """Tell whether an answer is good, what would have been, and why it is not."""
    if asked.expect is not None:
        return _exact(asked, answer)
    number = answer.number
    if number is None:
        return False, _range(asked, before), "the answer is no number"
    wrong: list[str] = []
    if asked.at_least is not None and number < Decimal(str(asked.at_least)):
        wrong.append(f"less than {asked.at_least}")
    if asked.at_most is not None and number > Decimal(str(asked.at_most)):
        wrong.append(f"more than {asked.at_most}")
    if asked.within is not None and before is not None:
        room = abs(before) * Decimal(str(asked.within))
        if abs(number - before) > room:
            wrong.append(f"more than {asked.within:.0%} from the {before} of the last drill")
    return not wrong, _range(asked, before), "; ".join(wrong)


def _exact(asked: SmokeQuery, answer: Answer) -> tuple[bool, str, str]:
    wanted = asked.expect
    if isinstance(wanted, bool):
        text = "true" if wanted else "false"
        good = answer.kind == "boolean" and answer.answer == text
        return good, text, "" if good else "another answer"
    if isinstance(wanted, str):
        good = answer.answer == wanted
        return good, f"sha256:{sha256_hex(wanted.encode())[:16]}", "" if good else "another answer"
    good = answer.number is not None and answer.number == Decimal(str(wanted))
    return good, str(wanted), "" if good else "another answer"


def _range(asked: SmokeQuery, before: Decimal | None) -> str:
    words = [
        f"at least {asked.at_least}" if asked.at_least is not None else "",
        f"at most {asked.at_most}" if asked.at_most is not None else "",
    ]
    if asked.within is not None:
        words.append(
            f"within {asked.within:.0%} of {before}" if before is not None else "any number, for the first time"
        )
    return ", ".join(filter(None, words))


def _check(asked: SmokeQuery, outcome: CheckOutcome, why: str, compared: tuple[str, str] = ("", "")) -> Check:
    return Check(
        name=CheckName.SMOKE,
        subject=asked.name,
        outcome=outcome,
        expected=compared[0],
        found=compared[1],
        detail=why,
        question_sha256=sha256_hex(asked.sql.encode()),
    )
