"""The metrics of a run in the folder of MLflow's file store (`mlruns/<experiment>/<run>`).

Source: `mlflow/store/tracking/file_store.py`. A run is a folder whose `meta.yaml` has its `run_id`
(`run_uuid` before). A metric is a file below its folder `metrics`, whose path there is the name,
with a line `timestamp value step` for each time it was logged; the step came later, and more
fields may follow. The value is that of the highest step, of these the newest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from assent.core.scalar import Scalar, scalar
from assent.parsing import ParseError

_MOST_PARTS, _MAX_META = 8, 1 << 16
_RUN = re.compile(rb"^run_(?:id|uuid):", re.MULTILINE)
_POINT = re.compile(r"(\d{1,20}) (\S{1,40})(?: (-?\d{1,20}))?(?: .*)?")


def metric_name(path: Path) -> str | None:
    """The name of the metric that a file of a run is; None for any other file. Raises `ParseError`
    for what a run has beside its metrics, and what would be read as figures of the model.
    """
    if path.name == "meta.yaml" and _is_run(path.parent):
        raise ParseError(_NO_METRIC)
    for folder in islice(path.parents, _MOST_PARTS):
        if folder.name == "metrics" and _is_run(folder.parent):
            return path.relative_to(folder).as_posix()
        if folder.name in ("params", "tags") and _is_run(folder.parent):
            raise ParseError(_NO_METRIC)
    return None


_NO_METRIC = (
    "part of a run of MLflow, and no metric: name the files of its folder `metrics` "
    "(`mlruns/<experiment>/<run>/metrics/*`)"
)


def _is_run(folder: Path) -> bool:
    meta = folder / "meta.yaml"
    if meta.is_symlink() or not meta.is_file() or meta.stat().st_size > _MAX_META:
        return False
    return _RUN.search(meta.read_bytes()) is not None


def points(text: bytes) -> tuple[list[Scalar], list[Scalar]]:
    """The values of a metric and their steps, in the order of the steps. Raises `ParseError`."""
    history = sorted(_points(text), key=lambda point: point[:2])
    if not history:
        raise ParseError("there is no value in it")
    return [value for _, _, value in history], [step for step, _, _ in history]


def _points(text: bytes) -> Iterator[tuple[int, int, Scalar]]:
    for number, line in enumerate(text.decode(errors="replace").split("\n"), 1):
        match = _POINT.fullmatch(line.strip())
        if match is None:
            if line.strip():
                raise ParseError(
                    "a line that is not `timestamp value step`, as MLflow writes", number
                )
            continue
        try:
            value = scalar(float(match[2]))
        except ValueError:
            raise ParseError(f"{match[2]!r} is no number", number) from None
        yield int(match[3] or 0), int(match[1]), value
