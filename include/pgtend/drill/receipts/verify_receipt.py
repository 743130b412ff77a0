"""Verify receipts of pgtend offline, with nothing but Python's standard library.

    python3 -I verify_receipt.py PATH... --key KEY [--key KEY] [--head NUMBER:SHA256] [--start NUMBER]

PATH is a receipt, or a folder of receipts, whose chain is then verified too. KEY is a public key: a file, or the line
that begins with ed25519:. Get it from the people who sign, and not from where you got the receipts. The exit status is
0 when everything holds, 1 when something does not, and 2 when this was called wrongly.

Without --head nobody can tell whether receipts newer than the newest one here were removed.

This file shares no code with pgtend, on purpose: it is a second opinion. A receipt is a DSSE envelope (the signature
covers "DSSEv1", the lengths, the type and the payload) around an in-toto statement; Ed25519 is verified as RFC 8032
says in 5.1.7.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:pgtend:restore-drill:v1"
LINE = "ed25519:"
KEY_LENGTH = 32
SPKI = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key in its DER form."""


class Wrong(Exception):
    """Something does not hold; the words say what."""


class Point(NamedTuple):
    """A point of the curve, in extended coordinates."""

    x: int
    y: int
    z: int
    t: int


class Receipt(NamedTuple):
    """What is needed of a receipt to judge the chain."""

    path: Path
    fleet: str
    database: str
    receipt_id: str
    verdict: str
    backup: str
    issued_at: str
    number: int
    previous: object
    sha256: str


# Ed25519, as RFC 8032 defines it.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a: Point, b: Point) -> Point:
    """Add two points."""
    m, n = (a.y - a.x) * (b.y - b.x) % P, (a.y + a.x) * (b.y + b.x) % P
    c, d = 2 * a.t * b.t * D % P, 2 * a.z * b.z % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def times(factor: int, point: Point) -> Point:
    """Add a point to itself so many times."""
    total = Point(0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = add(total, point)
        point = add(point, point)
        factor >>= 1
    return total


def is_same(a: Point, b: Point) -> bool:
    """Tell whether two points are one."""
    return (a.x * b.z - b.x * a.z) % P == 0 and (a.y * b.z - b.y * a.z) % P == 0


def unpacked(packed: bytes) -> Point:
    """Find the point that 32 bytes stand for."""
    number = int.from_bytes(packed, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(packed) != KEY_LENGTH or y >= P:
        raise Wrong("a key or a signature is no point of the curve")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        raise Wrong("a key or a signature is no point of the curve")
    if x & 1 != sign:
        x = P - x
    return Point(x, y, 1, x * y % P)


BASE = unpacked((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the owner of a public key signed exactly this message."""
    if len(signature) != 2 * KEY_LENGTH:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    a, r = unpacked(public), unpacked(signature[:32])
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return is_same(times(s, BASE), add(r, times(h, a)))


def read_key(written: str) -> bytes:
    """Read a public key from a file or from the line it is written in, and give its 32 bytes."""
    text = written if written.startswith((LINE, "-----BEGIN")) else Path(written).read_text(encoding="utf-8")
    text = text.strip()
    if text.startswith(LINE):
        raw = base64.b64decode(text[len(LINE) :], validate=True)
    else:
        body = re.fullmatch(r"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END PUBLIC KEY-----", text)
        der = base64.b64decode("".join(body[1].split()), validate=True) if body else b""
        raw = der[len(SPKI) :] if der.startswith(SPKI) else b""
    if len(raw) != KEY_LENGTH:
        raise ValueError("there is no public Ed25519 key in it")
    return raw


def key_id(public: bytes) -> str:
    """Name a key: the digest of its DER form."""
    return hashlib.sha256(SPKI + public).hexdigest()


def canonical(value: object) -> bytes:
    """Write JSON in the one form that is signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def field(value: object, *names: str) -> object:
    """Take a value out of nested objects."""
    for name in names:
        if not isinstance(value, dict) or name not in value:
            raise Wrong(f"it lacks {'.'.join(names)}")
        value = cast("dict[str, object]", value)[name]
    return value


def text_of(value: object, *names: str) -> str:
    """Take a text out of nested objects."""
    found = field(value, *names)
    if not isinstance(found, str):
        raise Wrong(f"{'.'.join(names)} is no text")
    return found


def parsed(content: bytes) -> object:
    """Read JSON, and refuse what is not written in the one form that is signed."""
    try:
        value = cast("object", json.loads(content))
    except (ValueError, RecursionError) as error:
        raise Wrong("it is no JSON") from error
    try:
        again = canonical(value)
    except ValueError as error:
        raise Wrong("it holds text that cannot be written") from error
    if again != content:
        raise Wrong("its bytes are not written as pgtend writes them")
    return value


def decoded(text: str) -> bytes:
    """Read base64, and refuse a second way to write the same."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Wrong("it holds what is no base64") from error
    if base64.b64encode(raw).decode() != text:
        raise Wrong("it holds base64 that is written in another way")
    return raw


def open_receipt(path: Path, content: bytes, keys: dict[str, bytes]) -> Receipt:
    """Verify one receipt, and read what the chain needs of it."""
    if not content.endswith(b"\n"):
        raise Wrong("its last byte is missing")
    envelope = parsed(content[:-1])
    signatures = field(envelope, "signatures")
    if not isinstance(signatures, list) or len(cast("list[object]", signatures)) != 1:
        raise Wrong("it has not exactly one signature")
    signed = cast("list[object]", signatures)[0]
    payload, name, signature = (text_of(envelope, "payload"), text_of(signed, "keyid"), text_of(signed, "sig"))
    known = {"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": [{"keyid": name, "sig": signature}]}
    if envelope != known:
        raise Wrong("it is no in-toto statement in an envelope, or holds more than that")
    if name not in keys:
        raise Wrong(f"it is signed by the key {name[:16]}..., which is not trusted here")
    inside = decoded(payload)
    message = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(inside), inside)
    if not signature_holds(keys[name], message, decoded(signature)):
        raise Wrong("its signature does not hold")
    return said(path, parsed(inside), hashlib.sha256(content).hexdigest())


def said(path: Path, statement: object, sha256: str) -> Receipt:
    """Read a statement whose signature holds."""
    if (text_of(statement, "_type"), text_of(statement, "predicateType")) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise Wrong("it is signed, and no receipt of a drill")
    number = field(statement, "predicate", "chain", "sequence")
    if not isinstance(number, int):
        raise Wrong("its number is none")
    return Receipt(
        path=path,
        fleet=text_of(statement, "predicate", "fleet"),
        database=text_of(statement, "predicate", "database"),
        receipt_id=text_of(statement, "predicate", "receipt_id"),
        verdict=text_of(statement, "predicate", "verdict"),
        backup=text_of(statement, "predicate", "backup", "backup_id"),
        issued_at=text_of(statement, "predicate", "issued_at"),
        number=number,
        previous=field(statement, "predicate", "chain", "previous_sha256"),
        sha256=sha256,
    )


def misplaced(receipt: Receipt) -> Iterator[str]:
    """Hold a receipt in a folder against its own name: one that is played again lies in another's place."""
    name = receipt.path.stem
    if name.isdecimal():
        if int(name) != receipt.number:
            yield f"{receipt.path}: it lies in the place of number {int(name)}, and is number {receipt.number}"
    elif (receipt.path.parent.name, name) != (receipt.database, receipt.receipt_id):
        yield f"{receipt.path}: it lies in the place of another receipt; it is {receipt.database}/{receipt.receipt_id}"


def chain_faults(receipts: Sequence[Receipt], broken: set[int], start: int, head: tuple[int, str]) -> Iterator[str]:
    """Follow the chain from its start to the newest receipt."""
    by_number: dict[int, Receipt] = {}
    for receipt in receipts:
        other = by_number.setdefault(receipt.number, receipt)
        if other.sha256 != receipt.sha256:
            yield f"{receipt.path}: another receipt has number {receipt.number} too, {other.path}"
        if other.fleet != receipts[0].fleet:
            yield f"{receipt.path}: it belongs to another fleet, {receipt.fleet}"
    for number in range(start, max([*by_number, *broken, head[0]], default=0) + 1):
        found, before = by_number.get(number), by_number.get(number - 1)
        if found is None:
            if number not in broken:
                yield f"receipt {number}: it is missing"
            continue
        wanted = before.sha256 if before else found.previous
        if found.previous != wanted or (number == 1) != (found.previous is None):
            yield f"{found.path}: it does not follow the receipt before it"
    known = by_number.get(head[0])
    if known and known.sha256 != head[1]:
        yield f"{known.path}: it is not the receipt that --head names"


def note_faults(path: Path, content: bytes, digests: set[str]) -> Iterator[str]:
    """Hold a review or a corrective action against the receipts it may be about."""
    try:
        about = text_of(cast("object", json.loads(content)), "receipt_sha256")
    except (ValueError, RecursionError, Wrong):
        yield f"{path}: it is neither a receipt nor a note about one"
        return
    if about not in digests:
        yield f"{path}: it is a note about a receipt that is not here"


def files_of(path: Path) -> list[Path]:
    """List what is to be read."""
    return sorted(path.rglob("*.json")) if path.is_dir() else [path]


def verify(options: argparse.Namespace) -> int:
    """Verify what was named, say what was found, and give the exit status."""
    keys = {key_id(public): public for public in map(read_key, cast("list[str]", options.key))}
    number, _, digest = cast("str", options.head).partition(":")
    head = (int(number), digest) if digest else (0, "")
    paths = cast("list[Path]", options.paths)
    receipts: list[Receipt] = []
    notes: list[tuple[Path, bytes]] = []
    faults: list[str] = []
    broken: set[int] = set()
    opened: dict[bytes, Receipt] = {}
    for path in (found for one in paths for found in files_of(one)):
        content = path.read_bytes()
        if "." in path.stem and path not in paths:
            notes.append((path, content))
            continue
        try:
            # A vault holds each receipt twice, and a signature is the costly part.
            known = opened.get(content)
            opened[content] = known._replace(path=path) if known else open_receipt(path, content, keys)
            receipts.append(opened[content])
        except Wrong as wrong:
            faults.append(f"{path}: {wrong}")
            broken |= {int(path.stem)} if path.stem.isdecimal() else set()
    if any(path.is_dir() for path in paths) or len(paths) > 1 or digest:
        inside = [receipt for receipt in receipts if receipt.path not in paths]
        faults += [fault for receipt in inside for fault in misplaced(receipt)]
        faults += chain_faults(receipts, broken, cast("int", options.start), head)
    faults += [fault for path, content in notes for fault in note_faults(path, content, {r.sha256 for r in receipts})]
    return tell(receipts, len(notes), faults)


def tell(receipts: Sequence[Receipt], notes: int, faults: Sequence[str]) -> int:
    """Say what holds and what does not."""
    unique = {receipt.sha256: receipt for receipt in sorted(receipts, key=lambda one: one.number)}
    for one in unique.values():
        say(f"{one.number}  {one.verdict}  {one.fleet}/{one.database}  backup {one.backup}  {one.issued_at}")
    if notes:
        say(f"beside them {counted(notes, 'note')}; no signature covers those, the audit of the fleet does")
    if unique:
        newest = max(unique.values(), key=lambda one: one.number)
        say(f"the newest receipt here is {newest.number}:{newest.sha256}")
    for fault in faults:
        say(f"WRONG  {fault}")
    if not receipts and not faults:
        say("WRONG  there is no receipt here")
    holds = bool(receipts) and not faults
    say(
        f"verified {counted(len(unique), 'receipt')}: all hold"
        if holds
        else f"{counted(len(faults), 'fault')} found; believe none of it before you know why"
    )
    return 0 if holds else 1


def counted(amount: int, thing: str) -> str:
    """Say how many there are of a thing, as people do."""
    return f"{amount} {thing}" if amount == 1 else f"{amount} {thing}s"


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


def main() -> int:
    """Read the words of the command."""
    parser = argparse.ArgumentParser(description="Verify receipts of pgtend offline.")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a receipt, or a folder of them")
    parser.add_argument("--key", action="append", required=True, help="a public key that is trusted, or its file")
    parser.add_argument("--head", default="", help="the newest receipt that must be here, as NUMBER:SHA256")
    parser.add_argument("--start", type=int, default=1, help="the first number that must be here; usually 1")
    try:
        return verify(parser.parse_args())
    except (OSError, ValueError) as error:
        sys.stderr.write(f"verify_receipt.py: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
