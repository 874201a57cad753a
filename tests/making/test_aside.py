"""Outputs of earlier runs, set aside: what a command finds, leaves, and gets back."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from assent.errors import OutsideError, UsageError
from assent.making.aside import Aside, aside, cut_off, is_left
from assent.making.existing_outputs import standing_outputs
from assent.making.run_lock import goes_on


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
            moved.settle(["a"])
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


def in_a_child(does: Callable[[Path, Path], None], root: Path, folder: Path) -> None:
    """Run it in a process of its own, which kills itself."""
    process = multiprocessing.get_context("fork").Process(target=does, args=(root, folder))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def failed(root: Path, folder: Path, names: list[str], command: Callable[[], None]) -> Aside:
    """A run whose command fails."""
    with suppress(ZeroDivisionError), aside(root, folder) as moved:
        moved.move(names)
        command()
        raise ZeroDivisionError
    return moved


def recover(root: Path, folder: Path) -> Aside:
    """What the next verb does."""
    with cut_off(root, folder) as moved:
        assert moved is not None
        moved.bring_back()
    return moved


def test_the_next_verb_brings_back_what_a_kill_left_aside(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, **{"model/a": "old", "metrics.json": "old"})
    in_a_child(_killed, tmp_path, folder)
    assert (tmp_path / "model/a").read_text() == "half"
    with pytest.raises(UsageError, match="cut off"), aside(tmp_path, folder):
        pass
    moved = recover(tmp_path, folder)
    assert (tmp_path / "model/a").read_text() == "old"
    assert (tmp_path / "metrics.json").read_text() == "old"
    assert [(one / "model/a").read_text() for one in moved.beside] == ["half"]
    assert not is_left(folder)


def test_a_kill_in_the_middle_of_setting_aside_loses_nothing(tmp_path: Path, folder: Path) -> None:
    """The list names what is to be moved before anything is."""
    write(tmp_path, a="old", b="old")
    with aside(tmp_path, folder) as moved:
        moved.move(["a", "b"])
        (folder / "000001").rename(tmp_path / "b")  # as if it had not come so far
        moved.bring_back()
        assert [(tmp_path / name).read_text() for name in "ab"] == ["old", "old"]
        assert moved.beside == set()


def test_what_a_kill_kept_from_being_removed_is_never_brought_back(
    tmp_path: Path, folder: Path
) -> None:
    write(folder, **{"000000": "of a run that ended well", "000001": "that too"})
    write(tmp_path, a="old", b="old")
    with aside(tmp_path, folder) as moved:
        moved.move(["b", "a"])
        (folder / "000001").rename(tmp_path / "a")  # killed before it had moved the second one
        moved.bring_back()
        assert [(tmp_path / name).read_text() for name in "ab"] == ["old", "old"]


def _killed_with_more(root: Path, folder: Path) -> None:
    with aside(root, folder) as moved:
        outputs = ["model", "reports/*", "metrics.json"]
        moved.move(["model/a"], ["model/log", "reports/x"], outputs, ["model/log*"])
        for name in ("a", "b", "log", "log2"):
            write(root, **{f"model/{name}": "half"})
        write(root, **{"reports/x": "half", "reports/y": "half", "other": "half"})
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_run_has_left_stays_only_where_somebody_may_want_it(
    tmp_path: Path, folder: Path
) -> None:
    """Not among the files of an earlier run's model; but what is updated, or fits a glob, stays."""
    write(tmp_path, **{"model/a": "old", "model/log": "old", "reports/x": "old"})
    in_a_child(_killed_with_more, tmp_path, folder)
    moved = recover(tmp_path, folder)
    there = standing_outputs(tmp_path, ["model", "reports", "other"])
    assert sorted(there) == [
        *("model/a", "model/log", "model/log2", "other", "reports/x", "reports/y"),
    ]
    assert (tmp_path / "model/a").read_text() == "old"
    assert moved.fresh() == ["model/log2", "reports/y"]
    kept = tmp_path / ".assent/refused/churn/1/model"
    assert sorted(one.name for one in kept.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("text", ["{", '{"moved": {"../../x": "000000"}}', ""])
def test_a_list_that_cannot_be_read_is_said_and_nothing_is_removed(
    tmp_path: Path, folder: Path, text: str
) -> None:
    write(folder, **{"moved.json": text, "000000": "old"})
    with pytest.raises(OutsideError, match="cannot be read"), cut_off(tmp_path, folder):
        pass
    assert (folder / "000000").read_text() == "old"


def test_one_that_cannot_be_brought_back_is_named_and_the_others_are_back(
    tmp_path: Path, folder: Path
) -> None:
    names = ["a/x", "b/x", "c/x"]
    write(tmp_path, **dict.fromkeys(names, "old"))

    def command() -> None:
        (tmp_path / "b").rmdir()
        (tmp_path / "b").touch()
        (folder.parent.parent / "refused").write_text("where nothing can be kept")

    moved = failed(tmp_path, folder, names, command)
    assert [(tmp_path / name).exists() for name in names] == [True, False, True]
    assert str(moved.failure).count("x, which is") == 1
    assert f"b/x, which is {folder}/000001" in str(moved.failure)
    assert (folder / "000001").read_text() == "old"
    assert recover(tmp_path, folder).failure is not None
    (folder.parent.parent / "refused").unlink()
    recover(tmp_path, folder)
    assert [(tmp_path / name).read_text() for name in names] == ["old"] * 3
    assert not is_left(folder)


def test_what_runs_were_refused_with_is_kept_of_the_last_ones_only(
    tmp_path: Path, folder: Path
) -> None:
    refused = folder.parent.parent / "refused/churn"
    write(tmp_path, **{"model/a": "old"})
    write(refused, notes="not of a run")

    def command(text: str) -> None:
        write(tmp_path, **{"model/a/deep/x": text})
        (tmp_path / "model/a/deep/link").symlink_to(tmp_path)
        (tmp_path / "model/a/deep").chmod(0o500)

    for text in "12345":
        moved = failed(tmp_path, folder, ["model/a"], partial(command, text))
        assert moved.beside == {refused / text}
    kept = {one.name for one in refused.iterdir()}
    assert kept == {"3", "4", "5", "notes"}
    assert (refused / "3/model/a/deep/x").read_text() == "3"
    assert (tmp_path / "model/a").read_text() == "old"


def test_whether_a_run_goes_on(tmp_path: Path, folder: Path) -> None:
    assert not goes_on(folder)
    with aside(tmp_path, folder):
        assert goes_on(folder)
    assert not goes_on(folder)


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
