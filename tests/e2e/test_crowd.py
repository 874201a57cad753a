"""Many processes at once, each with a clone of its own, beside one that repairs all the time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project, ended
from tests.effort import more_in_soak


@pytest.mark.usefixtures("for_real")  # who verifies waits for those that write
@pytest.mark.threat(24)
@pytest.mark.parametrize("count", [6, *more_in_soak(32, 256)])
def test_a_crowd_beside_a_repair_loses_and_doubles_nothing(
    registered: Project, tmp_path: Path, count: int
) -> None:
    """No writer gives up, no repair finds anything to repair, and no pointer goes back."""
    clones = [registered.clone(f"clone{number}") for number in range(count)]
    writers = [one.start(*words(number)) for number, one in enumerate(clones)]
    repairs = 0
    while repairs == 0 or any(writer.poll() is None for writer in writers):
        said = registered.run("verify", "--repair", "--json").json
        assert said["faults"] == []
        repairs += 1
    for number, writer in enumerate(writers):
        ended(writer, *words(number), code=0)
    sound = registered.run("verify")
    assert "repaired" not in sound.stdout
    noted = [entry for entry in timeline(registered) if entry["kind"] == "noted"]
    assert sorted(entry["reason"] for entry in noted) == sorted(
        f"alert {number}" for number in range(count) if number % 3
    )
    moves = [entry["kind"] for entry in timeline(registered) if entry["kind"] != "noted"]
    assert moves.count("promoted") == 1  # whoever was later found it there
    assert registered.run("resolve", "staging", "--json").json["version"] == 1


def words(number: int) -> tuple[str, ...]:
    """What each of them does: of three one promotes, and two note something."""
    return ("note", f"alert {number}") if number % 3 else ("promote", "staging", "v1")


def timeline(project: Project) -> list[dict[str, Any]]:
    moments = project.run("timeline", "--limit", "1000", "--json").json["moments"]
    return [moment["entry"] for moment in moments]


@pytest.mark.threat(25)
def test_a_writer_that_is_killed_in_its_turn_keeps_nobody(registered: Project) -> None:
    """The kernel gives its turn to the next one."""
    clones = [registered.clone(f"clone{number}") for number in range(4)]
    writers = [one.start("note", f"alert {number}") for number, one in enumerate(clones)]
    killed, *others = writers
    time.sleep(0.2)  # somewhere in what it does
    killed.kill()
    killed.communicate()
    for number, writer in enumerate(others, 1):
        ended(writer, "note", f"alert {number}", code=0)
    registered.run("verify")
