"""Takes secrets and the content of rows out of what PostgreSQL and its tools print.

The server quotes what it complains about, and pg_restore repeats the statement that failed: both may be a patient's
record or a password. What is left still says which table, which constraint and what kind of failure it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_GONE = "[redacted]"
# A value may span lines, so it ends only where the next line starts as a tool or the server starts one.
_NEXT = r"\n[\w/.:\[\]-]+: |\n[A-Z]+:"
_REST = rf"(?:.|\n)*?(?={_NEXT}|\Z)"
# A value may hold double quotes of its own, so it ends at the last one.
_QUOTED = rf'"(?:(?!{_NEXT})(?:.|\n))*"'

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"(Command was:|STATEMENT:|QUERY:|LINE \d+:){_REST}"), rf"\1 {_GONE}"),
    (re.compile(rf"(Failing row contains) \({_REST}"), rf"\1 ({_GONE})."),
    (re.compile(rf"(Key \([^\n]*?\))=\({_REST}"), rf"\1=({_GONE})."),
    (re.compile(rf"(COPY [^\n,]+, line \d+)(, column [^\n:]+)?(?::|, ){_REST}"), rf"\1\2: {_GONE}"),
    (re.compile(rf"(JSON data, line \d+:){_REST}"), rf"\1 {_GONE}"),
    (re.compile(r"\b(postgres(?:ql)?://[^\s:/@]*):[^\s/]*@"), rf"\1:{_GONE}@"),
    (
        re.compile(r"\b(\w*password\s*[=:]\s*)(?:'(?:[^'\\]|\\.|'')*'|\"[^\"\n]*\"|[^\s&]+)", re.IGNORECASE),
        rf"\1{_GONE}",
    ),
    # In double quotes stands a name, unless a colon or one of these words says that it is a value.
    (re.compile(rf"(: |\b(?:[Vv]alue|[Tt]oken|[Ii]nput|near|string|literal) ){_QUOTED}"), rf'\1"{_GONE}"'),
    (re.compile(r"(?<!\w)E?'(?:[^'\n]|'')*'(?!\w)"), f"'{_GONE}'"),
    (re.compile(r"\$(\w*)\$(?:.|\n)*?\$\1\$"), _GONE),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Take out known secrets first, then everything that stands where values stand."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _GONE)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redacted_tail(text: str, secrets: Iterable[str] = (), *, lines: int = 8) -> str:
    """Keep the last lines, where a tool says why it gave up, and nothing that must not be read."""
    return "\n".join(redact(text, secrets).strip().splitlines()[-lines:])
