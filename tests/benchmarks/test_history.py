"""The history that benchmarks begin with is one that Assent goes on with, and it stays small."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.history import write_history
from benchmarks.project import environment
from benchmarks.small import small_project

MOST_BYTES = 1_300
"""What an entry may add to every clone: docs/benchmarks.md has the figures of long ledgers."""


def test_a_long_history_is_gone_on_with_and_stays_small(tmp_path: Path) -> None:
    project = small_project(tmp_path / "work", environment(tmp_path), candidates=2)
    write_history(project, 200)
    git = ["git", "-C", str(project.remote)]
    subprocess.run([*git, "repack", "-adfq"], check=True)
    entries = int(project.git("-C", str(project.remote), "rev-list", "--count", "assent/churn"))
    packs = (project.remote / "objects/pack").glob("*.pack")
    assert sum(pack.stat().st_size for pack in packs) < MOST_BYTES * entries
    project.check_out(1)
    project.approve()
    project.assent("register")
    project.assent("promote", "staging")
