"""Bytes into the store: `assent bundle` against one Python process that copies and hashes the
same files in one pass.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

from benchmarks.context import Context
from benchmarks.figures import Figure, against, mebibytes, plain
from benchmarks.measure import Command, Samples, in_turns, ratio
from benchmarks.project import MODEL, Project

LIMIT = 1.3
MEMORY_LIMIT = 1.1
_MIB = 2**20

_ASSENT = f"""\
models:
  {MODEL}:
    model: model/
    metrics: [metrics.json]
    gates:
      - {{metric: roc_auc, min: 0.75}}
"""
_FLOOR = """\
import hashlib, os, sys
source, target = sys.argv[1:]
os.makedirs(target)
for name in os.listdir(source):
    hasher = hashlib.sha256()
    with open(f"{source}/{name}", "rb") as file, open(f"{target}/{name}", "wb") as copy:
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
            copy.write(chunk)
    print(hasher.hexdigest())
"""


def measure(context: Context) -> Iterator[Figure]:
    rounds = context.rounds(7, quick=2)
    scale = 8 if context.is_quick else 1
    of_sizes = {}
    for size in (256 * _MIB // scale, 2048 * _MIB // scale):
        of_sizes[size] = yield from _compare(
            context, f"1 file of {mebibytes(size)}", 1, size, rounds
        )
    small, large = of_sizes.values()
    grown = large.peak_bytes / small.peak_bytes
    yield Figure(
        "bundle",
        f"memory for {mebibytes(max(of_sizes))} against {mebibytes(min(of_sizes))}",
        f"{mebibytes(large.peak_bytes)} and {mebibytes(small.peak_bytes)}, {grown:.2f} times",
        goal=f"constant (at most {MEMORY_LIMIT:g} times)",
        met=grown <= MEMORY_LIMIT,
        numbers={"ratio": grown},
    )
    count = 10_000 // scale
    yield from _compare(context, f"{count:,} files of 64 KiB", count, 64 << 10, rounds)


def _compare(
    context: Context, what: str, count: int, size: int, rounds: int
) -> Generator[Figure, None, Samples]:
    project = _project(context.folder / f"bundle{count}x{size}", context.env, count, size)
    store, copy = project.folder / ".assent" / "store", project.folder / "copy"
    words = [sys.executable, "-c", _FLOOR, str(project.folder / "model"), str(copy)]
    floor = Command(words, project.folder, context.env, before=lambda: _clear(copy))
    bundle = project.command("bundle", before=lambda: _clear(store))
    samples = in_turns({"floor": floor, "bundle": bundle}, rounds)
    shutil.rmtree(project.folder)
    yield plain("bundle", f"floor: copy and hash {what}", samples["floor"])
    held = ratio(samples["bundle"], samples["floor"])
    yield against("bundle", f"assent bundle, {what}", samples["bundle"], "the floor", held, LIMIT)
    return samples["bundle"]


def _project(folder: Path, env: dict[str, str], count: int, size: int) -> Project:
    """A model of `count` files of `size` bytes, no two alike, evaluated."""
    project = Project(folder, env)
    project.create()
    project.write(
        assent_yaml=_ASSENT,
        metrics_json=json.dumps({"roc_auc": 0.9}),
        _gitignore=".assent/\n.benchmark-output\nmodel/\ncopy/\n",
    )
    project.commit("start")
    (folder / "model").mkdir()
    for number in range(count):
        with (folder / "model" / f"part{number:05d}").open("wb") as file:
            for _ in range(0, size, _MIB):
                file.write(os.urandom(min(size, _MIB)))
    project.assent("evaluate")
    return project


def _clear(folder: Path) -> None:
    """Begin with an empty target, and without what the last run left to be written to the disk."""
    shutil.rmtree(folder, ignore_errors=True)
    os.sync()
