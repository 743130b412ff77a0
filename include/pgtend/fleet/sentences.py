"""Turns what pydantic finds into plain sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import cast

from pydantic_core import ErrorDetails

from pgtend.fleet.findings import Finding, Path
from pgtend.fleet.leaks import HINT, is_secret_name
from pgtend.fleet.places import known_settings
from pgtend.fleet.settings import REFUSED, say_timespan
from pgtend.kernel.names import did_you_mean, nearest

_Words = tuple[str, str]


def findings_from(errors: Iterable[ErrorDetails], written: Collection[Path]) -> list[Finding]:
    """Say in plain sentences what is wrong, once for each place that a person wrote."""
    errors = list(errors)
    mistyped = {_meant(error["loc"]) for error in errors if error["type"] == "extra_forbidden"}
    findings: dict[Path, Finding] = {}
    for error in errors:
        path = _place(error, written)
        if path in written or (error["type"] == "missing" and path not in mistyped):
            findings.setdefault(path, Finding(path, *_words(error, path)))
    return list(findings.values())


def say_value(value: object) -> str:
    """Show what a person wrote, shortened; of blocks and lists only that they are some."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 40 else f"'{value[:40]}...'"  # noqa: PLR2004 - enough to recognise it
    return "a list" if isinstance(value, list | tuple) else "a block of settings"


def _meant(path: Path) -> Path:
    """Tell the setting that a mistyped one most likely stands for: that one is not missing, too."""
    return (*path[:-1], nearest(str(path[-1]), known_settings(path[:-1])))


def _place(error: ErrorDetails, written: Collection[Path]) -> Path:
    """Tell where a person looks: a key's problem is at the key, and a single value may stand for a list of one."""
    path = error["loc"]
    is_made_up = path[-1:] == ("[key]",) or (path[-1:] == (0,) and path not in written)
    return path[:-1] if is_made_up else path


def _words(error: ErrorDetails, path: Path) -> _Words:
    context = cast("Mapping[str, object]", error.get("ctx", {}))
    if error["type"] == REFUSED:
        return str(context["what"]), str(context["hint"])
    write = _SENTENCES.get(error["type"])
    if write is None:
        return f"{error['msg'][:1].lower()}{error['msg'][1:]}", ""
    return write(error["input"], path, context)


def _unknown(_found: object, path: Path, _context: Mapping[str, object]) -> _Words:
    name = str(path[-1])
    if is_secret_name(name):
        return "a secret is written here", HINT
    return f"unknown setting '{name}'", did_you_mean(name, known_settings(path[:-1]))


def _missing(_found: object, path: Path, _context: Mapping[str, object]) -> _Words:
    return f"'{path[-1]}' is missing", "it has no default"


def _choice(found: object, _path: Path, context: Mapping[str, object]) -> _Words:
    choices = re.findall(r"'([^']*)'", str(context["expected"]))
    hint = did_you_mean(found, choices) if isinstance(found, str) else ""
    said = f"expected one of {', '.join(choices)}, found {say_value(found)}"
    return said, hint if hint.startswith("did") else ""


def _switch(found: object, _path: Path, _context: Mapping[str, object]) -> _Words:
    return f"expected true or false, found {say_value(found)}", ""


def _text(found: object, _path: Path, _context: Mapping[str, object]) -> _Words:
    quotes = f'put it in quotes: "{found}"' if isinstance(found, int | float) else ""
    return f"expected text, found {say_value(found)}", "" if isinstance(found, bool) else quotes


def _number(found: object, _path: Path, _context: Mapping[str, object]) -> _Words:
    percent = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", found) if isinstance(found, str) else None
    hint = f"write {float(percent.group(1)) / 100:g} for {percent.group(0)}" if percent else ""
    return f"expected a number, found {say_value(found)}", hint


def _whole_number(found: object, _path: Path, _context: Mapping[str, object]) -> _Words:
    digits = re.sub(r"[ _,.]", "", found) if isinstance(found, str) else ""
    return f"expected a whole number, found {say_value(found)}", f"write {digits}" if digits.isdecimal() else ""


def _block(found: object, path: Path, _context: Mapping[str, object]) -> _Words:
    inside = known_settings(path)
    hint = f"settings here: {', '.join(inside)}" if inside else "write 'name: value' lines, indented below it"
    return f"expected settings below this name, found {say_value(found)}", hint


def _list(found: object, _path: Path, _context: Mapping[str, object]) -> _Words:
    return f"expected a list, found {say_value(found)}", "write [a, b], or one '- a' a line"


def _amount(value: object) -> str:
    return say_timespan(value) if isinstance(value, timedelta) else str(value)


def _bound(words: str, limit: str) -> Callable[[object, Path, Mapping[str, object]], _Words]:
    def write(found: object, _path: Path, context: Mapping[str, object]) -> _Words:
        return f"{_amount(found)} is too {words} {_amount(context[limit])}", ""

    return write


def _too_short(found: object, _path: Path, context: Mapping[str, object]) -> _Words:
    return (
        f"{say_value(found)} is too short" if found else "nothing is written here",
        f"at least {context['min_length']}",
    )


def _too_long(found: object, _path: Path, context: Mapping[str, object]) -> _Words:
    return f"{say_value(found)} is too long", f"at most {context['max_length']} letters"


def _shape(found: object, path: Path, _context: Mapping[str, object]) -> _Words:
    what = _SHAPES.get(str(path[-1]) if isinstance(path[-1], str) else str(path[-2]), ("a value of this kind", ""))
    return f"{say_value(found)} is not {what[0]}", what[1]


_SHAPES = {
    "endpoint": ("the address of a server", "write https://host:port, without user, path or bucket"),
    "bucket_owner": ("an AWS account", "write its 12 digits in quotes"),
    "prefix": ("a prefix for keys", "letters, digits and . _ - /, not starting with '/'"),
    "to": ("a mail address", "write somebody@example.org"),
    "from": ("a mail address", "write somebody@example.org"),
}

_SENTENCES: dict[str, Callable[[object, Path, Mapping[str, object]], _Words]] = {
    "extra_forbidden": _unknown,
    "missing": _missing,
    "enum": _choice,
    "bool_type": _switch,
    "string_type": _text,
    "float_type": _number,
    "int_type": _whole_number,
    "model_type": _block,
    "model_attributes_type": _block,
    "dict_type": _block,
    "tuple_type": _list,
    "greater_than": _bound("small: it must be more than", "gt"),
    "greater_than_equal": _bound("small: at least", "ge"),
    "less_than_equal": _bound("large: at most", "le"),
    "string_too_short": _too_short,
    "string_too_long": _too_long,
    "too_short": _too_short,
    "string_pattern_mismatch": _shape,
}
