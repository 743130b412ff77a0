"""Works out advice on indexes: find, prove on a copy, record, and write it down as a pair of SQL files to review."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pgtend.fleet.model import Database
from pgtend.indexes.advice_memory import AdviceMemory, recall_advice
from pgtend.indexes.advice_model import Advice, Bar, Candidate, Proof, Statement, Status
from pgtend.indexes.advice_planner import Planner
from pgtend.indexes.advice_proof import prove_on_copy, refuse_original
from pgtend.indexes.advice_sources import costly_statements, find_candidates, read_tables
from pgtend.kernel.names import counted
from pgtend.kernel.progress import Progress
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span
from pgtend.ledger.model import Ledger, Run, Subject
from pgtend.postgres.address import Address
from pgtend.postgres.session import Session, open_session
from pgtend.sqlfiles import command
from pgtend.vault.model import Vault

PIPELINE = "index_advice"
RECORD_INDEX_ADVICE = command(__package__ or "", "record_index_advice")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexAdvice:
    """A row of evidence about one advice."""

    database: str
    schema_name: str
    table_name: str
    index_name: str
    kind: str
    status: str
    priority: str
    up_sql: str
    down_sql: str
    why: str
    gain: float | None
    worst_harm: float | None
    write_cost: float | None
    size: int | None
    took_to_build: timedelta | None
    delivered_as: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceReport:
    """What was thought about, and what came of it."""

    database: str
    advices: tuple[Advice, ...]
    statements: int
    delivered: Mapping[str, str]
    run_id: str = ""

    def with_status(self, status: Status) -> tuple[Advice, ...]:
        """List the advices that came so far."""
        return tuple(advice for advice in self.advices if advice.status is status)

    def __str__(self) -> str:
        amounts = ((len(self.with_status(status)), status) for status in Status)
        said = ", ".join(f"{amount:,} {status}" for amount, status in amounts if amount)
        return f"{said or 'nothing to advise'}, from {counted(self.statements, 'statement')} and the catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """Where advice is looked for, where it is proved, and where it is written to."""

    address: Address
    copy: Address | None = None
    vault: Vault | None = None
    folder: Path | None = None
    live: bool = False


def advise_on_indexes(
    database: Database, inquiry: Inquiry, ledger: Ledger, subject: Subject, progress: Progress
) -> AdviceReport:
    """Find what could be better, prove it on a copy when there is one, and deliver what was proved. Changes nothing.

    Without a copy, what one of the last weeks' copies proved or refuted stays so.
    """
    with ledger.run(subject) as run:
        with open_session(inquiry.address, database.limits, application=_application(database)) as session:
            statements = costly_statements(session, ledger, database, live=inquiry.live)
            candidates = find_candidates(session, statements, ledger, database)
            seen = counted(len(statements), "statement")
            progress(f"{database.name}: {counted(len(candidates), 'candidate')} from {seen}")
            memory = AdviceMemory({}) if inquiry.copy is not None else recall_advice(ledger, database.name)
            known = {one: advice for one in candidates if (advice := memory.judged(one)) is not None}
            new = [one for one in candidates if one not in known]
            expected = Planner(session, read_tables(session)).expected_gains(new)
            proofs = _prove(database, inquiry.copy, session, new, statements, expected, progress)
        fresh = judge_all(database, new, proofs, expected)
        delivered = {
            advice.candidate.name: deliver(
                advice, database.name, run.run_id, vault=inquiry.vault, folder=inquiry.folder
            )
            for advice in fresh
            if advice.status is Status.ADVISED
        }
        # What an earlier copy showed is in the ledger already, with the time at which it was measured.
        record(run, database.name, fresh, delivered)
        delivered |= {one.name: place for one in known if (place := memory.delivered_as(one))}
        report = AdviceReport(
            database=database.name,
            advices=(*known.values(), *fresh),
            statements=len(statements),
            delivered=delivered,
            run_id=run.run_id,
        )
        progress(f"{database.name}: {report}")
        return report


def _prove(  # noqa: PLR0913, PLR0917 - what is tried, where, and why not
    database: Database,
    copy: Address | None,
    original: Session,
    candidates: Sequence[Candidate],
    statements: Sequence[Statement],
    expected: Mapping[str, float],
    progress: Progress,
) -> Mapping[str, Proof]:
    """Try on the copy, when there is one, what the planner itself does not hold to be useless."""
    if copy is None:
        return {}
    bar = bar_of(database)
    hopeful = [one for one in candidates if not bar.disbelieves(one, expected.get(one.name))]
    with open_session(copy, database.limits, application=_application(database)) as session:
        refuse_original(session, original)
        return prove_on_copy(session, hopeful, statements, progress)


def deliver(
    advice: Advice, database: str, run_id: str, *, vault: Vault | None = None, folder: Path | None = None
) -> str:
    """Write a pair of SQL files for people to review: one that does it, one that takes it back."""
    stem = f"{run_id}_{advice.candidate.name}"
    texts = {f"{stem}.sql": up_file(advice, database), f"{stem}.down.sql": down_file(advice, database)}
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in texts.items():
            (folder / name).write_text(content, encoding="utf-8")
        return str(folder / f"{stem}.sql")
    if vault is None:
        return ""
    for name, content in texts.items():
        vault.put(f"advice/{database}/{name}", io.BytesIO(content.encode()))
    return f"advice/{database}/{stem}.sql"


def up_file(advice: Advice, database: str) -> str:
    """Write the file that does it, with its reasons on top."""
    proof = advice.proof
    lines = ["-- pgtend: no-transaction", f"-- {advice.candidate.kind} of {database}: {advice.why}."]
    if proof is not None:
        lines += [
            f"-- Measured on a copy: {proof.gain:.0%} faster, worst other statement {proof.worst_harm:.0%} slower,",
            f"-- {proof.saved:.1f} s a day saved, {proof.write_cost:.1f} s a day paid by writers,",
            f"-- {Bytes(proof.size)}, built in {say_span(proof.took_to_build)}.",
        ]
    lines += [
        "-- Review it, then run it by hand or as a migration: nothing does so by itself.",
        advice.candidate.up,
        "",
    ]
    return "\n".join(lines)


def down_file(advice: Advice, database: str) -> str:
    """Write the file that takes it back."""
    head = f"-- pgtend: no-transaction\n-- Takes back the {advice.candidate.kind} advice for {database}.\n"
    return f"{head}{advice.candidate.down}\n"


def record(run: Run, database: str, advices: Sequence[Advice], delivered: Mapping[str, str]) -> None:
    """Keep every advice in the ledger, the refuted ones too."""
    if advices:
        run.add(RECORD_INDEX_ADVICE, [_evidence(database, advice, delivered) for advice in advices])


def _evidence(database: str, advice: Advice, delivered: Mapping[str, str]) -> IndexAdvice:
    candidate, proof = advice.candidate, advice.proof
    return IndexAdvice(
        database=database,
        schema_name=candidate.schema,
        table_name=candidate.table,
        index_name=candidate.name,
        kind=candidate.kind.value,
        status=advice.status.value,
        priority=advice.priority,
        up_sql=candidate.up,
        down_sql=candidate.down,
        why=advice.why,
        gain=proof.gain if proof else None,
        worst_harm=proof.worst_harm if proof else None,
        write_cost=proof.write_cost if proof else None,
        size=proof.size if proof else None,
        took_to_build=proof.took_to_build if proof else None,
        delivered_as=delivered.get(candidate.name, ""),
    )


def judge_all(
    database: Database,
    candidates: Sequence[Candidate],
    proofs: Mapping[str, Proof],
    expected: Mapping[str, float] | None = None,
) -> tuple[Advice, ...]:
    """Call advised what a copy proved by the database's own rules, refuted what it disproved, the rest a candidate."""
    bar = bar_of(database)
    hopes = expected or {}
    return bar.best([bar.judge(one, proofs.get(one.name), hopes.get(one.name)) for one in candidates])


def bar_of(database: Database) -> Bar:
    """Read from the rules of a database what an advice must reach."""
    return Bar(least=database.indexes.least_improvement, most_harm=database.indexes.most_harm)


def _application(database: Database) -> str:
    return f"pgtend:{PIPELINE}:{database.name}"
