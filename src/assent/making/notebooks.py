"""Notebooks of Jupyter: what of them is run, without what running them writes into them."""

from __future__ import annotations

from typing import Any

import msgspec

from assent.core.digest import Digest, digest_of_value
from assent.parsing import MAX_BYTES

_OF_CELLS = frozenset({"execution", "papermill", "ExecuteTime", "collapsed", "scrolled"})
_OF_NOTEBOOKS = frozenset({"papermill", "language_info", "widgets"})
"""What Jupyter and papermill write into the metadata of what they have run."""


def cells_digest(content: bytes) -> Digest | None:
    """The digest of a notebook without outputs, counts, times and ids: the same before and after
    it is executed in place, and another one for any other change. None for what is no notebook of
    version 4.
    """
    try:
        notebook = None if len(content) > MAX_BYTES else msgspec.json.decode(content)
        cells = _cells(notebook)
        if notebook is None or cells is None:
            return None
        rest = {
            key: value for key, value in notebook.items() if key not in ("cells", "nbformat_minor")
        }
        rest["metadata"] = _without(notebook.get("metadata"), _OF_NOTEBOOKS)
        return digest_of_value({"notebook": rest, "cells": cells})
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, TypeError):
        return None


def _cells(notebook: Any) -> list[Any] | None:
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        return None
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        return None
    return [_cell(cell) for cell in cells]


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    gone = ("outputs", "execution_count", "id")
    kept = {key: value for key, value in cell.items() if key not in gone}
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        kept["source"] = "".join(source)
    kept["metadata"] = _without(cell.get("metadata"), _OF_CELLS)
    if kept["metadata"] == {"tags": []}:  # papermill adds it
        kept["metadata"] = {}
    return kept


def _without(metadata: Any, names: frozenset[str]) -> Any:
    if not isinstance(metadata, dict):
        return metadata
    return {key: value for key, value in metadata.items() if key not in names}
