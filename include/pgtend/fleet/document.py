"""Reads YAML into plain values and remembers the line of each, refusing what people did not mean.

Built on the parser's events and not on its nodes: the parser recurses in C while it builds nodes and would take the
whole process down on deeply nested input, and it keeps only the last of two equal keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from pgtend.fleet.findings import Finding, Path

_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_DEEPEST = 30
_LARGEST = 200_000
_STANDARD = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(slots=True)
class Scalar:
    """One value as it stands in the file."""

    text: str
    is_plain: bool
    line: int


@dataclass(slots=True)
class Listing:
    """A list as it stands in the file."""

    line: int
    items: list[Node] = field(default_factory=list["Node"])


@dataclass(slots=True)
class Block:
    """Names and what stands below each, in the order of the file, with repetitions."""

    line: int
    entries: list[tuple[str, int, Node]] = field(default_factory=list[tuple[str, int, "Node"]])


Node: TypeAlias = Scalar | Listing | Block


class Unreadable(Exception):
    """The text is no YAML, or not the YAML that we take."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


@dataclass(slots=True)
class Document:
    """The values of a file, the line of each, and what was wrong with how they are written."""

    values: object = None
    lines: dict[Path, int] = field(default_factory=dict[Path, int])
    findings: list[Finding] = field(default_factory=list[Finding])
    size: int = 0

    def line_of(self, path: Path) -> int:
        """Tell the line on which something is written, or the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_document(text: str) -> Document:
    """Read YAML; what is wrong with it is among the findings."""
    document = Document()
    try:
        root = _Builder(text).build()
        document.lines[()] = root.line
        document.values = _evaluate(document, root, ())
    except Unreadable as error:
        document.findings.append(error.finding)
    return document


class _Builder:
    """Turns the parser's events into nodes, without recursion."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events = self._parse(text)
        self._anchors: dict[str, Node] = {}
        self._open: list[tuple[Listing | Block, str | None]] = []
        self._keys: list[tuple[str, int] | None] = []
        self._root: Node | None = None

    def build(self) -> Node:
        """Read the one document of the file."""
        for event in self._events:
            self._take(event)
        if self._root is None:
            raise _unreadable(1, "the file is empty", "write at least 'fleet:' and 'databases:'")
        return self._root

    def _parse(self, text: str) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(text, Loader=_Loader)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise _unreadable(line, "a character that no text file should contain") from error
        except yaml.MarkedYAMLError as error:
            raise _explain(text, error) from error

    def _take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_tag(event.tag, line)
            self._add(Scalar(event.value, event.implicit[0], line), event.anchor)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._refuse_tag(event.tag, line)
            self._begin(Block(line) if isinstance(event, yaml.MappingStartEvent) else Listing(line), event.anchor)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            node, anchor = self._open.pop()
            self._keys.pop()
            self._add(node, anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._find(event.anchor, line), None)
        elif isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            raise _unreadable(line, "a second document starts here", "keep one fleet in one file and remove '---'")

    def _begin(self, node: Listing | Block, anchor: str | None) -> None:
        if self._open and isinstance(self._open[-1][0], Block) and self._keys[-1] is None:
            raise _unreadable(node.line, "a name must be plain text, not a list or a block")
        if len(self._open) == _DEEPEST:
            raise _unreadable(node.line, "the blocks are nested too deeply to be a fleet file")
        self._open.append((node, anchor))
        self._keys.append(None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self._root = node
            return
        parent = self._open[-1][0]
        key = self._keys[-1]
        if isinstance(parent, Listing):
            parent.items.append(node)
        elif key is None:
            self._keys[-1] = (_name(node), node.line)
        else:
            parent.entries.append((*key, node))
            self._keys[-1] = None

    def _find(self, anchor: str | None, line: int) -> Node:
        if anchor not in self._anchors:
            raise _unreadable(
                line,
                "a value that starts with '*' refers to an '&' mark, and there is none of that name above",
                "put the value in quotes if it is meant as text",
            )
        return self._anchors[anchor]

    def _refuse_tag(self, tag: str | None, line: int) -> None:
        if tag is not None and tag not in {"!", f"{_STANDARD}str", f"{_STANDARD}map", f"{_STANDARD}seq"}:
            raise _unreadable(line, "tags such as '!name' have no meaning here", "remove it")


def _name(node: Node) -> str:
    if not isinstance(node, Scalar):
        raise _unreadable(node.line, "a name must be plain text, not a list or a block")
    return node.text


def _evaluate(document: Document, node: Node, path: Path) -> object:
    """Turn a node into plain values and note where each is written."""
    document.size += 1
    if document.size > _LARGEST or len(path) > _DEEPEST:
        raise _unreadable(node.line, "repeating '&' marks by '*' makes this file far too large", "repeat less")
    if isinstance(node, Scalar):
        return _value(node)
    if isinstance(node, Listing):
        return [_evaluate_at(document, item, item.line, (*path, index)) for index, item in enumerate(node.items)]
    return _evaluate_block(document, node, path)


def _evaluate_at(document: Document, node: Node, line: int, path: Path) -> object:
    document.lines[path] = line
    return _evaluate(document, node, path)


def _evaluate_block(document: Document, block: Block, path: Path) -> dict[str, object]:
    values: dict[str, object] = {}
    merged: dict[str, object] = {}
    for name, line, node in block.entries:
        here = (*path, name)
        if name == "<<":
            merged |= _evaluate_merge(document, node, path)
        elif name in values:
            first = document.lines[here]
            document.findings.append(_repeated(here, first, line))
        else:
            values[name] = _evaluate_at(document, node, line, here)
    return {**merged, **values}


def _evaluate_merge(document: Document, node: Node, path: Path) -> dict[str, object]:
    """Read what `<<` takes over from elsewhere; the lines are those where it is written, unless set here."""
    sources = node.items if isinstance(node, Listing) else [node]
    merged: dict[str, object] = {}
    for source in reversed(sources):
        if not isinstance(source, Block):
            raise _unreadable(node.line, "'<<' takes over a block that is marked with '&', and this is none")
        aside = Document(size=document.size)
        merged |= _evaluate_block(aside, source, path)
        document.size = aside.size
        document.lines = {**aside.lines, **document.lines}
    return merged


def _repeated(path: Path, first: int, second: int) -> Finding:
    name = str(path[-1])
    what = {"databases": "two databases", "vaults": "two vaults", "channels": "two channels"}.get(
        str(path[-2]) if len(path) > 1 else "", ""
    )
    said = f"{what} are named '{name}'" if what else f"'{name}' is set twice"
    hint = "rename or remove one of them" if what else "remove one of them"
    return Finding(path, f"{said}, on line {first} and on line {second}", hint, line=second)


def _value(scalar: Scalar) -> object:
    """Read a scalar by the rules of YAML 1.2, as editors do: 22:00 is no number and `no` is no switch."""
    text = scalar.text
    if not scalar.is_plain:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text[:30])
    return float(text) if _FLOAT.fullmatch(text) else text


def _unreadable(line: int, what: str, hint: str = "") -> Unreadable:
    return Unreadable(Finding((), what, hint, line=line))


def _explain(text: str, error: yaml.MarkedYAMLError) -> Unreadable:
    """Say in plain words why the parser stopped, without a word of the file's content: it could be a secret."""
    mark = error.problem_mark or error.context_mark
    start = (error.context_mark.line if error.context_mark else 0) + 1
    line = min((mark.line if mark else 0) + 1, max(1, len(text.splitlines())))
    written = text.splitlines()[line - 1] if text else ""
    problem = f"{error.context} {error.problem}"
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return _unreadable(line, "a tab character stands in front of this line", "indent with spaces")
    if "mapping values" in problem and len(re.findall(r":(?:\s|$)", written)) == 1:
        return _unreadable(line - 1, "a line without ':' after the name", "write 'name: value'")
    for sign, what, hint in _TROUBLES:
        if sign in problem:
            return _unreadable(line, what.format(start=start), hint.format(start=start))
    return _unreadable(line, "this is no YAML", "compare its indentation and quotes with the lines above it")


_TROUBLES = (
    ("quoted scalar found unknown escape", "a backslash in double quotes starts an escape", "use single quotes"),
    ("quoted scalar", "a quote is opened on line {start} and never closed", "close it, or remove it"),
    ("mapping values are not allowed", "a second ':' on one line", "put the value in quotes, or start a new line"),
    (
        "flow",
        "a bracket is opened on line {start} and not closed",
        "close it, or write one entry a line",
    ),
    ("scanning an a", "a value starts with '*' or '&', which YAML keeps for itself", "put the value in quotes"),
    ("simple key", "a line without ':' after the name", "write 'name: value'"),
    (
        "parsing a block mapping",
        "the indentation fits no line above it",
        "names of one block start in the same column; the block starts on line {start}",
    ),
    ("parsing a block collection", "a list and names are mixed", "start every line of a list with '- '"),
    ("cannot start any token", "a value starts with a character that YAML keeps for itself", "put the value in quotes"),
)
