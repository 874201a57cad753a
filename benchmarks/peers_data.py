"""The peers that compare data: Evidently for drift, datacompy for rows, scikit-learn
for the interval of one metric. Each in a virtual environment of its own in the user's cache.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.context import Context
from benchmarks.figures import Figure, mebibytes, milliseconds
from benchmarks.installed import python_of
from benchmarks.measure import Command, Samples, WrongExitError, in_turns

EVIDENTLY = "evidently==0.7.23"
DATACOMPY = "datacompy==1.1.0"

_EVIDENTLY = """\
import sys, pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
old, new = map(pd.read_parquet, sys.argv[1:])
Report([DataDriftPreset()]).run(new, old).dict()
"""
_DATACOMPY = """\
import sys, pandas as pd
from datacompy import PandasCompare
old, new = map(pd.read_parquet, sys.argv[1:])
PandasCompare(old, new, join_columns="id").report()
"""
_AUC = """\
import sys, time
import numpy as np
from sklearn.metrics import roc_auc_score
rows = int(sys.argv[1])
made = np.random.default_rng(0)
label = made.integers(0, 2, rows)
score = label + made.normal(size=rows)
start = time.perf_counter()
for _ in range(20):
    chosen = made.integers(0, rows, rows)
    roc_auc_score(label[chosen], score[chosen])
print((time.perf_counter() - start) * 50)
"""


def flagged(context: Context, old: Path, new: Path) -> list[str]:
    """The columns of which Assent says that drift is shown."""
    words = [sys.executable, "-m", "assent", "diff", "--data", str(old), str(new), "--json"]
    done = subprocess.run(
        words, cwd=old.parent, env=context.env, check=True, capture_output=True, text=True
    )
    changes = json.loads(done.stdout)["diff"]["changes"]
    return [
        column["name"]
        for change in changes
        for column in change["columns"]
        if (column.get("drift") or {}).get("outcome") == "shown"
    ]


def drift(context: Context, folder: Path, old: Path, new: Path, ours: Samples) -> Iterator[Figure]:
    """Evidently on the same pair of files."""
    yield from _peer(context, folder, EVIDENTLY, _EVIDENTLY, (old, new), ours, 100.0)


def rows(context: Context, folder: Path, old: Path, new: Path, ours: Samples) -> Iterator[Figure]:
    """datacompy on the same pair of files."""
    yield from _peer(context, folder, DATACOMPY, _DATACOMPY, (old, new), ours, None)


def auc(context: Context, count: int) -> Iterator[Figure]:
    """1,000 draws of scikit-learn's AUC alone, reckoned from 20."""
    command = Command([sys.executable, "-c", _AUC, str(count)], context.folder, context.env)
    in_turns({"auc": command}, 1)
    taken = float((context.folder / ".benchmark-output").read_text())
    yield Figure(
        "diffs",
        f"scikit-learn, bootstrap of the AUC alone, {count:,} predictions, 1,000 draws",
        milliseconds(taken),
        numbers={"wall_s": taken},
    )


def _peer(
    context: Context,
    folder: Path,
    package: str,
    script: str,
    paths: tuple[Path, Path],
    ours: Samples,
    goal: float | None,
) -> Iterator[Figure]:
    # None of them knows pandas 3 yet.
    python = python_of(package, "pyarrow", "pandas<3", install=context.with_peers)
    if python is None:
        yield Figure("diffs", package, "skipped: not installed (--peers installs it)")
        return
    command = Command([str(python), "-c", script, *map(str, paths)], folder, context.env)
    try:
        samples = in_turns({"peer": command}, 1)["peer"]
    except WrongExitError as error:
        yield Figure("diffs", f"{package}, the same files", f"failed: {str(error)[-200:]}")
        return
    times = samples.wall_s / ours.wall_s
    yield Figure(
        "diffs",
        f"{package}, the same files",
        f"{milliseconds(samples.wall_s)}, {mebibytes(samples.peak_bytes)}, {times:.1f} times ours",
        goal="" if goal is None else f"at least {goal:g} times ours",
        met=None if goal is None else times >= goal,
        numbers={"wall_s": samples.wall_s, "peak_bytes": samples.peak_bytes, "times": times},
    )
