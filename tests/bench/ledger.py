"""What the ledger costs: an entry of the audit, a whole run, and the proof that nothing was changed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bed.clusters import LiveDatabase, new_database
from bed.ledgers import KGC, RECORD, Looked, member_of, tell
from bench.disks import durable_server
from bench.figures import Cost, Section, Table, milliseconds, prose, race, ratio, repeated, seconds, spent
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.folder import FolderLedger
from pgtend.ledger.lines import write_line
from pgtend.ledger.migrate import migrate
from pgtend.ledger.model import Ledger

ROUNDS = 3
ENTRIES = 100_000
TIMES = 200
EVIDENCE = [Looked(f"table_{number}") for number in range(100)]
PLAIN_NAME = "a plain INSERT, database"
PLAIN = "INSERT INTO public.plain (actor, action, target, detail) VALUES ('airflow', 'test.done', 'kgc', '{}')"
FILL = f"""
SELECT count(entry.seq) FROM generate_series(1, {ENTRIES}) AS n,
LATERAL reporting.append_audit('airflow', 'run.started', 'kgc/analyze', jsonb_build_object('run_id', n)) AS entry
"""  # noqa: S608 - a number of ours


@dataclass(frozen=True, slots=True)
class Memory:
    """A ledger and its name in the table."""

    name: str
    ledger: Ledger

    def append(self) -> None:
        """Write one entry."""
        self.ledger.audit(actor="airflow", action="test.done", target="kgc", detail={"tables": 3})

    def run(self) -> None:
        """Do a run that leaves no evidence."""
        with self.ledger.run(KGC):
            pass

    def run_with_evidence(self) -> None:
        """Do a run that leaves a hundred rows in one batch."""
        with self.ledger.run(KGC) as run:
            run.add(RECORD, EVIDENCE)


def measure() -> Section:
    """Measure both kinds of ledger beside a plain INSERT on the same server."""
    with durable_server() as server, new_database(server) as reporting, tempfile.TemporaryDirectory() as folder:
        with reporting.session() as session:
            migrate(session)
            tell(session, "CREATE TABLE public.plain (actor text, action text, target text, detail jsonb)")
        with reporting.session(member_of(reporting, "pgtend_writer")) as session:
            memories = (
                Memory("database", DatabaseLedger(session)),
                Memory("folder", FolderLedger(Path(folder) / "ledger")),
            )
            writing = _writing(reporting, memories)
        verifying = _verifying(reporting)
    return Section(
        title="Ledger",
        measured=prose(f"""
            One writer, every entry on disk before the call returns; the mean of {TIMES}, the best of {ROUNDS} rounds.
            The plain `INSERT` puts the same words into a table without a chain, over an open connection, and commits.
            Then a chain of {ENTRIES:,} entries is verified.
        """),
        tables=(_writing_table(writing), _verifying_table(verifying)),
        remarks=(
            prose("""
                An entry in the database costs more than a plain row: it is numbered and hashed under a lock, so that
                the chain never forks. A run is two entries and the row of the run, a batch of evidence one commit
                more with a statement for each row; that happens a few times a night.
            """),
            prose("""
                A chain is verified from its first entry, so the time grows with its length. PostgreSQL itself is
                faster, but a server that was tampered with is not to be asked whether it was: the daily audit reads
                every entry and computes its hash in Python.
            """),
        ),
    )


def _writing(reporting: LiveDatabase, memories: tuple[Memory, ...]) -> dict[str, Cost]:
    with reporting.session() as session:
        works: dict[str, Callable[[], object]] = {PLAIN_NAME: lambda: session.connection.execute(PLAIN)}
        for memory in memories:
            works[f"one entry, {memory.name}"] = memory.append
            works[f"a run, {memory.name}"] = memory.run
            works[f"a run with 100 rows, {memory.name}"] = memory.run_with_evidence
        return race({name: repeated(work, TIMES) for name, work in works.items()}, rounds=ROUNDS)


def _verifying(reporting: LiveDatabase) -> dict[str, Cost]:
    # In memory, because a chain of this length is made here only to be read.
    with reporting.session() as session, tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        tell(session, "SET statement_timeout = 0", FILL)
        ledger, copy = DatabaseLedger(session), FolderLedger(Path(folder))
        for entry in ledger.entries():
            write_line(Path(folder) / "audit.jsonl", entry)
        return {
            "database, pgtend": spent(lambda: _verify(ledger)),
            "database, PostgreSQL itself": spent(ledger.breaks_by_server),
            "folder, pgtend": spent(lambda: _verify(copy)),
        }


def _verify(ledger: Ledger) -> None:
    verdict = ledger.verify_chain()
    assert verdict.holds
    assert verdict.entries >= ENTRIES


def _writing_table(costs: dict[str, Cost]) -> Table:
    plain = costs[PLAIN_NAME]
    rows = [
        (*name.split(", "), milliseconds(cost.wall), f"{1 / cost.wall:,.0f}", ratio(cost.wall, plain.wall))
        for name, cost in costs.items()
    ]
    return Table(("written", "where", "time", "a second", "to the INSERT"), tuple(rows), words=2)


def _verifying_table(costs: dict[str, Cost]) -> Table:
    rows = [
        (
            *name.split(", "),
            seconds(cost.wall),
            f"{ENTRIES / cost.wall:,.0f}",
            seconds(cost.cpu),
            f"{cost.memory:.0f} MB",
        )
        for name, cost in costs.items()
    ]
    return Table(("where", "verified by", "time", "entries a second", "CPU", "memory"), tuple(rows), words=2)
