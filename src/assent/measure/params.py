"""Parameter files as values. Nothing is executed, nothing imported, no environment read."""

from __future__ import annotations

import ast
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from assent import parsing
from assent.core.digest import canonical_json
from assent.core.evidence import Problem
from assent.core.scalar import Scalar, scalar
from assent.errors import AssentError
from assent.measure.files import declared, read_small, unreadable
from assent.measure.names import unique
from assent.measure.redaction import redact
from assent.parsing import ParseError

MAX_SOURCE_BYTES = 1024 * 1024  # of Python: its parser needs 1,000 times the memory of its input


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """What the parameter files say, and what could not be read."""

    params: dict[str, Scalar] = {}
    problems: tuple[Problem, ...] = ()


def read_params(root: Path, patterns: Sequence[str]) -> Params:
    """Read YAML, JSON, TOML, `.env` and Python files below `root`, with secrets redacted.

    Nested mappings give dotted names, lists their canonical JSON text. Of Python, constants of the
    module (`NAME = literal`, annotated or not) are read from the syntax tree. Whatever was
    declared and could not be read is a problem and never an exception.
    """
    paths, problems = declared(root, patterns)
    given: list[tuple[str, str, Scalar]] = []
    for source, path in paths.items():
        try:
            given += [
                (source, name, _shown(name, leaf)) for name, leaf in parsing.flatten(_read(path))
            ]
        except (AssentError, ParseError) as error:
            problems.append(unreadable(source, error))
    params, clashes = unique(given)
    return Params(params=params, problems=(*problems, *clashes))


def _read(path: Path) -> dict[Any, Any]:
    suffix = path.suffix.lower()
    if suffix in parsing.SUFFIXES:
        value = parsing.parse(read_small(path), suffix)
    elif suffix == ".py":
        value = constants(read_small(path))
    elif suffix == ".env" or path.name == ".env" or path.name.startswith(".env."):
        value = variables(read_small(path))
    else:
        raise ParseError(f"{suffix or 'no suffix'}: not a format that parameters are read from")
    if value is None:  # an empty file
        return {}
    if not isinstance(value, dict):
        raise ParseError("not a mapping of names to values")
    return value


def constants(source: bytes) -> dict[str, Any]:
    """The constants of a Python module: names that it binds to literals at its top level.

    A name that is bound to anything else afterwards has no known value and is left out; so are
    names such as `__version__`. Raises `ParseError`.
    """
    values: dict[str, Any] = {}
    for statement in _syntax(source).body:
        match statement:
            case ast.Assign(targets=targets, value=value):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                names = [name]
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                values.pop(name, None)
                continue
            case _:
                continue
        for name in names:
            values.pop(name, None)
            try:
                literal = ast.literal_eval(value)
            except (ValueError, TypeError, MemoryError, RecursionError):
                continue
            if not (name.startswith("__") and name.endswith("__")):
                values[name] = literal
    parsing.bounded(values)
    return values


def variables(source: bytes) -> dict[str, Any]:
    """The variables of a `.env` file as they are written, without putting in other variables.

    Raises `ParseError`, also for a line that is no assignment and a name that is given twice.
    """
    from dotenv.parser import parse_stream  # `dotenv_values` skips lines that it cannot read

    if len(source) > MAX_SOURCE_BYTES:
        raise ParseError("larger than 1 MiB")
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"not UTF-8 text (byte {error.start})") from None
    values: dict[str, Any] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise ParseError("not an assignment", binding.original.line)
        if binding.key is None:
            continue
        if binding.key in values:
            raise ParseError(f"the name {binding.key!r} is given twice", binding.original.line)
        values[binding.key] = binding.value
    parsing.bounded(values)
    return values


def _syntax(source: bytes) -> ast.Module:
    if len(source) > MAX_SOURCE_BYTES:
        raise ParseError("larger than 1 MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's own style
            return ast.parse(source)
    except SyntaxError as error:
        raise ParseError(f"not Python ({error.msg})", error.lineno) from None
    except (ValueError, MemoryError, RecursionError):
        raise ParseError("not Python, or nested too deep") from None


def _shown(name: str, leaf: Any) -> Scalar:
    if isinstance(leaf, list | tuple | set | frozenset):
        return canonical_json(_listed(name, leaf)).decode()
    return redact(name, scalar(leaf))


def _listed(name: str, value: Any) -> Any:
    """A value inside a list, as JSON can say it, with secrets redacted at every depth."""
    if isinstance(value, dict):
        items = ((str(parsing.plain(key)), child) for key, child in value.items())
        return {key: _listed(f"{name}.{key}", child) for key, child in items}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)  # a set has no order of its own
    if isinstance(value, list | tuple):
        return [_listed(name, child) for child in value]
    return redact(name, scalar(value))
