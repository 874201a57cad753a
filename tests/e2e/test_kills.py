"""`register` and `promote` are killed at a call to the system that changes something.

What is left if everything is killed at once is among what `test_power_cuts.py` goes on from: the
same as a cut of the power after which nothing is lost. Here it is done, and others live on: what
Assent has started, or Assent itself where one of those is killed.
"""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.person import Person, promotes, registers
from tests.e2e.project import Project, copy_project
from tests.effort import IS_SOAK

CHANGES = (
    "write,pwrite64,writev,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,"
    "rmdir,fsync,fdatasync,ftruncate,flock,clone,clone3,vfork,fork"
)
ALONE = ("strace", "-qq", "-e", "signal=none", "-e", f"trace={CHANGES}")
"""Watches the process of Assent, and none that it starts."""
ANY = ("strace", "-f", *ALONE[1:])
CONTAINER = ("unshare", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc")
"""Runs a command in a PID namespace of its own, as in a container: when it ends, all in it does."""

KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
SAMPLE = 2
"""At how many calls each verb is killed in each way, where not at each."""

VERBS = {
    "register": (("register",), registers, "approved", 2),
    "promote": (("promote", "staging"), promotes, "registered", 3),
}
"""What is run, again by a person, on which project, and how many entries there are afterwards."""


class Call(NamedTuple):
    """The `nth` call of a name that a process makes."""

    name: str
    nth: int


def killed(project: Project, watch: tuple[str, ...], at: Call, *words: str) -> tuple[int, str]:
    """Run a verb until a process that is watched makes a call: how it has ended, and what it has
    said.
    """
    inject = ("-o", "/dev/null", "-e", f"inject={at.name}:signal=SIGKILL:when={at.nth}")
    done = subprocess.run(
        [*watch, *inject, *project.command(*words)],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode, done.stderr.decode()


def calls(original: Project, place: Path, watch: tuple[str, ...], *words: str) -> list[Call]:
    """The calls that the processes make which are watched in a verb."""
    log = place.with_name("log")
    twin = copy_project(original, place)
    replace(twin, prefix=(*watch, "-o", str(log))).run(*words)
    shutil.rmtree(place)
    # Of one process alone, its number is not written down.
    found = re.findall(r"^(?:(\d+) +)?(\w+)\(", log.read_text(errors="replace"), re.MULTILINE)
    counted = Counter[tuple[str, str]]()
    every = list[Call]()
    for process, name in found:
        counted[process, name] += 1
        every.append(Call(name, counted[process, name]))
    return list(dict.fromkeys(every))


@pytest.mark.threat(25)
@pytest.mark.parametrize("how", ["alone", "any", "container"])
@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_a_call_to_the_system(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    at_home: Callable[[Project], None],
    verb: str,
    how: str,
) -> None:
    words, again, ready, entries = VERBS[verb]
    if how == "container" and subprocess.run([*CONTAINER, "true"], check=False).returncode:
        pytest.skip("this account may not make a PID namespace")
    original: Project = request.getfixturevalue(ready)
    at_home(original)
    watch = {"alone": ALONE, "any": ANY, "container": (*CONTAINER, *ALONE)}[how]
    every = calls(original, tmp_path / "count", ANY if how == "any" else ALONE, *words)
    ends = set[int]()
    for call in every if IS_SOAK else random.Random(f"{verb} {how}").sample(every, SAMPLE):
        project = copy_project(original, tmp_path / f"at-{call.name}-{call.nth}")
        code, said = killed(project, watch, call, *words)
        at = f"{verb}, {how}, {call}: {said}"
        # How often folders of Git are flushed differs with the ids: the last call may not come.
        assert how == "any" or code in (0, *KILLED), at
        ends.add(code)
        assert "Traceback" not in said, at
        assert "bug in Assent" not in said, at
        person = Person(project)
        person.finds_all_that_was_decided(at)
        if how == "container":
            replace(project, prefix=CONTAINER).run(*words)
        person.finishes(again, entries, at)
        shutil.rmtree(project.folder.parent)
    assert how == "any" or ends.intersection(KILLED)
