"""`assent.lock`: the bundle that a model's inputs have given, so that nobody makes another one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from assent.config.settings import MAX_NAME, NAME
from assent.core.digest import Digest, is_digest
from assent.errors import UsageError
from assent.parsing import ParseError, parse_yaml_with_lines

FORMAT = "assent/lock/1"
FILE = "assent.lock"
MAX_BYTES = 1024 * 1024
_HEADER = "# Written by `assent retrain`. Which bundle each model is, as long as its inputs last.\n"
_DOCS = "docs/formats.md describes it; `assent retrain` writes it"


class Locked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model: its bundle, the digest of the inputs that the bundle was made from, and the entry
    of the ledger in which the retraining that made it was noted.
    """

    bundle: Digest
    inputs: Digest
    entry: int


def read_lock(text: bytes, file: str) -> dict[str, Locked]:
    """The bundles of the models by name. `file` is the name that errors show.

    Raises `UsageError` with file and line.
    """
    if len(text) > MAX_BYTES:
        raise UsageError(f"reading {file}", f"it is larger than {MAX_BYTES:,} bytes", hint=_DOCS)
    try:
        value, lines = parse_yaml_with_lines(text)
    except ParseError as error:
        where = file if error.line is None else f"{file}, line {error.line}"
        raise UsageError(f"reading {where}", error.problem, hint=_DOCS) from None
    reader = _Reader(file, lines)
    top = reader.mapping(value, (), {"format", "models"})
    if top["format"] != FORMAT:
        reader.fail(("format",), f"expected {FORMAT}; a newer Assent may have written it")
    models = top["models"]
    if not isinstance(models, dict):
        reader.fail(("models",), "expected a mapping with models as keys")
    return {name: reader.locked(name, models[name]) for name in models}


def lock_text(models: Mapping[str, Locked]) -> bytes:
    """The file that says so: the same models give the same bytes."""
    lines = [f"format: {FORMAT}", "models:" if models else "models: {}"]
    for name in sorted(models):
        # A name such as `1` or `on` would be read as something else.
        lines.append(f'  "{name}":')
        lines += [
            f"    {key}: {value}" for key, value in msgspec.structs.asdict(models[name]).items()
        ]
    return (_HEADER + "\n".join(lines) + "\n").encode()


class _Reader:
    """One file being read, with the line of every value."""

    def __init__(self, file: str, lines: Mapping[tuple[str | int, ...], int]) -> None:
        self._file = file
        self._lines = lines

    def mapping(self, value: Any, path: tuple[str, ...], keys: set[str]) -> dict[str, Any]:
        """A mapping of exactly these keys."""
        if not isinstance(value, dict):
            self.fail(path, f"expected a mapping of {', '.join(sorted(keys))}")
        for key in value:
            if key not in keys:
                self.fail((*path, str(key)), f"unknown key {str(key)[:100]!r}")
        for key in sorted(keys - value.keys()):
            self.fail(path, f"`{key}` is missing")
        return value

    def locked(self, name: Any, value: Any) -> Locked:
        """What is said of one model."""
        path = ("models", name)
        if not isinstance(name, str) or not re.fullmatch(NAME, name) or len(name) > MAX_NAME:
            self.fail(path, f"{str(name)[:100]!r} is no name of a model")
        fields = self.mapping(value, path, {"bundle", "inputs", "entry"})
        for key in ("bundle", "inputs"):
            if not isinstance(fields[key], str) or not is_digest(fields[key]):
                self.fail((*path, key), "expected sha256: and 64 hexadecimal digits")
        entry = fields["entry"]
        if not isinstance(entry, int) or isinstance(entry, bool) or not 0 <= entry < 2**53:
            self.fail((*path, "entry"), "expected the number of an entry of the ledger")
        return Locked(bundle=Digest(fields["bundle"]), inputs=Digest(fields["inputs"]), entry=entry)

    def fail(self, path: tuple[Any, ...], problem: str) -> NoReturn:
        """Raise the error with the line that is meant."""
        known = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in self._lines), ())
        line = self._lines.get(known, 1)
        raise UsageError(f"reading {self._file}, line {line}", problem, hint=_DOCS)
