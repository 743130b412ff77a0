"""What the server says beside its answer: a WARNING is often the only sign that nothing was done."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.errors import Diagnostic

from pgtend.postgres.redaction import redact


@dataclass(frozen=True, slots=True)
class Notice:
    """One remark of the server, without the values it quotes."""

    severity: str
    message: str
    sqlstate: str

    @property
    def is_warning(self) -> bool:
        """Whether the server says that something was not as asked."""
        return self.severity == "WARNING"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a statement ended: its status tag, and what the server remarked while it ran."""

    status: str
    notices: tuple[Notice, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows it wrote or removed, of a statement that says so."""
        return int(self.status.rpartition(" ")[2])

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """The remarks that say something was not as asked."""
        return tuple(notice for notice in self.notices if notice.is_warning)


def read_notice(diagnostic: Diagnostic) -> Notice:
    """Keep of a remark what may be read by anybody; the severity is the untranslated one."""
    return Notice(
        severity=diagnostic.severity_nonlocalized or diagnostic.severity or "",
        message=redact(diagnostic.message_primary or ""),
        sqlstate=diagnostic.sqlstate or "",
    )
