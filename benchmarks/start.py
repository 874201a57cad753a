"""Start-up: what a person waits for before anything happens, against importing Click alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.context import Context
from benchmarks.figures import Figure, against, plain
from benchmarks.measure import Command, in_turns, ratio
from benchmarks.project import MODEL
from benchmarks.small import small_project

HELP_LIMIT, RESOLVE_LIMIT = 2.0, 3.0


def measure(context: Context) -> Iterator[Figure]:
    project = small_project(context.folder / "start", context.env, candidates=1)
    project.start()
    floor = Command([sys.executable, "-c", "import click"], project.folder, context.env)
    samples = in_turns(
        {
            "floor": floor,
            "help": project.command("--help"),
            "resolve": project.command("resolve", "production", "--model", MODEL),
        },
        rounds=context.rounds(40, quick=7),
    )
    yield plain("start", "floor: python -c 'import click'", samples["floor"])
    for name, words, limit in (
        ("help", "assent --help", HELP_LIMIT),
        ("resolve", "assent resolve production", RESOLVE_LIMIT),
    ):
        held = ratio(samples[name], samples["floor"])
        yield against("start", words, samples[name], "the floor", held, limit)
