"""How often each verb reads the inputs: the bytes that the process itself has read (`rchar` of
`/proc/self/io`, which counts cached reads too), as a multiple of the size of the inputs.

The inputs are one large file that Git ignores, as data is. What the team's own commands read, and
what Git reads, are processes of their own and do not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.context import Context
from benchmarks.figures import Figure, mebibytes
from benchmarks.project import MODEL, Project

_MIB = 2**20
_CONFIG = f"""\
models:
  {MODEL}:
    train: sh train.sh
    evaluate: sh evaluate.sh
    inputs: [train.sh, data/**]
    model: model/
    metrics: [metrics.json]
    data:
      train: {{path: data/train.bin, profile: false}}
    gates:
      - {{metric: roc_auc, min: 0.75}}
    approvals: {{count: 1}}
    stages: {{staging: {{}}}}
"""
_FILES = {
    "assent.yaml": _CONFIG,
    ".gitignore": ".assent/\nmodel/\nmetrics.json\ndata/\n",
    "train.sh": "mkdir -p model; echo 1 >model/weights\n",
    "evaluate.sh": "echo '{\"roc_auc\": 0.9}' >metrics.json\n",
}
_COUNTED = """\
import atexit, pathlib, re, sys

def note():
    said = pathlib.Path("/proc/self/io").read_text()
    pathlib.Path(PLACE).write_text(re.search(r"rchar: (\\d+)", said)[1])

PLACE = sys.argv.pop(1)
atexit.register(note)
from assent.cli.main import main
main()
"""


def measure(context: Context) -> Iterator[Figure]:
    size = (64 if context.is_quick else 2048) * _MIB
    project = Project(context.folder / "reading", context.env)
    _begin(project, size)
    for verb, words, codes, goal in (
        ("review, the first time", ["review"], (11,), 1.0),
        ("review again, inputs unchanged", ["review"], (11,), 0.0),
        ("approve", ["approve", "--as", "grace"], (0,), 0.0),
        ("register", ["register"], (0,), 0.0),
        ("promote", ["promote", "staging"], (0,), 0.0),
    ):
        read = _read(project, words, codes) / size
        yield Figure(
            "reading",
            f"assent {verb}, {mebibytes(size)} of inputs",
            f"{read:.2f} times the inputs",
            goal=f"at most {goal:g} times" if goal else "none of them",
            met=read <= goal + 0.05 + 16 * _MIB / size,
            numbers={"ratio": read},
        )


def _begin(project: Project, size: int) -> None:
    project.folder.mkdir(parents=True)
    for name, text in _FILES.items():
        (project.folder / name).write_text(text)
    (project.folder / "data").mkdir()
    block = os.urandom(_MIB)
    with (project.folder / "data/train.bin").open("wb") as file:
        for _ in range(size // _MIB):
            file.write(block)
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "begin"],
    ):
        subprocess.run(["git", *words], cwd=project.folder, env=project.env, check=True)


def _read(project: Project, words: list[str], codes: tuple[int, ...]) -> int:
    """The bytes that one run of `assent` reads beyond what it reads to start and to say so."""
    return _counted(project, words, codes) - _counted(project, [words[0], "--help"], (0,))


def _counted(project: Project, words: list[str], codes: tuple[int, ...]) -> int:
    place = Path(project.folder, "..", "rchar").resolve()
    done = subprocess.run(
        [sys.executable, "-c", _COUNTED, str(place), *words],
        cwd=project.folder,
        env=project.env,
        capture_output=True,
        check=False,
    )
    if done.returncode not in codes:
        raise RuntimeError(f"assent {' '.join(words)}: {done.stderr.decode()}")
    return int(json.loads(place.read_text()))
