"""Text of JSON, YAML, TOML and CSV files as plain values, bounded in memory and time.

Files of a repository are untrusted: a YAML file can name itself, a JSON file can nest a
million lists. Every reader here refuses by size, by depth and by count, with one exception,
`ParseError`, that says what is wrong and where.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 64
MAX_VALUES = 1_000_000
MAX_CELL = 128 * 1024
"""Characters of a cell of CSV. The limit of Python's module is that of the whole process."""
SUFFIXES = frozenset({".json", ".yaml", ".yml", ".toml"})
"""What `parse` reads."""


class ParseError(ValueError):
    """The text is not what its format promises; `line` counts from 1 where it is known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.problem = problem
        self.line = line


def mapping_of(value: Any) -> dict[str, Any]:
    """What of a parsed value is a mapping with names; empty if it is none."""
    if not isinstance(value, dict):
        return {}
    return {key: its for key, its in value.items() if isinstance(key, str)}


def list_of(value: Any) -> list[Any]:
    """A parsed value that is a list; empty if it is none."""
    return value if isinstance(value, list) else []


def parse(text: bytes, suffix: str) -> Any:
    """Read `text` by the file name's suffix: `.json`, `.yaml`, `.yml` or `.toml`."""
    readers = {".json": parse_json, ".yaml": parse_yaml, ".yml": parse_yaml, ".toml": parse_toml}
    return readers[suffix.lower()](text)


def parse_json(text: bytes) -> Any:
    """JSON as Python values; the extensions `NaN` and `Infinity` are read, since libraries
    write them. A key that occurs twice is an error: readers disagree which one counts.
    """
    source = _decoded(text)
    try:
        value = json.loads(source, object_pairs_hook=_unique)
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise ParseError(error.msg, error.lineno) from None
    except ParseError:
        raise
    except ValueError as error:  # an integer of more than 4,300 digits
        raise ParseError(str(error)) from None
    return bounded(value)


def parse_toml(text: bytes) -> Any:
    """TOML 1.0 as Python values."""
    import tomllib

    source = _decoded(text)
    if _TOML_DEEP_KEY.search(source):
        raise ParseError(_TOO_DEEP)
    try:
        return bounded(tomllib.loads(source))
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    except ParseError:
        raise
    except ValueError as error:  # tomllib's own, or an integer of more than 4,300 digits
        raise ParseError(str(error)) from None


def parse_csv(text: bytes, delimiter: str = ",") -> list[list[str]]:
    """The rows of CSV as lists of text, blank lines left out. Every row is as long as the first."""
    reader = csv.reader(io.StringIO(_decoded(text), newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    count = 0
    try:
        for row in reader:
            count += max(1, len(row))
            if count > MAX_VALUES:
                raise ParseError(f"more than {MAX_VALUES:,} values")
            if any(len(cell) > MAX_CELL for cell in row):
                raise ParseError(f"a cell of more than {MAX_CELL:,} characters", reader.line_num)
            if row and rows and len(row) != len(rows[0]):
                problem = f"{len(row)} cells where the header has {len(rows[0])}"
                raise ParseError(problem, reader.line_num)
            if row:
                rows.append(row)
    except csv.Error as error:
        raise ParseError(str(error), reader.line_num) from None
    return rows


def parse_yaml(text: bytes) -> Any:
    """YAML as Python values: one document, no tags that build objects, no key twice.

    Numbers are those of YAML 1.2: `1e-3` is one, `12:30:00` is text (PyYAML follows 1.1, where it
    is the other way round). A key `yes`, `no`, `on` or `off` is a word; a value is still a boolean.
    """
    return _parse_yaml(text, None)


def parse_yaml_with_tags(text: bytes, tags: Mapping[str, Callable[[list[Any]], Any]]) -> Any:
    """As `parse_yaml`, for a dialect with tags of its own on lists: each makes a value of what
    stands in the list.
    """

    def make(name: str) -> Callable[[Any, Any], Any]:
        return lambda loader, node: tags[name](loader.construct_sequence(node, deep=True))

    loader: Any = type("Loader", (_yaml_loader(),), {})
    for name in tags:
        loader.add_constructor(name, make(name))
    return _parse_yaml(text, None, loader)


def parse_yaml_with_lines(text: bytes) -> tuple[Any, dict[tuple[str | int, ...], int]]:
    """As `parse_yaml`, with the line (from 1) of every value by its path of keys and indices; the
    line of a value in a mapping is that of its key.
    """
    lines: dict[tuple[str | int, ...], int] = {}
    return _parse_yaml(text, lines), lines


def bounded(value: Any) -> Any:
    """Return `value` if it is no deeper than `MAX_DEPTH` and no larger than `MAX_VALUES`.

    Aliases of YAML share one value in memory and expand when walked, so they count as often
    as they are reached ("billion laughs"). Text that UTF-8 cannot say is refused as well: it
    could be read but never written.
    """
    count = 1
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _require_unicode(item)
                continue
            if isinstance(item, dict):
                for key in item:
                    if isinstance(key, str):
                        _require_unicode(key)
                children: Any = item.values()
            elif isinstance(item, list | tuple | set | frozenset):
                children = item
            else:
                continue
            count += len(item)
            if count > MAX_VALUES:
                raise ParseError(f"more than {MAX_VALUES:,} values")
            below.extend(children)
        if not below:
            return value
        level = below
    raise ParseError(_TOO_DEEP)


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings as dotted names: `{"a": {"b": 1}}` gives `a.b`, 1.

    Lists are leaves. A name that two places would share (`{"a.b": 1, "a": {"b": 2}}`) is an
    error, because one of the two would be lost.
    """
    leaves: dict[str, Any] = {}
    _collect(value, prefix, leaves)
    return iter(leaves.items())


def plain(value: Any) -> Any:
    """A leaf as one of bool, int, float, str or None; dates become ISO 8601 text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return str(value)  # JSON readers disagree beyond 64 bits; as text no digit is lost
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _decoded(text: bytes) -> str:
    if len(text) > MAX_BYTES:
        raise ParseError(f"larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"not UTF-8 text (byte {error.start})") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ParseError(f"the key {key!r} is given twice")
            seen.add(key)
    return value


def _require_unicode(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ParseError("text that is not Unicode (half of a surrogate pair)") from None


def _collect(value: Any, name: str, leaves: dict[str, Any]) -> None:
    if isinstance(value, dict):
        for key, child in value.items():
            part = key if isinstance(key, str) else str(plain(key))
            _collect(child, f"{name}.{part}" if name else part, leaves)
    elif name in leaves:
        raise ParseError(f"the name {name!r} is given twice")
    else:
        leaves[name] = value


_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

# tomllib needs memory and time in the square of a dotted key's length. Atomic, so that looking
# for such a key takes linear time.
_TOML_DEEP_KEY = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"""
    f"{{{MAX_DEPTH}}}"
)

_FLOAT_YAML_1_2 = re.compile(
    r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"
    r"|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$"
)
_INT_YAML = re.compile(r"^[-+]?(?:0b[0-1_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)$")
_NUMBERS = {"tag:yaml.org,2002:int": _INT_YAML, "tag:yaml.org,2002:float": _FLOAT_YAML_1_2}
_MERGE = "tag:yaml.org,2002:merge"
_BOOL = "tag:yaml.org,2002:bool"
_TEXT = "tag:yaml.org,2002:str"
_MAX_DIGITS = 4300  # Python's own bound for decimal integers: conversion takes quadratic time
_loader_class: Any = None


def _yaml_loader() -> Any:
    """A safe loader (libyaml's where PyYAML has it) that reads numbers as YAML 1.2 does."""
    global _loader_class
    if _loader_class is None:
        import yaml

        base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        loader: Any = type("Loader", (base,), {})
        # A copy, because PyYAML keeps one table of resolvers for all loaders.
        loader.yaml_implicit_resolvers = {
            first: [(tag, rule) for tag, rule in rules if tag not in _NUMBERS]
            for first, rules in base.yaml_implicit_resolvers.items()
        }
        for first in "-+0123456789.":
            loader.yaml_implicit_resolvers.setdefault(first, []).extend(_NUMBERS.items())
        _loader_class = loader
    return _loader_class


def _parse_yaml(text: bytes, lines: dict[tuple[str | int, ...], int] | None, of: Any = None) -> Any:
    import yaml

    source = _decoded(text)
    try:
        _require_shallow_yaml(source)
        loader = (of or _yaml_loader())(source)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _walk_yaml(node, lines)
            return bounded(loader.construct_document(node))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise ParseError(error.problem or error.context or "not YAML", line) from None
    except yaml.YAMLError as error:
        raise ParseError(str(error).splitlines()[0]) from None
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    except ParseError:
        raise
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        # PyYAML's constructors raise all of these, for 2024-13-45 or `!!bool maybe`.
        raise ParseError(f"impossible value ({error})") from None


def _require_shallow_yaml(source: str) -> None:
    """Refuse deep nesting before nodes are composed: PyYAML recurses in C there, and a file of
    100,000 `[` ends the process. Nor are more nodes composed than values are admitted: each takes
    a hundred times as many bytes as its text.
    """
    import yaml

    depth = count = 0
    for event in yaml.parse(source, Loader=_yaml_loader()):
        count += isinstance(event, yaml.NodeEvent)
        if count > MAX_VALUES:
            raise ParseError(f"more than {MAX_VALUES:,} values")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark = event.start_mark
                raise ParseError(_TOO_DEEP, None if mark is None else mark.line + 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _walk_yaml(root: Any, lines: dict[tuple[str | int, ...], int] | None) -> None:
    """Refuse bombs and keys given twice before anything is constructed; note in `lines` where
    every node stands.
    """
    stack: list[tuple[Any, int, tuple[str | int, ...]]] = [(root, 0, ())]
    count = 0
    while stack:
        node, depth, path = stack.pop()
        count += 1
        if count > MAX_VALUES:
            raise ParseError(f"more than {MAX_VALUES:,} values")
        if depth > MAX_DEPTH:
            raise ParseError(_TOO_DEEP, node.start_mark.line + 1)
        if lines is not None and path not in lines:
            lines[path] = node.start_mark.line + 1
        if node.id == "mapping":
            for name, key, child in _named_children(node):
                below = path if lines is None else (*path, name)
                if lines is not None:
                    lines[below] = key.start_mark.line + 1
                stack.append((child, depth + 1, below))
        elif node.id == "sequence":
            for index, child in enumerate(node.value):
                stack.append((child, depth + 1, path if lines is None else (*path, index)))
        elif len(node.value) > _MAX_DIGITS and node.tag in _NUMBERS:
            problem = f"a number of more than {_MAX_DIGITS:,} digits"
            raise ParseError(problem, node.start_mark.line + 1)


def _named_children(mapping: Any) -> Iterator[tuple[str, Any, Any]]:
    """Name, key and value of each pair of a YAML mapping."""
    seen: set[Any] = set()
    for key, child in mapping.value:
        if key.id != "scalar":  # its text may expand without end
            raise ParseError("a key that is a list or a mapping", key.start_mark.line + 1)
        name: str = key.value
        if key.tag == _BOOL and name.lower() not in ("true", "false"):
            key.tag = _TEXT  # `yes`, `no`, `on` and `off` are words, as in YAML 1.2
        same = {name, _value_of_key(key)}
        if same & seen and key.tag != _MERGE:
            raise ParseError(f"the key {name!r} is given twice", key.start_mark.line + 1)
        seen |= same
        yield name, key, child


def _value_of_key(key: Any) -> Any:
    """What Python takes a key for: `1`, `1.0` and `true` are one, and one of them would be lost."""
    if key.tag == _BOOL:
        return key.value.lower() == "true"
    if key.tag not in _NUMBERS or len(key.value) > _MAX_DIGITS:
        return key.value
    for read in (int, float):
        try:
            return read(key.value)
        except ValueError:
            continue
    return key.value


@dataclass(frozen=True)
class Spot:
    """A text in a YAML document: where it hangs, and its place in the document's own text, without
    quotes.
    """

    path: tuple[str | int, ...]
    value: str
    start: int
    end: int


def yaml_texts(text: str) -> list[Spot]:
    """Every text in a YAML document that stands there as it is, in order: no keys, nothing with
    escapes or over several lines, and of what is named by an alias its one place. The document was
    read before, so that it is neither wrong nor too large.
    """
    import yaml

    spots: dict[int, Spot] = {}
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), yaml.compose(text, yaml.SafeLoader))]
    while waiting:
        path, node = waiting.pop()
        match node:
            case yaml.MappingNode():
                waiting += [((*path, str(key.value)), value) for key, value in node.value]
            case yaml.SequenceNode():
                waiting += [((*path, place), value) for place, value in enumerate(node.value)]
            case yaml.ScalarNode():
                quote = 1 if node.style in ("'", '"') else 0
                start, end = node.start_mark.index + quote, node.end_mark.index - quote
                if text[start:end] == node.value:
                    spots[start] = Spot(path, node.value, start, end)
    return [spots[start] for start in sorted(spots)]
