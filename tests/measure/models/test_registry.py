"""The list of formats and the folder of readers are the same."""

from __future__ import annotations

import ast
from pathlib import Path

from assent.measure.models import formats
from assent.measure.models.registry import FORMATS, readers


def test_every_reader_is_registered_once() -> None:
    """A file in `formats` that has no reader belongs to one that has."""
    made = {
        path.stem
        for folder in formats.__path__
        for path in Path(folder).glob("*.py")
        if any(
            isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "READER"
            for one in ast.parse(path.read_text()).body
        )
    }
    assert sorted(FORMATS) == sorted(made)


def test_each_says_what_its_format_is_called() -> None:
    found = [reader.format for reader in readers()]
    assert len(found) == len(FORMATS)
    assert all(found)
