"""Takes every literal out of a statement, before its text touches our disk.

pg_stat_statements leaves literals in more places than people think: in utility statements, in bodies of functions, in
comments, and in whatever ran while its entry was reset. So every text is read token by token, and only what cannot be
a value is kept: key words, names, operators, and parameters that the server itself wrote as `$1`. What cannot be read
is not kept at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

VERSION = 2
REDACTED = "<redacted>"
_HOLE = "?"
_NAME_START = r"[^\W\d]"
_PLAIN_NAME = re.compile(rf"{_NAME_START}[\w$]*(?: [\w$]+)*")
_LONGEST_NAME = 63


class Kind(Enum):
    """What a token is."""

    LITERAL = auto()
    PARAMETER = auto()
    WORD = auto()
    QUOTED = auto()
    SIGN = auto()
    UNREADABLE = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement, and whether something stood between it and the one before."""

    kind: Kind
    text: str
    gap: bool


# Ends of quoted things are optional: a text may be cut off in the middle, and then its rest is all literal.
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<line>--[^\r\n]*)
  | (?P<block>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*(?:'|\\?\Z))
  | (?P<text>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|\Z))
  | (?P<dollar>\$(?P<tag>(?:{_NAME_START}\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
  | (?P<parameter>\$\d+)
  | (?P<number>(?:\d|\.\d)(?:[eEpP][+-]|[\w.])*)
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*(?:"|\Z))
  | (?P<word>{_NAME_START}[\w$]*)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_GAPS = frozenset({"space", "line", "block"})
_KINDS = {
    "escaped": Kind.LITERAL,
    "text": Kind.LITERAL,
    "dollar": Kind.LITERAL,
    "tag": Kind.LITERAL,
    "parameter": Kind.PARAMETER,
    "number": Kind.LITERAL,
    "quoted": Kind.QUOTED,
    "word": Kind.WORD,
    "sign": Kind.SIGN,
}
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_SETTERS = frozenset({"SET", "ALTER", "CREATE"})
_ASSIGNS = frozenset({"TO", "="})
_SORTED = frozenset({"GROUP", "ORDER"})
_GOES_ON = frozenset({",", "ASC", "DESC", "NULLS", "FIRST", "LAST"})
_POSITION = re.compile(r"\d\d?")


def scrub(text: str) -> str:
    """Give the statement without literals and comments, on one line; what cannot be read for certain is left out."""
    tokens = list(read_tokens(text))
    if any(token.kind is Kind.UNREADABLE for token in tokens):
        return REDACTED
    return _joined(list(_with_positions(list(_without_settings(tokens)))))


def fingerprint(scrubbed: str) -> str:
    """Name a statement so that it keeps its name across versions, restores and servers.

    Parameters lose their numbers and lists of them their length, because servers differ in both; and nobody's statement
    becomes another one by a space or a capital letter.
    """
    lowered = re.sub(r"\$\d+", _HOLE, scrubbed.lower())
    tight = re.sub(r"\s*([^\w\s\"$])\s*", r"\1", lowered)
    same_lists = re.sub(r"\(\?(?:,\?)+\)", f"({_HOLE})", tight)
    same_rows = re.sub(r"\(\?\)(?:,\(\?\))+", f"({_HOLE})", same_lists)
    return hashlib.sha256(same_rows.encode()).hexdigest()[:16]


def read_tokens(text: str) -> Iterator[Token]:
    """Take a statement apart, to its last character; of spaces and comments only the gap remains."""
    place, gap = 0, False
    while place < len(text):
        match = _TOKEN.match(text, place)
        name = (match.lastgroup if match else None) or "sign"
        place = _end_of_comment(text, place) if match is None or name == "block" else match.end()
        if match is None or name in _GAPS:
            gap = True
            continue
        yield Token(_judged(_KINDS[name], match.group()), match.group(), gap=gap)
        gap = False


def _end_of_comment(text: str, begin: int) -> int:
    """Find the end of a comment, which may hold others; one that never ends takes the rest."""
    depth = 0
    for edge in _BLOCK_EDGE.finditer(text, begin):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def _judged(kind: Kind, text: str) -> Kind:
    """Doubt a plain text with an escaped quote: on servers with old settings it ends somewhere else."""
    is_plain = kind is Kind.LITERAL and text[:1] not in {"e", "E", "$"}
    return Kind.UNREADABLE if is_plain and "\\'" in text else kind


def _without_settings(tokens: Sequence[Token]) -> Iterator[Token]:
    """Take the values of settings for literals, which may be bare words: SET mail.password TO hunter2."""
    verb, inside = "", False
    for place, token in enumerate(tokens):
        verb = verb or token.text.upper()
        if inside and token.kind in {Kind.WORD, Kind.QUOTED} and _goes_on(tokens[place - 1]):
            yield Token(Kind.LITERAL, token.text, gap=token.gap)
            continue
        inside = (inside and token.kind is not Kind.WORD) or (verb in _SETTERS and _begins_value(tokens, place))
        if token.text == ";":
            verb, inside = "", False
        yield token


def _with_positions(tokens: Sequence[Token]) -> Iterator[Token]:
    """Keep the 1 of GROUP BY 1: it names a column of the answer, cannot be a value, and is needed for a plan."""
    inside, verb, before = False, "", ""
    for token in tokens:
        written = token.text.upper()
        begins = before == "BY" and verb in _SORTED
        inside = begins or (inside and (written in _GOES_ON or before == ","))
        verb, before = before, written
        is_position = inside and token.kind is Kind.LITERAL and bool(_POSITION.fullmatch(token.text))
        yield Token(Kind.WORD, token.text, gap=token.gap) if is_position else token


def _begins_value(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether this is the TO or = behind SET [LOCAL | SESSION] name[.name]."""
    if tokens[place].text.upper() not in _ASSIGNS:
        return False
    back = place - 1
    while back >= 0 and (tokens[back].kind in {Kind.WORD, Kind.QUOTED} or tokens[back].text == "."):
        if tokens[back].text.upper() == "SET":
            return True
        back -= 1
    return False


def _goes_on(before: Token) -> bool:
    """Tell whether a word still belongs to the value: it is the first one, or stands behind a comma or a sign."""
    return before.kind is Kind.SIGN or before.text.upper() in _ASSIGNS


def _joined(tokens: Sequence[Token]) -> str:
    """Write the pieces in one line; whatever stood between two of them becomes one space."""
    return "".join((" " if token.gap and place else "") + _shown(token) for place, token in enumerate(tokens))


def _shown(token: Token) -> str:
    if token.kind is Kind.LITERAL:
        return _HOLE
    if token.kind is Kind.QUOTED:
        return token.text if _is_name(token.text) else _HOLE
    return token.text


def _is_name(quoted: str) -> bool:
    """Tell a name that a person gave to a table from a value that stands in quotes by mistake."""
    inside = quoted[1:-1]
    return quoted.endswith('"') and len(inside) <= _LONGEST_NAME and bool(_PLAIN_NAME.fullmatch(inside))
