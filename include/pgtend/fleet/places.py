"""Which settings exist at a place of the fleet file, taken from the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import get_args, get_origin

from pydantic.fields import FieldInfo

from pgtend.fleet.findings import Path
from pgtend.fleet.model import Database, Fleet
from pgtend.fleet.settings import Settings


def settings_of(block: type[Settings]) -> Mapping[str, FieldInfo]:
    """List the settings of a block by the names people write. A database's name is its key and no setting."""
    hidden = {"name"} if block is Database else set[str]()
    return {field.alias or name: field for name, field in block.model_fields.items() if name not in hidden}


def block_in(annotation: object) -> type[Settings] | None:
    """Find the block that a setting holds, directly or optionally."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    if get_origin(annotation) in {dict, tuple, list}:
        return None
    return next((block for part in get_args(annotation) if (block := block_in(part))), None)


def blocks_by_name(annotation: object) -> type[Settings] | None:
    """Find the block of a setting that holds several by name, such as `databases`."""
    return block_in(get_args(annotation)[1]) if get_origin(annotation) is dict else None


@cache
def annotation_at(path: Path) -> object:
    """Tell the type of what stands at a place; a place that no model knows has the type None."""
    annotation: object = Fleet
    for step in path:
        block = block_in(annotation)
        if block is not None:
            setting = settings_of(block).get(str(step))
            annotation = setting.annotation if setting else None
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        else:
            return None
    return annotation


def known_settings(path: Path) -> list[str]:
    """List the settings that may stand inside a place."""
    block = block_in(annotation_at(path))
    return list(settings_of(block)) if block else []


def holds_settings(path: Path) -> bool:
    """Tell whether names stand below a place, so that nothing there means the defaults."""
    annotation = annotation_at(path)
    return block_in(annotation) is not None or get_origin(annotation) is dict


def walk_blocks(block: type[Settings] = Fleet, path: Path = ()) -> Iterator[tuple[Path, type[Settings]]]:
    """List every block of settings with its place, outermost first; `<name>` stands for names that people choose."""
    yield path, block
    for name, setting in settings_of(block).items():
        inner = block_in(setting.annotation)
        named = blocks_by_name(setting.annotation)
        if inner:
            yield from walk_blocks(inner, (*path, name))
        elif named:
            yield from walk_blocks(named, (*path, name, "<name>"))
