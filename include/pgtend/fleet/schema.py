"""The JSON Schema of the fleet file, so that an editor completes and checks it while a person types."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TypeAlias, cast

from pydantic.json_schema import GenerateJsonSchema

from pgtend.fleet.model import Fleet
from pgtend.fleet.settings import say_clock, say_timespan
from pgtend.kernel.sizes import Bytes

Json: TypeAlias = dict[str, object]
_NULL: Json = {"type": "null"}


def json_schema() -> Json:
    """Generate the schema from the models."""
    schema = cast("Json", _tidy(Fleet.model_json_schema(by_alias=True, schema_generator=_InOurWords)))
    _adjust_database(cast("dict[str, Json]", schema["$defs"]))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "pgtend fleet file"}


class _InOurWords(GenerateJsonSchema):
    """Writes defaults the way people write them into the file."""

    def encode_default(self, dft: object) -> object:
        if isinstance(dft, timedelta):
            return say_timespan(dft)
        if isinstance(dft, Bytes):
            return str(dft)
        return say_clock(dft) if isinstance(dft, time) else cast("object", super().encode_default(dft))


def _tidy(node: object) -> object:
    if isinstance(node, list):
        return [_tidy(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    written = cast("Json", node)
    noise = _noise_in(written)
    return _as_the_reader_takes_it({name: _tidy(value) for name, value in written.items() if name not in noise})


def _as_the_reader_takes_it(node: Json) -> Json:
    """Allow an empty block, which means the defaults, and refuse an empty value and a name of another shape."""
    if node.get("type") == "object":
        node["type"] = ["object", "null"]
    if "patternProperties" in node:
        node["additionalProperties"] = False
    choices = [choice for choice in cast("list[Json]", node.get("anyOf", [])) if choice != _NULL]
    if len(choices) == 1:
        del node["anyOf"]
        return {**choices[0], **node}
    return node


def _noise_in(node: Json) -> set[str]:
    """Find the words that tell a person nothing: generated titles, and defaults that are only one of several."""
    noise = {"title"} if isinstance(node.get("title"), str) else set[str]()
    varies = " Default: " in str(node.get("description", ""))
    return noise | {"default"} if varies or node.get("default") in (None, "", [], {}) else noise


def _adjust_database(definitions: dict[str, Json]) -> None:
    """Leave out what nobody writes, a database's name beside its key, and defaults that the environment decides."""
    database = definitions["Database"]
    cast("Json", database["properties"]).pop("name")
    cast("list[str]", database["required"]).remove("name")
    for block in ("Limits", "Window"):
        for setting in cast("dict[str, Json]", definitions[block]["properties"]).values():
            setting.pop("default", None)
