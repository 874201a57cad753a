"""What a ledger adds to every normal clone of its repository."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from benchmarks.context import Context
from benchmarks.figures import Figure, mebibytes
from benchmarks.history import write_history
from benchmarks.small import small_project

SIZES, QUICK_SIZES = (1_000, 10_000), (100, 1_000)
LIMIT = 15 << 20
"""Bytes of 10,000 versions."""


def measure(context: Context) -> Iterator[Figure]:
    first = small_project(context.folder / "small", context.env, candidates=1)
    for versions in QUICK_SIZES if context.is_quick else SIZES:
        project = first.copy(context.folder / f"of{versions}")
        write_history(project, versions)
        remote = ["git", "-C", str(project.remote)]
        # As a forge does with what was pushed: Git looks for likeness among all objects. What
        # there is now comes from the import, which compares each with the one before it only.
        subprocess.run([*remote, "repack", "-adfq"], check=True, env=project.env)
        clone = context.folder / f"clone{versions}"
        words = ["clone", "--quiet", "--no-local", f"file://{project.remote}", str(clone)]
        project.git(*words)
        packs = sorted((clone / ".git/objects/pack").iterdir())
        packed = sum(path.stat().st_size for path in packs if path.suffix == ".pack")
        beside = sum(path.stat().st_size for path in packs) - packed
        entries = int(project.git("-C", str(clone), "rev-list", "--count", "origin/assent/churn"))
        limit = LIMIT * versions // 10_000
        yield Figure(
            "growth",
            f"what a normal clone receives of {versions:,} versions",
            f"{mebibytes(packed)}, {packed / entries:,.0f} bytes an entry; "
            f"{mebibytes(beside)} more for the index that Git makes of it",
            goal=f"at most {mebibytes(limit)}",
            met=packed <= limit,
            numbers={"bytes": packed, "index_bytes": beside, "entries": entries},
        )
