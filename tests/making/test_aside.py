"""Outputs of earlier runs, set aside: what a command finds, leaves, and gets back."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from assent.errors import OutsideError, UsageError
from assent.making.aside import aside, is_left, recover, standing_outputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where files are set aside."""
    return tmp_path / ".assent/aside/churn"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_a_command_finds_nothing_of_an_earlier_run(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, **{"model/a": "old", "model/b": "old", "metrics.json": "old"})
    with aside(tmp_path, folder) as moved:
        moved.move(["model/a", "model/b", "metrics.json"])
        assert standing_outputs(tmp_path, ["model", "metrics.json"]) == []
        write(tmp_path, **{"model/a": "new", "metrics.json": "new"})
        assert moved.unwritten() == ("model/b",)
        assert moved.is_written("model/a")
    assert (tmp_path / "model/a").read_text() == "new"
    assert not (tmp_path / "model/b").exists()
    assert not folder.exists()


def test_what_fails_leaves_everything_as_it_was(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, **{"model/a": "old", "metrics.json": "old"})
    os.utime(tmp_path / "metrics.json", ns=(5, 5))

    def fail() -> None:
        with aside(tmp_path, folder) as moved:
            moved.move(["model/a", "metrics.json"])
            write(tmp_path, **{"model/a": "half"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "model/a").read_text() == "old"
    assert (tmp_path / "metrics.json").stat().st_mtime_ns == 5
    assert not folder.exists()


def test_one_file_can_come_back_and_the_rest_fail_afterwards(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, a="old", b="old")

    def fail() -> None:
        with aside(tmp_path, folder) as moved:
            moved.move(["a", "b"])
            moved.bring_back(["a"])
            assert moved.gone == ("b",)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [(tmp_path / name).read_text() for name in "ab"] == ["old", "old"]


def _killed(root: Path, folder: Path) -> None:
    with aside(root, folder) as moved:
        moved.move(["model/a", "metrics.json"])
        write(root, **{"model/a": "half"})
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_next_verb_brings_back_what_a_kill_left_aside(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, **{"model/a": "old", "metrics.json": "old"})
    process = multiprocessing.get_context("fork").Process(target=_killed, args=(tmp_path, folder))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert (tmp_path / "model/a").read_text() == "half"
    with aside(tmp_path, folder):
        assert (tmp_path / "model/a").read_text() == "old"
        assert (tmp_path / "metrics.json").read_text() == "old"
    assert not is_left(folder)


def test_a_kill_in_the_middle_of_setting_aside_loses_nothing(tmp_path: Path, folder: Path) -> None:
    """The list names what is to be moved before anything is."""
    write(tmp_path, a="old", b="old")
    with aside(tmp_path, folder) as moved:
        moved.move(["a", "b"])
        (folder / "000001").rename(tmp_path / "b")  # as if it had not come so far
        recover(tmp_path, folder)
        assert [(tmp_path / name).read_text() for name in "ab"] == ["old", "old"]


def test_a_list_that_cannot_be_read_is_said_and_nothing_is_removed(
    tmp_path: Path, folder: Path
) -> None:
    write(folder, **{"moved.json": "{", "000000": "old"})
    with pytest.raises(OutsideError, match="cannot be read"):
        recover(tmp_path, folder)
    assert (folder / "000000").read_text() == "old"


def test_two_runs_of_a_model_exclude_each_other(tmp_path: Path, folder: Path) -> None:
    with (
        aside(tmp_path, folder),
        pytest.raises(UsageError, match="another run"),
        aside(tmp_path, folder),
    ):
        pass
    with aside(tmp_path, folder), aside(tmp_path, folder.with_name("other")):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="takes a file system of its own")
def test_what_cannot_be_renamed_is_told_by_its_times(tmp_path: Path, folder: Path) -> None:
    place = tmp_path / "model"
    place.mkdir()
    if os.system(f"mount -t tmpfs none {place} 2>/dev/null") != 0:
        pytest.skip("this machine mounts nothing")
    try:
        write(tmp_path, **{"model/a": "old", "model/b": "old"})
        with aside(tmp_path, folder) as moved:
            moved.move(["model/a", "model/b"])
            assert moved.standing == ("model/a", "model/b")
            write(tmp_path, **{"model/a": "old"})  # the same bytes, written again
            assert moved.unwritten() == ("model/b",)
    finally:
        os.system(f"umount {place}")


def test_links_and_folders_of_links_are_outputs_as_they_are(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, **{"cache/x": "old", "real/inner/y": "old", "model/.gitkeep": ""})
    (tmp_path / "model/link").symlink_to("../cache/x")
    (tmp_path / "model/dead").symlink_to("nowhere")
    (tmp_path / "model/folder").symlink_to("../cache")
    (tmp_path / "served").symlink_to("real")
    assert sorted(standing_outputs(tmp_path, ["model", "served"])) == [
        *("model/dead", "model/folder", "model/link", "served/inner/y"),
    ]
    with aside(tmp_path, folder) as moved:
        moved.move(["model/link", "model/folder", "model/dead"])
        assert (tmp_path / "cache/x").read_text() == "old"
        assert moved.gone == ("model/link", "model/folder", "model/dead")
        moved.bring_back()
    assert (tmp_path / "model/link").read_text() == "old"
    assert (tmp_path / "model/dead").readlink() == Path("nowhere")


@pytest.mark.parametrize("pattern", ["../x", "/etc/passwd", "out/x"])
def test_nothing_outside_is_touched(tmp_path: Path, pattern: str) -> None:
    root = tmp_path / "work"
    write(tmp_path, x="theirs", **{"work/a": ""})
    (root / "out").symlink_to(tmp_path)
    with pytest.raises(UsageError):
        standing_outputs(root, [pattern])
