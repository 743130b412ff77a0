"""What an alert says: pure, from facts to text. No secret and no row can enter, because none is ever given."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from textwrap import shorten, wrap
from typing import Final

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, PgtendError, Refusal
from pgtend_airflow.alerts.families import family_of

_RUNBOOK: Final = re.compile(r"docs/runbooks/([\w-]+)\.md")
_BETWEEN_THOUGHTS: Final = re.compile(r"\n\s*|(?<=\.) (?=[A-Z])")
_LONGEST_TITLE: Final = 160
_WIDEST: Final = 96
_COMMAND: Final = re.compile(r"`[^`]+`|\([A-Z][^()]*;\)")
_GLUE: Final = "\N{NO-BREAK SPACE}"
_MEANINGS: Final[dict[type[PgtendError], str]] = {
    Outage: "outage: trying again may help, and the retries are used up",
    Refusal: "refusal: a safety rule said no",
    Misconfigured: "misconfigured: a setting or a right is wrong",
    BrokenEvidence: "broken evidence: data is not what was promised",
}


_WATCHED: Final = {
    "health": "a metric is beyond its limit",
    "statements": "a statement takes longer than it usually does",
}
CRITICAL: Final = "critical"
RECOVERED: Final = "Nothing: it works again."


class Moment(StrEnum):
    """Why a message is sent. Shown to people as written."""

    OPENED = "failed"
    LATE = "is late"
    REMINDER = "still fails"
    RECOVERED = "recovered"
    WARNS = "needs attention"
    CRITICAL = "is critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong, in the words of the error."""

    code: str
    message: str
    detail: str = ""
    hint: str = ""
    watched: str = ""
    """What is beyond its limit, such as `a warning`, when no run failed at all."""
    has_woken: bool = False
    """Whether those who take pages heard of it, or of what was before it under the same name."""

    @property
    def runbook(self) -> str:
        """The name of the runbook that the hint points to, or the list of all."""
        found = _RUNBOOK.search(self.hint)
        return found.group(1) if found else "README"

    @property
    def family(self) -> type[PgtendError]:
        """Which family of errors it belongs to."""
        return family_of(self.code)

    @property
    def meaning(self) -> str:
        """What its family means, in words."""
        if self.watched:
            what = _WATCHED.get(self.code.partition(".")[0], "something is beyond its limit")
            return f"{self.watched}: {what}; no run failed"
        return _MEANINGS.get(self.family, "unexpected: not one of the failures we planned for")

    @property
    def wakes_somebody(self) -> bool:
        """Whether it cannot wait for the morning."""
        return self.has_woken or self.family is BrokenEvidence or self.watched == CRITICAL

    def last_words(self) -> Iterator[str]:
        """Give the lines that end a task's log, where people look first: a new line for each thought, none too wide."""
        yield f"{self.message} [{self.code}]"
        for label, said in (("DETAIL", self.detail), ("HINT", self.hint)):
            first, *rest = _BETWEEN_THOUGHTS.split(said.strip())
            if first:
                yield from _folded(f"{label}: {first}")
                for line in rest:
                    yield from _folded(f"    {line}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Everything an alert is made from."""

    moment: Moment
    key: str
    fleet: str
    environment: str
    subject: str
    owner: str
    trouble: Trouble
    still_safe: str
    next_step: str
    runbook: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A page that goes along with a mail."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One alert, ready for a mail and for a chat."""

    title: str
    text: str
    html: str
    chat: str
    is_good_news: bool
    wakes_somebody: bool = True
    attachments: tuple[Attachment, ...] = ()


def trouble_of(error: BaseException) -> Trouble:
    """Put an error into words; of one that is not ours only the kind is told, as its text may quote a row."""
    if isinstance(error, PgtendError):
        return Trouble(code=error.code, message=error.message, detail=error.detail, hint=error.hint)
    return Trouble(
        code=f"airflow.{type(error).__name__}",
        message=f"the task ended with {type(error).__name__}",
        hint="The task log has the details; see docs/runbooks/unexpected-error.md.",
    )


def compose(incident: Incident) -> Message:
    """Write the message for mail and chat."""
    title = f"[{incident.fleet} {incident.environment}] {incident.key} {incident.moment}"
    good = incident.moment is Moment.RECOVERED
    rows = [(name, value) for name, value in (_good_rows(incident) if good else _bad_rows(incident)) if value]
    return Message(
        title=title if good else shorten(f"{title}: {incident.trouble.message}", _LONGEST_TITLE, placeholder=" ..."),
        text="\n".join(f"{name}:\n    {_indented(value)}" for name, value in rows) + "\n",
        html=_as_html(title, rows),
        chat=_as_chat(incident, good=good),
        is_good_news=good,
        wakes_somebody=incident.trouble.wakes_somebody,
    )


def _bad_rows(incident: Incident) -> Iterable[tuple[str, str]]:
    trouble = incident.trouble
    return (
        ("What is wrong" if trouble.watched else "What failed", f"{incident.key}: {trouble.message} [{trouble.code}]"),
        ("Class", trouble.meaning),
        ("For", f"{incident.subject}, fleet {incident.fleet} ({incident.environment}), owner {incident.owner}"),
        ("Still safe", incident.still_safe),
        ("Detail", trouble.detail),
        ("Hint", trouble.hint),
        ("Runbook", incident.runbook),
        ("Run", incident.run),
        ("Next", incident.next_step),
    )


def _good_rows(incident: Incident) -> Iterable[tuple[str, str]]:
    return (
        ("Recovered", f"{incident.key} for {incident.subject}"),
        ("It was" if incident.trouble.watched else "It had failed with", _named(incident.trouble)),
        ("Run", incident.run),
        ("Next", incident.next_step),
    )


def _folded(line: str) -> list[str]:
    """Fold a line as a log does not; a command stays in one piece, to be copied."""
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", _GLUE), line)
    folded = wrap(whole, _WIDEST, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return [one.replace(_GLUE, " ") for one in folded]


def _named(trouble: Trouble) -> str:
    return f"{trouble.message} [{trouble.code}]"


def _indented(value: str) -> str:
    return value.strip().replace("\n", "\n    ")


def _as_html(title: str, rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><th align="left" valign="top" style="padding:4px 16px 4px 0">{html.escape(name)}</th>'
        f'<td style="padding:4px 0">{_linked(value)}</td></tr>'
        for name, value in rows
    )
    return f'<div style="font-family:sans-serif"><h3>{html.escape(title)}</h3><table>{cells}</table></div>'


def _linked(value: str) -> str:
    escaped = html.escape(value.strip())
    if re.fullmatch(r"https?://\S+", value.strip()):
        return f'<a href="{escaped}">{escaped}</a>'
    return escaped.replace("\n", "<br>")


def _as_chat(incident: Incident, *, good: bool) -> str:
    """Three lines at most: a chat is read on a phone."""
    if good:
        how = f"{incident.next_step}\n" if incident.next_step != RECOVERED else ""
        return f"{incident.trouble.message} [{incident.trouble.code}] is over\n{how}{incident.run}"
    hint = incident.trouble.hint or incident.trouble.meaning
    return f"{hint}\nStill safe: {incident.still_safe}\n{incident.run}"
