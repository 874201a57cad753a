"""A push that arrived although its answer was lost: it is in doubt, and the verb again writes it
once.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.project import GRACE, Project
from tests.effort import more_in_soak


def reached_by_ssh(project: Project, folder: Path) -> Project:
    """The project with a remote that is reached through `cutting.py`, whose files lie there."""
    folder.mkdir()
    shutil.copy(Path(__file__).with_name("cutting.py"), folder / "cutting.py")
    program = folder / "ssh"
    code = shlex.join([sys.executable, str(folder / "cutting.py")])
    program.write_text(f'#!/bin/sh\nexec {code} "$@"\n')
    program.chmod(0o755)
    project.git("remote", "set-url", "origin", f"ssh://host{project.remote.resolve()}")
    return replace(project, env={"GIT_SSH": str(program), "GIT_SSH_VARIANT": "simple"})


def prepared(project: Project, verb: str) -> Project:
    """The project before the verb, which will have something to do."""
    if verb == "rollback":
        project.run("promote", "staging", "v2")
    if verb == "register":
        project.branch("third", accuracy="0.95")
        project.run("review", code=11)
        project.run("approve", "--as", GRACE)
        project.merge("third")
    if verb == "approve":
        project.branch("third", accuracy="0.95")
        project.run("review", code=11)
    return project


VERBS = {
    "note": ("note", "an alert", "--stage", "staging"),
    "rollback": ("rollback", "staging", "--reason", "it is worse"),
    "clear": ("clear", "staging", "--reason", "nobody needs it"),
    "promote": ("promote", "staging", "v2"),
    "retire": ("retire", "v2", "--reason", "it is worse"),
    "register": ("register",),
    "approve": ("approve", "--as", GRACE),
}
ROWS = ["note", "rollback", *more_in_soak("clear", "promote", "retire", "register", "approve")]


@pytest.mark.threat(32)
@pytest.mark.parametrize("verb", ROWS)
def test_a_verb_in_doubt_writes_once_when_it_is_run_again(
    second: Project, tmp_path: Path, verb: str
) -> None:
    project = reached_by_ssh(prepared(second, verb), tmp_path / "ssh")
    before = second.entries()
    (tmp_path / "ssh/cut").touch()
    lost = project.run(*VERBS[verb], code=3)
    assert "in doubt whether it was written" in lost.stderr
    assert "hint: run the same verb again" in lost.stderr
    assert len(entries(project)) == len(before) + 1  # it has arrived
    (tmp_path / "ssh/gone").unlink()
    project.run(*VERBS[verb])
    assert len(entries(project)) == len(before) + 1
    project.run("verify")
    if verb == "note":  # and what is said once more means another
        project.run(*VERBS[verb])
        assert len(entries(project)) == len(before) + 2


@pytest.mark.threat(32)
def test_somebody_who_writes_before_it_is_looked_whether_it_arrived(
    second: Project, tmp_path: Path
) -> None:
    """Then the branch is neither where it was nor at our commit."""
    project = reached_by_ssh(second, tmp_path / "ssh")
    other = second.clone("other")
    words = [sys.executable, "-m", "assent", "note", "another alert", "--config", "assent.yaml"]
    (tmp_path / "ssh/then").write_text(f"cd {other.folder} && {shlex.join(words)} >&2\n")
    (tmp_path / "ssh/cut").touch()
    before = entries(project)
    project.run("note", "an alert")
    found = entries(project)[: -len(before)]
    assert len(found) == 2
    assert "another alert" in project.run("timeline").stdout


def entries(project: Project) -> list[str]:
    """The sentences of the ledger, as the repository itself has them."""
    shown = project.git("-C", str(project.remote), "log", "--format=%s", "assent/churn")
    return shown.splitlines()
