"""Text of JSON, YAML and TOML files as plain values, bounded in memory and time.

Files of a repository are untrusted: a YAML file can name itself, a JSON file can nest a
million lists. Every reader here refuses by size, by depth and by count, with one exception,
`ParseError`, that says what is wrong and where.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 64
MAX_VALUES = 1_000_000


class ParseError(ValueError):
    """The text is not what its format promises; `line` counts from 1 where it is known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.problem = problem
        self.line = line


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
        raise ParseError(f"nested deeper than {MAX_DEPTH} levels") from None
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

    try:
        return bounded(tomllib.loads(_decoded(text)))
    except RecursionError:
        raise ParseError(f"nested deeper than {MAX_DEPTH} levels") from None
    except tomllib.TOMLDecodeError as error:
        raise ParseError(str(error)) from None


def parse_yaml(text: bytes) -> Any:
    """YAML as Python values: one document, no tags that build objects, no key twice.

    Numbers such as `1e-3` are numbers, as in YAML 1.2 (PyYAML follows 1.1, where they are text).
    """
    return parse_yaml_with_lines(text)[0]


def parse_yaml_with_lines(text: bytes) -> tuple[Any, dict[tuple[str | int, ...], int]]:
    """As `parse_yaml`, with the line (from 1) of every value by its path of keys and indices."""
    import yaml

    loader = _yaml_loader()(_decoded(text))
    lines: dict[tuple[str | int, ...], int] = {}
    try:
        node = loader.get_single_node()
        if node is None:
            return None, lines
        _walk_yaml(node, lines)
        return bounded(loader.construct_document(node)), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise ParseError(error.problem or error.context or "not YAML", line) from None
    except yaml.YAMLError as error:
        raise ParseError(str(error).splitlines()[0]) from None
    except RecursionError:
        raise ParseError(f"nested deeper than {MAX_DEPTH} levels") from None
    except ParseError:
        raise
    except (ValueError, TypeError) as error:  # 2024-13-45, or an unhashable key
        raise ParseError(f"impossible value ({error})") from None
    finally:
        loader.dispose()


def bounded(value: Any) -> Any:
    """Return `value` if it is no deeper than `MAX_DEPTH` and no larger than `MAX_VALUES`.

    Aliases of YAML share one value in memory and expand when walked, so they count as often
    as they are reached ("billion laughs").
    """
    count = 0
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise ParseError(f"nested deeper than {MAX_DEPTH} levels")
        if count > MAX_VALUES:
            raise ParseError(f"more than {MAX_VALUES:,} values")
        if isinstance(item, dict):
            stack.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list | tuple | set):
            stack.extend((child, depth + 1) for child in item)
    return value


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings as dotted names: `{"a": {"b": 1}}` gives `a.b`, 1.

    Lists are leaves. A name that two places would share (`{"a.b": 1, "a": {"b": 2}}`) is an
    error, because one of the two would be lost.
    """
    seen: set[str] = set()
    for name, leaf in _leaves(value, prefix):
        if name in seen:
            raise ParseError(f"the name {name!r} is given twice")
        seen.add(name)
        yield name, leaf


def plain(value: Any) -> Any:
    """A leaf as one of bool, int, float, str or None; dates become ISO 8601 text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return str(value)  # JSON readers disagree beyond 64 bits; as text no digit is lost
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def is_finite_number(value: Any) -> bool:
    """Whether `value` is a number that can be compared: not a boolean, NaN or infinite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


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


def _leaves(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            name = key if isinstance(key, str) else str(plain(key))
            yield from _leaves(child, f"{prefix}.{name}" if prefix else name)
    else:
        yield prefix, value


_FLOAT_YAML_1_2 = re.compile(
    r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"
    r"|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$"
)
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
            first: [(tag, rule) for tag, rule in rules if not tag.endswith(":float")]
            for first, rules in base.yaml_implicit_resolvers.items()
        }
        for first in "-+0123456789.":
            loader.yaml_implicit_resolvers.setdefault(first, []).append(
                ("tag:yaml.org,2002:float", _FLOAT_YAML_1_2)
            )
        _loader_class = loader
    return _loader_class


def _walk_yaml(root: Any, lines: dict[tuple[str | int, ...], int]) -> None:
    """Note the line of every node, and refuse bombs before anything is constructed."""
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(root, ())]
    count = 0
    while stack:
        node, path = stack.pop()
        count += 1
        if count > MAX_VALUES:
            raise ParseError(f"more than {MAX_VALUES:,} values")
        if len(path) > MAX_DEPTH:
            raise ParseError(f"nested deeper than {MAX_DEPTH} levels", node.start_mark.line + 1)
        lines[path] = node.start_mark.line + 1
        if node.id == "mapping":
            seen: set[str] = set()
            for key, child in node.value:
                name = str(key.value)
                line = key.start_mark.line + 1
                if name in seen and key.tag != "tag:yaml.org,2002:merge":
                    raise ParseError(f"the key {name!r} is given twice", line)
                seen.add(name)
                stack.append((child, (*path, name)))
                lines[(*path, name)] = line
        elif node.id == "sequence":
            stack.extend((child, (*path, index)) for index, child in enumerate(node.value))
