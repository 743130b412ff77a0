"""The page of a receipt: one HTML file that people read and print, made from the receipt and the notes about it alone.

Nothing is loaded from anywhere, and nothing on it is computed that the receipt does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape
from importlib.resources import files
from itertools import groupby

from pgtend.drill.model import CheckOutcome, Verdict
from pgtend.drill.receipts.chain import ReceiptHead, Sealed
from pgtend.drill.receipts.controls import Control, controls_of
from pgtend.drill.receipts.model import CheckMade, Receipt, TimeTarget
from pgtend.drill.receipts.notes import Note, NoteKind
from pgtend.kernel.names import counted
from pgtend.kernel.sizes import Bytes
from pgtend.kernel.times import say_span

_STYLE = {
    Verdict.PASS: ("good", "Passed", "Everything that was due was checked, and nothing was wrong."),
    Verdict.PASS_PARTIAL: (
        "note",
        "Passed in part",
        "Nothing that was checked was wrong, but not everything that was due could be checked.",
    ),
    Verdict.FAIL: ("bad", "Failed", "Something was wrong. What it was, and what has to be mended, is listed below."),
}
_OUTCOMES = {
    CheckOutcome.PASSED: ("good", "passed"),
    CheckOutcome.FAILED: ("bad", "FAILED"),
    CheckOutcome.SKIPPED: ("note", "not done"),
}


def receipt_page(sealed: Sealed, notes: Sequence[Note] = ()) -> str:
    """Write the page of one receipt."""
    receipt = sealed.receipt
    reviews = sum(note.kind is NoteKind.REVIEW for note in notes)
    parts = (
        _head(receipt),
        _what(receipt),
        _failures(receipt),
        _times(receipt),
        _checks(receipt),
        _not_checked(receipt),
        _isolation(receipt),
        _notes(notes),
        _controls(controls_of(receipt, reviews)),
        _authenticity(sealed),
    )
    title = f"Restore drill of {receipt.database}, {_day(receipt.run.started_at)}: {_STYLE[receipt.verdict][1].lower()}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_css()}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _css() -> str:
    return (files("pgtend.drill.receipts") / "page.css").read_text(encoding="utf-8")


def _head(receipt: Receipt) -> str:
    style, word, meaning = _STYLE[receipt.verdict]
    return (
        f'<p class="quiet">Receipt {receipt.chain.sequence} of fleet {escape(receipt.fleet)}</p>\n'
        f"<h1>Restore drill of {escape(receipt.database)}, {_day(receipt.run.started_at)}</h1>\n"
        f'<p><span class="verdict {style}">{word}</span></p>\n'
        f"<p>{meaning}</p>\n"
        '<p class="quiet">A drill restores a backup into an empty server that must not reach anything, compares what '
        "is there with what was recorded when the backup was taken, and removes it again.</p>"
    )


def _what(receipt: Receipt) -> str:
    backup, chosen, run = receipt.backup, receipt.selection, receipt.run
    sealed_for = f"opened with the key of {chosen.key_name}" if chosen.key_name else "not encrypted"
    return _section(
        "What was tested",
        _facts(
            ("Database", receipt.database),
            ("Backup", f"{backup.backup_id}, taken {_moment(backup.taken_at)}"),
            ("Where it lay", f"{backup.place}, in {counted(backup.parts, 'part')}, {sealed_for}"),
            (
                "What it holds",
                f"{counted(backup.tables, 'table')}, {counted(backup.rows, 'row')}; {Bytes(backup.stored_size)} stored",
            ),
            ("Source", f"PostgreSQL {backup.source_version}, system {backup.system_identifier}, at {backup.lsn}"),
            ("Chosen as", f"{chosen.rule.meaning}, of {counted(chosen.candidates, 'backup')}"),
            ("Restored to", f"PostgreSQL {receipt.surroundings.server_version} on {run.host}"),
            ("Started by", run.operator),
            ("When", f"{_moment(run.started_at)} to {_moment(run.ended_at)}"),
            ("Run", run.url or "not in Airflow"),
            ("Policy", receipt.policy or "none is named"),
            ("Copy afterwards", _wiped(receipt)),
        ),
    )


def _wiped(receipt: Receipt) -> str:
    if receipt.wipe.is_gone:
        return f"removed: {receipt.wipe.method}"
    until = receipt.wipe.kept_until
    return f"kept until {_moment(until)}" if until else f"NOT removed: {receipt.wipe.method}"


def _failures(receipt: Receipt) -> str:
    if not receipt.failures:
        return ""
    rows = [(one.failure.value, one.meaning, one.blame.value) for one in receipt.failures]
    return _section("What was wrong", _table(("class", "what happened", "what has to be mended"), rows))


def _times(receipt: Receipt) -> str:
    targets = [
        _target_row("Recovery time", receipt.recovery_time),
        _target_row("Recovery point", receipt.recovery_point),
    ]
    longest = max((stage.took for stage in receipt.stages), default=timedelta())
    stages = "".join(
        f'<tr><th scope="row">{escape(stage.stage.value)}</th><td class="number">{say_span(stage.took)}</td>'
        f'<td class="number">{Bytes(stage.size) if stage.size is not None else ""}</td>'
        f'<td class="bar"><span style="width:{_share(stage.took, longest)}%"></span></td></tr>\n'
        for stage in receipt.stages
    )
    return _section(
        "Times",
        _table(("", "target", "measured", "at today's size", "judgement"), targets)
        + '<p class="quiet">Recovery time: from the empty server to the last answer. '
        "Recovery point: how old the newest backup was.</p>"
        + '<table><caption>Each step</caption><thead><tr><th scope="col">step</th>'
        '<th scope="col" class="number">took</th>'
        f'<th scope="col" class="number">bytes</th><td></td></tr></thead><tbody>\n{stages}</tbody></table>',
    )


def _target_row(name: str, target: TimeTarget) -> tuple[str, ...]:
    judged = "no target" if target.target is None else "missed" if target.is_missed else "within the target"
    crossing = f"; missed from {_day(target.crosses_at)} if it grows on like this" if target.crosses_at else ""
    return (name, _span(target.target), _span(target.measured), _span(target.predicted), judged + crossing)


def _checks(receipt: Receipt) -> str:
    rows = "".join(map(_check_row, receipt.checks))
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("check", "result", "expected", "found", "more"))
    passed = sum(check.outcome is CheckOutcome.PASSED for check in receipt.checks)
    return _section(
        "Checks",
        f"<p>{passed} of {len(receipt.checks)} passed.</p>"
        f'<table class="wide"><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table>',
    )


def _check_row(check: CheckMade) -> str:
    style, word = _OUTCOMES[check.outcome]
    label = f"{check.name.value} ({check.subject})" if check.subject else check.name.value
    more = ". ".join(filter(None, (check.failure.value if check.failure else "", check.detail)))
    return (
        f'<tr><th scope="row">{escape(label)}</th><td class="{style}">{word}</td>'
        f'<td data-label="expected">{escape(check.expected)}</td><td data-label="found">{escape(check.found)}</td>'
        f"<td>{escape(more)}</td></tr>\n"
    )


def _not_checked(receipt: Receipt) -> str:
    listed = _list(receipt.not_checked) if receipt.not_checked else "<p>Nothing that this drill knows of.</p>"
    remarks = f"<p>Remarks:</p>{_list(receipt.remarks)}" if receipt.remarks else ""
    return _section("What was not checked", listed + remarks)


def _isolation(receipt: Receipt) -> str:
    where = receipt.surroundings
    tried = [(one.what, "REACHED" if one.was_reached else "not reached", one.answer) for one in where.canaries]
    tools = ", ".join(f"{name} {version}" for name, version in sorted(where.tools.items()))
    return _section(
        "Isolation of the copy",
        f"<p>Shut in by {escape(where.isolation)}, level {where.isolation_level} of 3. "
        "Before any row was there, this was tried from inside:</p>"
        + (_table(("tried", "result", "answer"), tried) if tried else '<p class="bad">Nothing was tried.</p>')
        + f'<p class="quiet">Tools: {escape(tools)}.</p>',
    )


def _notes(notes: Sequence[Note]) -> str:
    reviews = [note for note in notes if note.kind is NoteKind.REVIEW]
    actions = [note for note in notes if note.kind is NoteKind.CORRECTION]
    said = [
        (note.by, _moment(note.at), note.verdict.value if note.verdict else "", note.text or "without a comment")
        for note in reviews
    ]
    done = [(note.by, _moment(note.at), note.text) for note in actions]
    return _section(
        "Review and corrective action",
        (_table(("reviewed by", "when", "decision", "note"), said) if said else "<p>Nobody has reviewed it yet.</p>")
        + (_table(("by", "when", "corrective action"), done) if done else "<p>No corrective action is recorded.</p>")
        + '<div class="by-hand"><span>Name</span><span>Date</span><span>Signature</span></div>',
    )


def _controls(controls: Sequence[Control]) -> str:
    heads = ("control", "asks for", "this receipt is evidence of", "has to be shown otherwise")
    tables = [
        f"<h3>{escape(standard)}</h3>"
        + _table(heads, [(one.reference, one.asks, one.supports or "Nothing.", one.leaves_open) for one in group])
        for standard, group in groupby(controls, key=lambda one: one.standard)
    ]
    return _section(
        "What this supports",
        '<p class="quiet">One receipt is evidence for parts of these controls. It certifies none of them: whether a '
        "control is met is the judgement of the people responsible and of their auditor.</p>" + "\n".join(tables),
    )


def _authenticity(sealed: Sealed) -> str:
    receipt, head = sealed.receipt, ReceiptHead(sealed.sequence, sealed.sha256)
    before = receipt.chain.previous_sha256 or "none: it is the first of its fleet"
    return _section(
        "How to know that this is genuine",
        "<p>This page is a rendering. The signed receipt is the file; whoever has it and the public key can verify it "
        "with nothing of ours installed:</p>"
        f"<pre>python3 -I verify_receipt.py {escape(receipt.receipt_id)}.json --key PUBLIC_KEY --head {head}</pre>"
        + _facts(
            ("Receipt", receipt.receipt_id),
            ("Issued", _moment(receipt.issued_at)),
            ("SHA-256 of the file", sealed.sha256),
            ("Signed by key", sealed.key_id),
            ("Receipt before it", before),
            ("Audit then", f"entry {receipt.audit_head.seq}, {receipt.audit_head.hash}"),
        ),
    )


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>"


def _facts(*facts: tuple[str, str]) -> str:
    return "<dl>\n" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>\n" for name, text in facts) + "</dl>"


def _list(items: Iterable[str]) -> str:
    return "<ul>\n" + "".join(f"<li>{escape(item)}</li>\n" for item in items) + "</ul>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(head)}</th>' if head else "<td></td>" for head in heads)
    body = "".join(f"<tr>{''.join(_cells(heads, row))}</tr>\n" for row in rows)
    return f'<table class="wide"><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table>'


def _cells(heads: Sequence[str], row: Sequence[str]) -> Iterable[str]:
    for number, (head, cell) in enumerate(zip(heads, row, strict=True)):
        if number == 0:
            yield f'<th scope="row">{escape(cell)}</th>'
        else:
            yield f'<td data-label="{escape(head)}">{escape(cell)}</td>'


def _share(took: timedelta, longest: timedelta) -> int:
    return round(100 * (took / longest)) if longest else 0


def _span(span: timedelta | None) -> str:
    return say_span(span) if span is not None else "not stated"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
