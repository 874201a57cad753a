"""A reader's copy of the ledger, after many readings of which each found something new."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from assent.git import Repository
from assent.ledgers.git.ledger import GitLedger
from benchmarks.context import Context
from benchmarks.figures import Figure, mebibytes
from benchmarks.history import write_history
from benchmarks.project import MODEL
from benchmarks.small import small_project

LIMIT = 60
"""Packs: those that are merged once there are more, and what one reading leaves."""


def measure(context: Context) -> Iterator[Figure]:
    readings = context.rounds(1_000, quick=100)
    project = small_project(context.folder / "read", context.env, candidates=1)
    write_history(project, readings)
    git = ["git", "-C", str(project.remote)]
    branch = f"refs/heads/assent/{MODEL}"
    words = [*git, "rev-list", "--reverse", branch]
    commits = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    ledger = GitLedger(Repository(project.folder), "origin")
    most = 0
    for commit in commits[-readings:]:
        subprocess.run([*git, "update-ref", branch, commit], check=True)
        ledger.read(MODEL)
        packs = list((project.folder / ".git/assent").glob("*/ledger.git/objects/pack/*.pack"))
        most = max(most, len(packs))
    size = sum(pack.stat().st_size for pack in packs)
    yield Figure(
        "cache",
        f"packs in a reader's copy of the ledger, at most, in {readings:,} readings",
        f"{most}; {mebibytes(size)} at the end",
        goal=f"at most {LIMIT}",
        met=most <= LIMIT,
        numbers={"packs": most, "bytes": size},
    )
