"""`pgtend receipt`: what drills prove, for people and auditors: list, show, verify, review, correct, export."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pgtend.cli.metrics import replace_file
from pgtend.cli.options import AsJson, desk_of
from pgtend.kernel.names import counted

if TYPE_CHECKING:
    from pgtend.cli.desk import Desk
    from pgtend.drill.receipts.book import ReceiptBook
    from pgtend.drill.receipts.chain import ReceiptReport, Sealed
    from pgtend.drill.receipts.keys import VerifyingKey
    from pgtend.drill.receipts.notes import FiledNote

app = typer.Typer(no_args_is_help=True, help="Signed receipts of drills: the evidence that backups can be restored.")
_STYLES = {"PASS": "green", "PASS_PARTIAL": "yellow", "FAIL": "bold red"}
_KEY_HELP = "A public key that is trusted, or the file that holds it. Default: receipts.trusted_keys of the fleet file."
ReceiptId: TypeAlias = Annotated[
    str, typer.Argument(metavar="RECEIPT", help="Id or number of a receipt, as `pgtend receipt list` shows it.")
]
Keys: TypeAlias = Annotated[list[str] | None, typer.Option("--key", metavar="PUBLIC_KEY", help=_KEY_HELP)]
Author: TypeAlias = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who says so, as an auditor should read it. Default: your login.")
]


@app.command("list")
def list_receipts(
    context: typer.Context,
    database: Annotated[str, typer.Argument(metavar="[DATABASE]", help="Only those of this database.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the receipts of the fleet, newest first, with what people said about them."""
    from rich.text import Text

    from pgtend.cli import screen
    from pgtend.drill.receipts.book import believed
    from pgtend.drill.receipts.notes import notes_about

    desk = desk_of(context)
    with _book(desk) as book:
        chain, broken = believed(book)
        wanted = [one for one in reversed(chain) if database in {"", one.receipt.database}]
        said = {one.sha256: notes_about(book, one) for one in wanted}
    if database and not wanted:
        # A name that nobody knows has no receipts either, and that would sound as if all were well.
        desk.database(database)
    if broken:
        unbelieved = f"{counted(len(broken), 'receipt')} cannot be believed: `pgtend receipt verify --all` says why."
        (screen.progress if as_json else screen.show)(unbelieved)
    if as_json:
        screen.show_json([_row(one, said[one.sha256]) for one in wanted])
        return
    columns = ("number", "receipt", "database", "drilled", "verdict", "backup", "review")
    made = screen.table(*columns, right=("number",), whole=("receipt", "backup"))
    for one in wanted:
        row, style = _row(one, said[one.sha256]), _STYLES[one.receipt.verdict.value]
        verdict = Text(str(row["verdict"]), style=style)
        drilled = f"{one.receipt.run.started_at:%Y-%m-%d %H:%M}"
        texts = (str(row["number"]), str(row["receipt_id"]), one.receipt.database, drilled)
        made.add_row(*texts, verdict, one.receipt.backup.backup_id, str(row["review"]) or "none yet")
    screen.show(made if wanted else "There is no receipt yet: the first drill issues one.")


@app.command()
def show(
    context: typer.Context,
    receipt: Annotated[str, typer.Argument(metavar="RECEIPT", help="Id or number of a receipt, or its file.")],
    key: Keys = None,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Write the page to read and print into this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one receipt whose signature holds; with --page as one HTML file that needs nothing else."""
    from pgtend.cli import screen
    from pgtend.drill.receipts.notes import notes_about
    from pgtend.drill.receipts.page import receipt_page

    notes: tuple[FiledNote, ...] = ()
    if Path(receipt).is_file():
        sealed = _from_file(context, Path(receipt), key)
    else:
        with _book(desk_of(context), key) as book:
            sealed = book.find(receipt)
            notes = notes_about(book, sealed)
    if page:
        replace_file(page, receipt_page(sealed, [filed.note for filed in notes]).encode())
        screen.show(f"The page is in {page}.")
    elif as_json:
        screen.out.print(sealed.statement.payload().decode(), markup=False, soft_wrap=True)
    else:
        _describe(sealed, notes)


@app.command()
def verify(  # noqa: PLR0913, PLR0917 - each is an option that people know by its name
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A receipt that somebody gave you.")] = None,
    key: Keys = None,
    everything: Annotated[bool, typer.Option("--all", help="Verify all receipts of the fleet.")] = False,
    head: Annotated[
        str, typer.Option("--head", metavar="NUMBER:SHA256", help="A receipt you remember: it must be there.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Verify one receipt, or with --all every receipt of the fleet, the chain, the copies, and what the audit knows."""
    from pgtend.cli import screen

    if (file is None) != everything:
        raise typer.BadParameter("name a file, or say --all")
    if file is not None:
        sealed = _from_file(context, file, key)
        if as_json:
            screen.show_json({**_row(sealed, ()), "key": sealed.key_id, "holds": True})
            return
        screen.show(f"The signature of receipt {sealed.sequence} of {sealed.receipt.database} holds.")
        screen.show(f"It says {sealed.receipt.verdict}; its key is {sealed.key_id}.")
        return
    report = _verify_all(desk_of(context), key, head)
    if as_json:
        screen.show_json(
            {
                "receipts": len(report.receipts),
                "head": str(report.head),
                "holds": report.holds,
                "faults": [str(fault) for fault in report.faults],
                "unrecorded": list(report.unrecorded),
            }
        )
    report.raise_if_broken()
    if not as_json:
        screen.show(f"Verified {counted(len(report.receipts), 'receipt')}, all sound; the newest is {report.head}.")
        for place in report.unrecorded:
            screen.show(f"The audit says nothing of {place}.")


@app.command()
def review(
    context: typer.Context,
    receipt: ReceiptId,
    verdict: Annotated[str, typer.Option("--verdict", help="accepted, needs-action or rejected.")],
    by: Author = "",
    note: Annotated[str, typer.Option("--note", help="Why; needed unless it is accepted.")] = "",
) -> None:
    """Record what a person decided about a receipt; the receipt itself is never changed."""
    from pgtend.cli import screen
    from pgtend.cli.desk import who
    from pgtend.drill.receipts.notes import ReviewVerdict, review_receipt

    known = [one.value for one in ReviewVerdict]
    if verdict not in known:
        raise typer.BadParameter(f"--verdict is one of: {', '.join(known)}")
    desk = desk_of(context)
    with _book(desk) as book, desk.ledger() as ledger:
        sealed = book.find(receipt)
        filed = review_receipt(
            book,
            ledger,
            sealed,
            verdict=ReviewVerdict(verdict),
            by=by or who(),
            text=note,
            actor=f"{who()} (shell)",
        )
    screen.show(f"{filed.note.by} reviewed receipt {sealed.sequence}: {verdict}.")


@app.command()
def correct(
    context: typer.Context,
    receipt: ReceiptId,
    action: Annotated[str, typer.Option("--action", help="What was done, or will be done by when.")],
    by: Author = "",
) -> None:
    """Record a corrective action after what a drill found."""
    from pgtend.cli import screen
    from pgtend.cli.desk import who
    from pgtend.drill.receipts.notes import correct_receipt

    desk = desk_of(context)
    with _book(desk) as book, desk.ledger() as ledger:
        sealed = book.find(receipt)
        correct_receipt(book, ledger, sealed, action=action, by=by or who(), actor=f"{who()} (shell)")
    screen.show(f"The corrective action is kept beside receipt {sealed.sequence}.")


@app.command()
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
) -> None:
    """Write everything an auditor needs into a folder: receipts, notes, pages, public keys, and the verifier."""
    from pgtend.cli import screen
    from pgtend.drill.receipts.export import export_receipts

    with _book(desk_of(context)) as book:
        done = export_receipts(book, folder)
    kept = (counted(done.receipts, "receipt"), counted(done.notes, "note"), counted(done.receipts, "page"))
    screen.show(f"In {folder} lie {kept[0]}, {kept[1]} and {kept[2]}.")
    screen.show(f"The newest is {done.head}: tell the auditor on another way than the folder.")


@app.command()
def verifier() -> None:
    """Print the script that verifies receipts with Python's standard library alone."""
    from pgtend.cli import screen
    from pgtend.drill.receipts.export import verifier_script

    screen.out.file.write(verifier_script())


@contextmanager
def _book(desk: Desk, keys: list[str] | None = None) -> Generator[ReceiptBook]:
    from pgtend.drill.receipts.book import ReceiptBook
    from pgtend.drill.receipts.signer import vault_of_receipts

    with desk.vault(vault_of_receipts(desk.fleet)) as vault:
        yield ReceiptBook(vault=vault, fleet=desk.fleet.fleet, trusted=_trusted(desk, keys))


def _trusted(desk: Desk, keys: list[str] | None) -> tuple[VerifyingKey, ...]:
    from pgtend.drill.receipts.keys import read_verifying_key
    from pgtend.drill.receipts.signer import trusted_keys

    return tuple(map(read_verifying_key, keys)) if keys else trusted_keys(desk.fleet.receipts)


def _from_file(context: typer.Context, file: Path, keys: list[str] | None) -> Sealed:
    """Verify a file; with keys on the command line no fleet file is needed."""
    from pgtend.drill.receipts.book import read_file
    from pgtend.drill.receipts.keys import read_verifying_key

    trusted = tuple(map(read_verifying_key, keys)) if keys else _trusted(desk_of(context), None)
    return read_file(file, trusted)


def _verify_all(desk: Desk, keys: list[str] | None, head: str) -> ReceiptReport:
    """Verify the receipts against the ledger, and the ledger against the receipts."""
    from pgtend.cli import screen
    from pgtend.drill.receipts.chain import ReceiptHead
    from pgtend.drill.receipts.verify import audit_heads, verify_receipts

    number, _, digest = head.partition(":")
    if head and not (number.isdecimal() and digest):
        raise typer.BadParameter("--head is NUMBER:SHA256")
    remembered = [ReceiptHead(int(number), digest)] if head else []
    with _book(desk, keys) as book, desk.ledger() as ledger:
        report = verify_receipts(book, ledger, screen.progress, remembered)
        ledger.verify_chain(audit_heads(report.receipts)).raise_if_broken()
    return report


def _row(sealed: Sealed, notes: tuple[FiledNote, ...]) -> dict[str, str | int]:
    verdicts = [filed.note.verdict.value for filed in notes if filed.note.verdict]
    receipt = sealed.receipt
    return {
        "number": sealed.sequence,
        "receipt_id": receipt.receipt_id,
        "database": receipt.database,
        "drilled_at": receipt.run.started_at.isoformat(),
        "verdict": receipt.verdict.value,
        "backup_id": receipt.backup.backup_id,
        "sha256": sealed.sha256,
        "review": verdicts[-1] if verdicts else "",
        "corrections": sum(filed.note.verdict is None for filed in notes),
    }


def _describe(sealed: Sealed, notes: tuple[FiledNote, ...]) -> None:
    from rich.text import Text

    from pgtend.cli import screen
    from pgtend.kernel.times import say_span

    receipt, style = sealed.receipt, _STYLES[sealed.receipt.verdict.value]
    what = f"Receipt {sealed.sequence}: drill of {receipt.database} on {receipt.run.started_at:%Y-%m-%d %H:%M} UTC, "
    screen.show(Text(what).append(receipt.verdict.value, style=style))
    screen.show(f"Backup {receipt.backup.backup_id} of {receipt.backup.taken_at:%Y-%m-%d %H:%M} UTC.")
    if receipt.recovery_time.measured:
        screen.show(f"Restored in {say_span(receipt.recovery_time.measured)}.")
    made = screen.table("check", "result", "expected", "found", "more")
    for check in receipt.checks:
        name = f"{check.name.value} ({check.subject})" if check.subject else check.name.value
        made.add_row(name, check.outcome.value, check.expected, check.found, check.detail)
    screen.show(made)
    for line in receipt.not_checked:
        screen.show(f"Not checked: {line}")
    for filed in notes:
        said = filed.note
        what = f"{said.kind.value}, {said.verdict.value}" if said.verdict else said.kind.value
        screen.show(f"{said.at:%Y-%m-%d} {said.by}: {what}{': ' if said.text else ''}{said.text}")
    screen.show(f"Signed by {sealed.key_id}; {sealed.sequence}:{sealed.sha256}.")
