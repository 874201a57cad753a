"""Diffs of data, rows, weights and predictions against reading the same bytes, and the peers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks import peers_data
from benchmarks.context import Context
from benchmarks.figures import Figure, against, mebibytes, milliseconds, plain
from benchmarks.measure import Command, Samples, in_turns, ratio
from benchmarks.tables import DRIFTED, write

_READ = """\
import sys, pyarrow.parquet as pq
for path in sys.argv[1:]:
    file = pq.ParquetFile(path)
    for name in file.schema_arrow.names:
        file.read(columns=[name], use_threads=True)
"""
_JOIN = """\
import sys, duckdb
old, new = sys.argv[1:]
columns = [row[0] for row in duckdb.sql(f"describe select * from '{old}'").fetchall()]
row = "hash(" + ", ".join(f'"{name}"' for name in columns) + ")"
print(duckdb.sql(
    f"with a as (select id, {row} as h from '{old}'), b as (select id, {row} as h from '{new}') "
    "select count(*) filter (a.h is null), count(*) filter (b.h is null), "
    "count(*) filter (a.h <> b.h) from a full join b using (id)"
).fetchall())
"""
_READ_BYTES = """\
import mmap, sys
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        while file.readinto(bytearray(1 << 22)):
            pass
"""


def measure(context: Context) -> Iterator[Figure]:
    yield from _drift(context)
    yield from _growth(context)
    yield from _rows(context)
    yield from _weights(context)
    yield from _intervals(context)


def _drift(context: Context) -> Iterator[Figure]:
    scale = 10 if context.is_quick else 1
    for rows, columns, limit, memory in (
        (1_000_000 // scale, 25, 1.6, 250),
        (10_000_000 // scale, 10, 1.6, 700),
    ):
        name = f"{rows:,} rows x {columns}"
        folder = context.folder / f"drift{rows}"
        old, new = write("pair", folder, rows, columns)
        profile = folder / "old.json.gz"
        command = partial(_assent, folder, context)
        saving = command("diff", "--data", str(new), str(old), "--save-profile", str(profile))
        in_turns({"save": saving}, 1)
        commands = {
            "read both": _python(folder, context, _READ, old, new),
            "read one": _python(folder, context, _READ, new),
            "diff": command("diff", "--data", str(old), str(new)),
            "against profile": command("diff", "--data", str(profile), str(new)),
        }
        samples = in_turns(commands, context.rounds(7, quick=1))
        yield plain("diffs", f"reading both, {name}", samples["read both"])
        yield _held(samples, "diff", "read both", f"assent diff --data, {name}", limit)
        yield _memory(samples["diff"], f"memory, {name}", memory)
        if columns == 25:
            what = f"assent diff --data with the stored profile, {name}"
            yield _held(samples, "against profile", "read one", what, 1.8)
            flagged = peers_data.flagged(context, old, new)
            yield Figure(
                "diffs",
                f"columns flagged, {name}",
                ", ".join(flagged) or "none",
                goal=", ".join(DRIFTED),
                met=set(flagged) == set(DRIFTED),
            )
            yield from peers_data.drift(context, folder, old, new, samples["diff"])


def _growth(context: Context) -> Iterator[Figure]:
    """Time at three sizes each: what one row, and one column, more costs."""
    scale = 10 if context.is_quick else 1
    for what, sizes in (
        ("rows", [(n * 1_000_000 // scale, 10) for n in (1, 2, 4)]),
        ("columns", [(200_000 // scale, n) for n in (50, 100, 200)]),
    ):
        commands = {}
        for rows, columns in sizes:
            folder = context.folder / f"growth{rows}x{columns}"
            old, new = write("pair", folder, rows, columns)
            commands[f"{rows:,} x {columns}"] = _assent(
                folder, context, "diff", "--data", str(old), str(new)
            )
        start = _assent(context.folder, context, "diff", "--help")
        samples = in_turns({"start": start, **commands}, context.rounds(3, quick=1))
        begun = samples.pop("start").wall_s
        taken = [sample.wall_s - begun for sample in samples.values()]
        grown = [after / before for before, after in pairwise(taken)]
        yield Figure(
            "diffs",
            f"growth with {what}",
            "; ".join(
                f"{name} {milliseconds(seconds)}"
                for name, seconds in zip(samples, taken, strict=True)
            )
            + f": {', '.join(f'{factor:.2f}' for factor in grown)} times at each doubling",
            goal="at most 2.3 times at each doubling",
            met=all(factor <= 2.3 for factor in grown),
        )


def _rows(context: Context) -> Iterator[Figure]:
    scale = 10 if context.is_quick else 1
    for rows in (1_000_000 // scale, 10_000_000 // scale):
        folder = context.folder / f"rows{rows}"
        old, new = write("versions", folder, rows)
        words = ("diff", "--data", str(old), str(new), "--key", "id", "--rows-only")
        commands = {
            "join": _python(folder, context, _JOIN, old, new),
            "diff": _assent(folder, context, *words),
        }
        samples = in_turns(commands, context.rounds(7, quick=1))
        yield plain("diffs", f"DuckDB's join of key and row hash, {rows:,} rows", samples["join"])
        yield _held(samples, "diff", "join", f"rows by key, {rows:,} rows", 1.3)
        yield _memory(samples["diff"], f"memory, rows by key, {rows:,} rows", 1024)
        yield from peers_data.rows(context, folder, old, new, samples["diff"])


def _weights(context: Context) -> Iterator[Figure]:
    scale = 16 if context.is_quick else 1
    for dtype, width, limit in (("float32", 4, 0.6), ("bfloat16", 2, None)):
        folder = context.folder / f"weights-{dtype}"
        old, new = write("tensors", folder, (1 << 30) // scale, width)
        commands = {
            "read": _python(folder, context, _READ_BYTES, old, new),
            "diff": _assent(folder, context, "diff", "--files", str(old), str(new)),
            "header": _assent(
                folder, context, "diff", "--files", str(old), str(new), "--no-weights"
            ),
            "start": _assent(folder, context, "diff", "--help"),
        }
        samples = in_turns(commands, context.rounds(7, quick=1))
        yield plain("diffs", f"reading both files, {dtype}", samples["read"])
        begun = samples["start"].wall_s
        for name, goal in (("diff", limit), ("header", 0.1)):
            taken = samples[name].wall_s - begun
            what = "all tensors" if name == "diff" else "headers alone"
            yield Figure(
                "diffs",
                f"two safetensors of 1 GiB, {dtype}, {what}, without the start",
                f"{milliseconds(taken)}, {ratio(samples[name], samples['read'])} times reading",
                goal="" if goal is None else f"at most {milliseconds(goal)}",
                met=None if goal is None else taken <= goal,
                numbers={"wall_s": taken},
            )
        yield _memory(samples["diff"], f"memory, two safetensors, {dtype}", 250)


def _intervals(context: Context) -> Iterator[Figure]:
    rows = 10_000 if context.is_quick else 100_000
    script = _INTERVALS.format(rows=rows)
    commands = {"intervals": _python(context.folder, context, script)}
    samples = in_turns(commands, context.rounds(7, quick=1))
    output = (context.folder / ".benchmark-output").read_text()
    taken = float(output.split()[-1])
    yield Figure(
        "diffs",
        f"all metric intervals of a binary classifier, {rows:,} predictions, after reading",
        milliseconds(taken),
        goal="at most 500 ms",
        met=taken <= 0.5,
        numbers={"wall_s": taken, "process_s": samples["intervals"].wall_s},
    )
    yield from peers_data.auc(context, rows)


_INTERVALS = """\
import sys, time, tempfile
from pathlib import Path
import numpy as np
from assent.config.settings import PredictionsSettings
from assent.compare.predictions import compare_predictions
from assent.measure.predictions.loading import load_predictions
from assent.measure.predictions.reading import read_predictions
rows = {rows}
made = np.random.default_rng(0)
label = made.integers(0, 2, rows)
tables = []
with tempfile.TemporaryDirectory() as folder:
    for side in (0, 1):
        score = 1 / (1 + np.exp(-(label * 2 - 1 + made.normal(size=rows) * (1.5 - 0.1 * side))))
        lines = ["id,y,yhat,p"]
        for i, (y, p) in enumerate(zip(label, score)):
            lines.append(f"{{i}},{{y}},{{int(p > 0.5)}},{{p:.6f}}")
        Path(folder, "predictions.csv").write_text("\\n".join(lines))
        settings = PredictionsSettings(
            path="predictions.csv", id="id", label="y", prediction="yhat", score="p"
        )
        meta, content = read_predictions(Path(folder), settings)
        tables.append(load_predictions(content, meta))
start = time.perf_counter()
compare_predictions(*tables)
print(time.perf_counter() - start)
"""


def _assent(folder: Path, context: Context, *words: str) -> Command:
    return Command([sys.executable, "-m", "assent", *words], folder, context.env)


def _python(folder: Path, context: Context, script: str, *paths: Path) -> Command:
    return Command([sys.executable, "-c", script, *map(str, paths)], folder, context.env)


def _held(samples: dict[str, Samples], name: str, floor: str, what: str, limit: float) -> Figure:
    held = ratio(samples[name], samples[floor])
    return against("diffs", what, samples[name], floor.replace("read", "reading"), held, limit)


def _memory(measured: Samples, what: str, limit: int) -> Figure:
    peak = measured.peak_bytes
    return Figure(
        "diffs",
        what,
        mebibytes(peak),
        goal=f"at most {limit} MiB",
        met=peak <= limit * 2**20,
        numbers={"peak_bytes": peak},
    )
