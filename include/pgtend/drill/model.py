"""What a drill is: what it looks at, how each check can fail, what was measured, and the verdict. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pgtend.backup.states import BackupState
from pgtend.drill.failures import Blame, FailureClass
from pgtend.drill.stages import StageTime
from pgtend.postgres.sandbox import IsolationLevel


class Rule(StrEnum):
    """How the backup to be drilled is chosen. Shown to people as written."""

    NEWEST = "newest"
    RANDOM = "random"
    OLDEST = "oldest"
    SECOND_VAULT = "second_vault"
    ESCROW_KEY = "escrow_key"
    CHOSEN = "chosen"

    @property
    def meaning(self) -> str:
        """Say what the rule chooses."""
        return _RULES[self]


_RULES: Mapping[Rule, str] = {
    Rule.NEWEST: "the newest backup",
    Rule.RANDOM: "a random backup of the last 30 days",
    Rule.OLDEST: "the oldest backup that is kept",
    Rule.SECOND_VAULT: "the newest copy in a second vault",
    Rule.ESCROW_KEY: "the newest backup, opened with the key in escrow",
    Rule.CHOSEN: "a backup that a person named",
}


class CheckName(StrEnum):
    """What is looked at, in the order of looking. Kept and shown as written."""

    ISOLATION = "isolation"
    KEY = "key"
    FRESHNESS = "freshness"
    EXTENSIONS = "extensions"
    SETTINGS = "server settings"
    OBJECTS = "stored objects"
    RESTORE = "restore"
    REBUILD = "rebuilt indexes and keys"
    INVENTORY = "inventory"
    GRANTS = "roles and grants"
    SCHEMA = "schema"
    ROWS = "rows"
    CONTENT = "content"
    SEQUENCES = "sequences"
    CONSTRAINTS = "constraints"
    INDEXES = "indexes"
    PAGES = "pages"
    SMOKE = "smoke"
    RECOVERY_TIME = "recovery time"
    SECOND_GENERATION = "second generation"
    NEGATIVE_CONTROL = "negative control"

    @property
    def failure(self) -> FailureClass:
        """Tell of which class it is when this fails."""
        return _FAILURES[self]


_FAILURES: Mapping[CheckName, FailureClass] = {
    CheckName.ISOLATION: FailureClass.ISOLATION_BROKEN,
    CheckName.KEY: FailureClass.KEY_UNAVAILABLE,
    CheckName.FRESHNESS: FailureClass.RPO_MISS,
    CheckName.EXTENSIONS: FailureClass.ENVIRONMENT,
    CheckName.SETTINGS: FailureClass.DRIFT,
    CheckName.OBJECTS: FailureClass.BACKUP_CORRUPT,
    CheckName.RESTORE: FailureClass.RESTORE_FAILED,
    CheckName.REBUILD: FailureClass.SOURCE_INTEGRITY,
    CheckName.INVENTORY: FailureClass.INCOMPLETE,
    CheckName.GRANTS: FailureClass.INCOMPLETE,
    CheckName.SCHEMA: FailureClass.SCHEMA_DRIFT,
    CheckName.ROWS: FailureClass.DATA_MISMATCH,
    CheckName.CONTENT: FailureClass.DATA_MISMATCH,
    CheckName.SEQUENCES: FailureClass.DATA_MISMATCH,
    CheckName.CONSTRAINTS: FailureClass.SOURCE_INTEGRITY,
    CheckName.INDEXES: FailureClass.SOURCE_INTEGRITY,
    CheckName.PAGES: FailureClass.SOURCE_INTEGRITY,
    CheckName.SMOKE: FailureClass.SMOKE_FAILED,
    CheckName.RECOVERY_TIME: FailureClass.RTO_MISS,
    CheckName.SECOND_GENERATION: FailureClass.ROUNDTRIP,
    CheckName.NEGATIVE_CONTROL: FailureClass.DRILL_BLIND,
}
# These come at their own cadence: a drill in which they are not due is whole without them, and says so.
AT_TIMES = frozenset({CheckName.SECOND_GENERATION, CheckName.NEGATIVE_CONTROL})
ALWAYS = frozenset(CheckName) - AT_TIMES
# Without these nobody knows that the copy is what was there, whatever else went well.
IDENTITY = frozenset(
    {
        CheckName.OBJECTS,
        CheckName.RESTORE,
        CheckName.REBUILD,
        CheckName.INVENTORY,
        CheckName.GRANTS,
        CheckName.ROWS,
        CheckName.CONTENT,
        CheckName.SEQUENCES,
    }
)


class CheckOutcome(StrEnum):
    """What came of a check. Kept and shown as written."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: what was expected and found, as counts and digests and names, never as the value of a row."""

    name: CheckName
    outcome: CheckOutcome
    subject: str = ""
    """What it was about where there are several of one name: the name of a smoke query."""
    expected: str = ""
    found: str = ""
    detail: str = ""
    """Which objects differ and how, or why it was skipped."""
    question_sha256: str = ""
    """Of the statement that was asked, where it comes from the fleet file."""
    as_failure: FailureClass | None = None
    """Another class than the check's own, where the cause is known better."""

    @property
    def failure(self) -> FailureClass | None:
        """The class of a check that failed; nothing for any other."""
        if self.outcome is not CheckOutcome.FAILED:
            return None
        return self.as_failure or self.name.failure

    @property
    def label(self) -> str:
        """The check as people call it."""
        return f"{self.name.value} ({self.subject})" if self.subject else self.name.value

    def __str__(self) -> str:
        compared = f": expected {self.expected}, found {self.found}" if self.expected or self.found else ""
        why = f"; {self.detail}" if self.detail else ""
        return f"{self.label} {self.outcome.value}{compared}{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Something outside that must be out of reach, and what came of reaching for it from inside."""

    what: str
    was_reached: bool
    answer: str = ""
    """What the attempt said: an SQLSTATE, never a text of the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """How the copy was shut in, and what was tried from inside before any row was there."""

    level: IsolationLevel
    means: str
    """What shuts it in: `bubblewrap 0.8.0`, `unshare`, `container without network`."""
    canaries: tuple[Canary, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether something was tried, and nothing was reached."""
        return bool(self.canaries) and not any(canary.was_reached for canary in self.canaries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How the backup was chosen."""

    rule: Rule
    seed: str = ""
    """Of a random choice: with it and the candidates anybody chooses the same again."""
    candidates: int = 0
    vault: str = ""
    """Name of the vault in the fleet file, or its address where there is no fleet file."""
    key_name: str = ""
    """Name of the recipient whose private key opened it; empty for a backup that is not sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrilledBackup:
    """What was drilled, as its manifest says."""

    backup_id: str
    manifest_sha256: str
    place: str
    taken_at: datetime
    lsn: str
    system_identifier: str
    source_version: str
    source_size: int
    plain_size: int
    stored_size: int
    parts: int
    tables: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """How long something may take, took, and would take today."""

    target: timedelta | None
    measured: timedelta | None
    predicted: timedelta | None = None
    """At today's size of the database."""
    crosses_at: datetime | None = None
    """When the target will be missed if the database goes on growing as it does."""

    @property
    def is_missed(self) -> bool:
        """Whether it is over the target already."""
        return bool(self.target and self.measured and max(self.measured, self.predicted or self.measured) > self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wipe:
    """What became of the copy."""

    method: str
    is_gone: bool
    kept_until: datetime | None = None


class Verdict(StrEnum):
    """What a drill proves. Kept and shown as written."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    """Everything that was due was checked, and nothing was wrong."""
    PASS_PARTIAL = "PASS_PARTIAL"  # noqa: S105 - a verdict, no password
    """Nothing was wrong, but something could not be checked: it is listed."""
    FAIL = "FAIL"
    """Something was wrong: it is listed with its class."""


def missing_checks(checks: Sequence[Check], due: frozenset[CheckName]) -> tuple[CheckName, ...]:
    """List the checks that were due and left no trace: forgetting one is not passing it."""
    return tuple(name for name in CheckName if name in due and all(check.name is not name for check in checks))


def judge(checks: Sequence[Check], due: frozenset[CheckName] = ALWAYS) -> Verdict:
    """Judge a drill by its checks: doubt is never green."""
    if any(check.outcome is CheckOutcome.FAILED for check in checks):
        return Verdict.FAIL
    if missing_checks(checks, due) or any(check.outcome is CheckOutcome.SKIPPED for check in checks):
        return Verdict.PASS_PARTIAL
    return Verdict.PASS


def state_after(checks: Sequence[Check]) -> BackupState | None:
    """Tell what is known about the backup now; nothing when the drill says nothing about it.

    A backup that is a true copy of corrupt production, or was drilled in a place that lacked something, is neither
    proven nor broken.
    """
    failed = {check.failure for check in checks if check.failure}
    if any(failure.blame is Blame.BACKUP for failure in failed if failure is not FailureClass.SMOKE_FAILED):
        return BackupState.BROKEN
    passed = {check.name for check in checks if check.outcome is CheckOutcome.PASSED}
    untrusted = any(failure.blame is Blame.DRILL for failure in failed)
    return BackupState.PROVEN if passed >= IDENTITY and not untrusted else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillOutcome:
    """All that came of one drill: everything a receipt needs, and no value of any row."""

    run_id: str
    fleet: str
    database: str
    operator: str
    run_url: str
    started_at: datetime
    ended_at: datetime
    selection: Selection
    backup: DrilledBackup
    drill_version: str
    """Of the server that was restored to."""
    tools: Mapping[str, str]
    """What did the work, by name: pgtend, pg_restore, zstd, pyrage, python, image."""
    host: str
    isolation: Isolation
    stages: tuple[StageTime, ...]
    checks: tuple[Check, ...]
    due: frozenset[CheckName] = ALWAYS
    not_checked: tuple[str, ...] = ()
    """What nobody looked at, one sentence each: sampled tables, checks that were not due, what a backup cannot hold."""
    rto: Target
    rpo: Target
    wipe: Wipe
    remarks: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """What it proves."""
        return judge(self.checks, self.due)

    @property
    def failures(self) -> tuple[Check, ...]:
        """What failed, the one that explains the others first."""
        failed = [(check.failure.rank, number, check) for number, check in enumerate(self.checks) if check.failure]
        return tuple(check for _, _, check in sorted(failed, key=lambda one: one[:2]))

    @property
    def skipped(self) -> tuple[Check, ...]:
        """What could not be checked."""
        return tuple(check for check in self.checks if check.outcome is CheckOutcome.SKIPPED)

    @property
    def failure(self) -> FailureClass | None:
        """The class that is told; nothing when nothing failed."""
        return self.failures[0].failure if self.failures else None

    @property
    def state(self) -> BackupState | None:
        """What is known about the backup now, or nothing new."""
        return state_after(self.checks)
