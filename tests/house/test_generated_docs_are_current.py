"""The generated reference is what the models say today.

To write it anew after a change: PGTEND_WRITE_DOCS=1 pytest tests/house/test_generated_docs_are_current.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from pgtend.drill.receipts.model import receipt_schema
from pgtend.fleet.places import settings_of, walk_blocks
from pgtend.fleet.schema import json_schema
from pgtend.fleet.settings_page import settings_page

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def schema_text() -> str:
    """Write the schema the way it lies in the repository."""
    return json.dumps(json_schema(), indent=2) + "\n"


def receipt_schema_text() -> str:
    """Write the schema of receipts the way it lies in the repository."""
    return json.dumps(receipt_schema(), indent=2) + "\n"


GENERATED = [
    ("fleet.schema.json", schema_text),
    ("settings.md", settings_page),
    ("receipt.schema.json", receipt_schema_text),
]


@pytest.mark.parametrize(("name", "generate"), GENERATED)
def test_generated_pages_are_current(name: str, generate: Callable[[], str]) -> None:
    """A changed setting changes its reference in the same commit."""
    page = REFERENCE / name
    if os.environ.get("PGTEND_WRITE_DOCS"):
        page.write_text(generate(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == generate(), (
        "run PGTEND_WRITE_DOCS=1 pytest tests/house/test_generated_docs_are_current.py"
    )


def test_every_setting_says_what_it_means() -> None:
    """No setting without a sentence: the settings page and every editor show it."""
    silent = [
        (*path, name) for path, block in walk_blocks() for name, s in settings_of(block).items() if not s.description
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("fleet: clinic\ndatabases:\n  kgc:\n", True),
        ("fleet: clinic\ndatabases:\n  kgc: {analyze: {deadline: 2 h, skip: [a.b]}, window: {start: '22:00'}}\n", True),
        ("fleet: clinic\ndatabases:\n  kgc: {analyze: {deadlin: 2 h}}\n", False),
        ("fleet: clinic\ndatabases:\n  kgc: {analyze: {deadline: 2}}\n", False),
        ("fleet: clinic\ndatabases:\n  kgc: {name: kgc}\n", False),
        ("fleet: clinic\ndatabases:\n  KGC: {}\n", False),
        ("fleet: clinic\nvaults: {main: {}}\ndatabases: {kgc: {}}\n", False),
        ("fleet: clinic\ndatabases: {kgc: {owner: }}\n", False),
        ("databases: {kgc: {}}\n", False),
    ],
)
def test_an_editor_agrees_with_the_reader(text: str, *, is_right: bool) -> None:
    """What the schema underlines while typing is what the reader refuses."""
    errors = list(jsonschema.Draft202012Validator(json_schema()).iter_errors(yaml.safe_load(text)))
    assert (errors == []) is is_right
