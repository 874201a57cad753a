"""Outputs that lie behind links: nothing of an earlier run is lost, or brought to another place."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
from pathlib import Path

import pytest

from assent.making.aside import aside, cut_off, is_left
from assent.making.existing_outputs import standing_outputs

LAYOUTS = {
    # name: (what is there, the pattern)
    "a folder": ("mkdir -p model/sub; echo 1 >model/w; echo 1 >model/sub/x", "model"),
    "a link to a folder": (
        "mkdir -p runs/1; echo 1 >runs/1/w; ln -s runs/1/ latest",
        "latest",
    ),
    "a link to a file": ("mkdir runs; echo 1 >runs/1.bin; ln -s runs/1.bin latest", "latest"),
    "a link above": (
        "mkdir -p store/1/model; echo 1 >store/1/model/w; ln -s store/1 out",
        "out/model",
    ),
    "links to links": (
        "mkdir -p runs/1; echo 1 >runs/1/w; ln -s 1 runs/now; ln -s runs/now b; ln -s ./b latest",
        "latest",
    ),
    "a link by its whole path": (
        'mkdir -p runs/1; echo 1 >runs/1/w; ln -s "$PWD/runs/1" latest',
        "latest",
    ),
    "a link to nothing": ("ln -s nowhere latest", "latest"),
    "links within": (
        "mkdir -p model cache/f; echo 1 >cache/c; echo 1 >cache/f/g; ln -s ../cache/c model/c; "
        "ln -s ../cache/f model/f; ln -s nowhere model/n",
        "model",
    ),
    "a glob across a link": (
        "mkdir -p runs/1; echo 1 >runs/1/w; ln -s 1 runs/best",
        "runs/*/w",
    ),
}

COMMANDS = {
    "writes nothing": "true",
    "writes through": "mkdir -p {0}; echo 2 >{0}/w; echo 2 >{0}/new",
    "writes a file": "rm -rf {0}; echo 2 >{0}",
    "re-points": "mkdir -p runs/2; echo 2 >runs/2/w; ln -sfn runs/2 {0}",
    "re-points above": "mkdir -p runs/2/model; echo 2 >runs/2/model/w; rm -rf out; "
    "ln -s runs/2 out",
    "re-points the middle": "mkdir -p runs/2; echo 2 >runs/2/w; ln -sfn 2 runs/now; ln -sfn 2 "
    "runs/best",
    "leaves the tree": "mkdir -p ../away/model; echo 2 >../away/w; rm -rf {0} out; "
    "ln -s ../away out; ln -s ../away {0}",
    "a folder instead": "rm -rf {0} out; mkdir -p {0}; echo 2 >{0}/w",
    "a link instead": "mkdir -p runs/2; echo 2 >runs/2/w; rm -rf {0}; ln -s runs/2 {0}",
    "a loop": "rm -rf {0}; ln -s {0} {0}",
    "removes all": "rm -rf {0} runs store out b cache",
    "moves it": "mv -T {0} moved",
    "moves all": "mkdir elsewhere; mv runs store elsewhere; ln -s elsewhere/runs runs; "
    "ln -s elsewhere/store store",
    "a file above": "rm -rf runs store out; touch runs store out",
}


def shell(root: Path, command: str, pattern: str) -> None:
    """Run it, however far it gets."""
    root.mkdir(exist_ok=True)
    text = command.format(pattern.replace("*", "best"))
    subprocess.run(["sh", "-c", text], cwd=root, check=False, stderr=subprocess.DEVNULL)


def everything(root: Path) -> dict[str, str]:
    """All that lies there: files with their content, links with their text."""
    found = {}
    for parent, folders, files in os.walk(root):
        folders[:] = [one for one in folders if one != ".assent"]
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink():
                found[str(path.relative_to(root))] = f"-> {os.readlink(path)}"  # noqa: PTH115
            elif path.is_file():
                found[str(path.relative_to(root))] = path.read_text()
    return found


def run(root: Path, pattern: str, command: str, ending: str) -> None:
    """What a verb does."""
    with aside(root, root / ".assent/aside/churn") as moved:
        moved.move(standing_outputs(root, [pattern]), outputs=[pattern])
        shell(root, command, pattern)
        if ending == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if ending == "failure":
            raise ZeroDivisionError
        moved.settle([])


@pytest.mark.parametrize("ending", ["failure", "kill"])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_is_as_it_was(tmp_path: Path, layout: str, command: str, ending: str) -> None:
    root, (there, pattern) = tmp_path / "work", LAYOUTS[layout]
    shell(root, there, pattern)
    before, outputs = everything(root), standing_outputs(root, [pattern])
    assert outputs
    real = {f"{os.path.realpath((root / one).parent)}/{Path(one).name}" for one in outputs}
    if ending == "failure":
        with pytest.raises(ZeroDivisionError):
            run(root, pattern, COMMANDS[command], ending)
    else:
        process = multiprocessing.get_context("fork").Process(
            target=run, args=(root, pattern, COMMANDS[command], ending)
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        with cut_off(root, root / ".assent/aside/churn") as moved:
            assert moved is not None
            moved.bring_back()
    assert not is_left(root / ".assent/aside/churn")
    after = everything(root)
    # What is no output of it the command may well have removed.
    kept = {
        name: text for name, text in before.items() if name in after or str(root / name) in real
    }
    assert {name: after.get(name) for name in kept} == kept
    now = {*standing_outputs(root, [pattern])}
    assert now >= {*outputs}
    assert now == {*outputs} or "*" in pattern


@pytest.mark.parametrize("command", COMMANDS)
def test_an_earlier_run_is_not_dropped_with_the_link_to_it(tmp_path: Path, command: str) -> None:
    """Unless the command has replaced its files themselves."""
    there, pattern = LAYOUTS["a link to a folder"]
    root = tmp_path / "work"
    shell(root, there, pattern)
    run(root, pattern, COMMANDS[command], "success")
    now = everything(root)
    leads = os.path.realpath(root / "latest")
    if leads == str(root / "runs/1") and (root / "latest").is_symlink():
        expected = "2\n" if command == "writes through" else None
        assert now.get("runs/1/w") == expected
        return
    places = [root / "runs/1/w", root / ".assent/refused/churn/1/runs/1/w"]
    assert [one.read_text() for one in places if one.exists()] == ["1\n"], now
