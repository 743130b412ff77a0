"""The reference page of all settings, generated from the models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, cast, get_args, get_origin

from pydantic.fields import FieldInfo

from pgtend.fleet.findings import Path
from pgtend.fleet.places import block_in, blocks_by_name, settings_of, walk_blocks
from pgtend.fleet.profiles import PROFILES, Environment
from pgtend.fleet.settings import Kind, Settings, say_timespan

_INTRODUCTION = """\
# Settings of the fleet file

<!-- Generated from the models in include/pgtend/fleet; a house test compares them. Changes made here are lost. -->

One file, `fleet.yaml`, says which databases are looked after and by which rules. This is a whole one:

```yaml
fleet: clinic
databases:
  kgc:
    connection: kgc
```

Everything else has a default. A setting that is not known is an error, and so is a second one of the same name. No
secret belongs in the file: it names connections, and the connections hold the passwords.

- **Spans of time** are numbers with units: `90 s`, `15 min`, `1 h 30 min`, `7 days`.
- **Times of day** are written `22:00`. **Time zones** are names such as `UTC` or `Africa/Lagos`.
- **Names** start with a lower-case letter and go on with lower-case letters, digits, `_` and `-`: 40 in all.
- **Cron lines** have five fields: minute, hour, day of the month, month, day of the week.
- What several databases share can be written once: mark a block with `&rules` and take it over with `<<: *rules`.

Editors complete and check the file with `docs/reference/fleet.schema.json`; for those that speak the YAML language
server, put this on its first line: `# yaml-language-server: $schema=docs/reference/fleet.schema.json`.
"""


def settings_page() -> str:
    """Write the page: one table for each block of settings."""
    return "\n".join([_INTRODUCTION, *_environment_table(), *_blocks()])


def _environment_table() -> Iterator[str]:
    yield "## What the environment decides\n"
    yield "Defaults that are not the same everywhere; `environment` chooses the column.\n"
    yield f"| setting of a database | {' | '.join(PROFILES)} |"
    yield "|---" * (1 + len(PROFILES)) + "|"
    for block, settings in PROFILES[Environment.PRODUCTION].items():
        for name in settings:
            values = " | ".join(f"{profile[block][name]}" for profile in PROFILES.values())
            yield f"| `{block}.{name}` | {values} |"
    yield ""


def _blocks() -> Iterator[str]:
    shown: dict[type[Settings], Path] = {}
    for path, block in walk_blocks():
        if shown.setdefault(block, path) == path:
            yield f"## {_heading(path)}\n"
            yield f"{block.__doc__}\n"
            yield "| setting | holds | default | meaning |"
            yield "|---|---|---|---|"
            yield from (_row(path, name, setting) for name, setting in settings_of(block).items())
            yield ""


def _heading(path: Path) -> str:
    return f"`{'.'.join(str(step) for step in path)}`" if path else "The fleet"


def _row(path: Path, name: str, setting: FieldInfo) -> str:
    meaning, _, default = (setting.description or "").partition(" Default: ")
    kept = default.removesuffix(".") or _default((*path, name), setting)
    return f"| `{name}` | {_holds(setting.annotation, setting.metadata)} | {kept} | {meaning} |"


def _default(path: Path, setting: FieldInfo) -> str:
    if setting.is_required():
        return "**required**"
    if str(path[-1]) in PROFILES[Environment.PRODUCTION].get("".join(map(str, path[-2:-1])), {}):
        return "by environment"
    if setting.default_factory is not None and block_in(setting.annotation):
        return "its own defaults"
    return _say(cast("object", setting.default))


def _say(default: object) -> str:
    match default:
        case bool():
            return f"`{str(default).lower()}`"
        case timedelta():
            return f"`{say_timespan(default)}`"
        case str() | int() | float() if default != "":
            return f"`{default}`"
        case _:
            return "none"


def _holds(annotation: object, marks: Sequence[object] = ()) -> str:
    """Say in words what a setting holds."""
    kind = next((mark.words for mark in marks if isinstance(mark, Kind)), "")
    if kind:
        return kind
    if get_origin(annotation) is Annotated:
        return _holds(get_args(annotation)[0], get_args(annotation)[1:])
    if block_in(annotation):
        return "block"
    if get_origin(annotation) is dict:
        return "blocks by name" if blocks_by_name(annotation) else "{} for each {}".format(*_parts(annotation)[::-1])
    if get_origin(annotation) is tuple:
        return f"list, each a {_parts(annotation)[0]}"
    return _holds_plainly(annotation)


def _holds_plainly(annotation: object) -> str:
    if annotation is str:
        return "text"
    if isinstance(annotation, type):
        return ", ".join(f"`{choice}`" for choice in annotation) if issubclass(annotation, StrEnum) else ""
    return next((words for words in _parts(annotation) if words), "")


def _parts(annotation: object) -> list[str]:
    return [_holds(part) for part in cast("tuple[object, ...]", get_args(annotation))]
