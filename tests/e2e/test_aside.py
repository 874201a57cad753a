"""Outputs of earlier runs when a run fails, is killed, or leaves the tree in another form: links,
folders that may not be written, models that are called otherwise by then.
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.e2e.project import FILES, STOPPED, Project, ended, new_project, points, wait_for
from tests.waiting import HANGS_AFTER_S

GOES_ON = "echo $$ >started.tmp; mv started.tmp started; sleep 60\n"
LATEST = {
    "assent.yaml": FILES["assent.yaml"].replace("model: model/", "model: latest"),
    ".gitignore": ".assent/\nlatest\nruns/\nmetrics.json\nruns.log\nstarted\n",
    "train.sh": "mkdir -p runs/$(cat name); cp params.yaml runs/$(cat name)/w\n"
    "ln -sfn runs/$(cat name) latest\n",
    "name": "1",
}
"""A model that is a link to the newest of several runs."""


@pytest.fixture
def latest(tmp_path: Path) -> Project:
    mine = new_project(tmp_path / "place", {**FILES, **LATEST})
    mine.run("train")
    mine.run("evaluate")
    mine.write("name", "2")
    mine.write("params.yaml", "accuracy: 0.9\n")
    return mine


def weights(project: Project) -> dict[str, str]:
    return {path.parent.name: path.read_text() for path in project.folder.glob("runs/*/w")}


def kill(process_of: Project, *words: str) -> None:
    """Run a verb, and end it and its command where that `GOES_ON`, as if the power failed."""
    process = process_of.start(*words)
    wait_for(process_of.folder / "started")
    process.send_signal(signal.SIGKILL)
    os.killpg(os.getpgid(int((process_of.folder / "started").read_text())), signal.SIGKILL)
    ended(process, *words, code=-signal.SIGKILL)
    (process_of.folder / "started").unlink()


OLD, NEW = FILES["params.yaml"], "accuracy: 0.9\n"


def test_a_link_to_the_newest_run(latest: Project) -> None:
    latest.run("train")
    assert weights(latest) == {"1": OLD, "2": NEW}
    assert (latest.folder / "latest").readlink() == Path("runs/2")
    latest.run("evaluate")
    latest.run("review", code=11)


@pytest.mark.parametrize("how", ["fails", "killed"])
def test_a_link_that_a_run_leaves_elsewhere(latest: Project, how: str) -> None:
    latest.write("train.sh", LATEST["train.sh"] + ("exit 7\n" if how == "fails" else GOES_ON))
    if how == "fails":
        latest.run("train", code=7)
    else:
        kill(latest, "train")
        assert "cut off" in latest.run("status").stderr
        assert "cut off" in latest.run("evaluate", code=2).stderr
    assert weights(latest) == {"1": OLD, "2": NEW}
    assert (latest.folder / "latest").readlink() == Path("runs/1")


def test_a_link_that_a_run_turns_to_an_earlier_one(latest: Project) -> None:
    latest.run("train")
    latest.write("train.sh", "ln -sfn runs/1 latest\n")
    assert "is of an earlier run" in latest.run("train", code=2).stderr
    assert (latest.folder / "latest").readlink() == Path("runs/2")


@pytest.mark.parametrize("verb", ["train", "review", "bundle"])
def test_a_model_that_is_called_otherwise_by_now(shipped: Project, verb: str) -> None:
    before = (shipped.folder / "model/weights.txt").read_text()
    shipped.write("train.sh", f"echo half >model/weights.txt\n{GOES_ON}")
    kill(shipped, "train", "--force")
    shipped.write("train.sh", FILES["train.sh"])
    shipped.edit("assent.yaml", "  churn:\n", "  renewal:\n")
    assert "churn: a run was cut off" in shipped.run("status").stderr
    shipped.edit("assent.yaml", "train: sh train.sh", "train: exit 7")
    code = {"train": 7, "review": 7, "bundle": 2}[verb]
    ran = shipped.run(verb, code=code)
    kept = shipped.folder / ".assent/refused/churn/1"
    assert "outputs of earlier runs are back where they were" in ran.stderr
    assert f"kept in {kept}, as is that of the last 3 such runs" in ran.stderr
    assert (kept / "model/weights.txt").read_text() == "half\n"
    assert (shipped.folder / "model/weights.txt").read_text() == before
    assert "cut off" not in shipped.run("status").stderr


def test_one_output_that_cannot_be_brought_back(
    shipped: Project, locked_out: tuple[str, ...]
) -> None:
    mine = Project(shipped.folder, env=shipped.env, prefix=locked_out)
    metrics = (mine.folder / "metrics.json").read_text()
    before = (mine.folder / "model/weights.txt").read_text()
    mine.write("train.sh", "echo half >model/weights.txt; chmod a-w model; exit 7\n")
    ran = mine.run("train", "--force", code=7)
    assert "back where they were" not in ran.stderr
    assert "model/weights.txt, which is" in ran.stderr
    assert "(Permission denied)" in ran.stderr
    assert (mine.folder / "metrics.json").read_text() == metrics
    for verb in ("train", "evaluate", "review", "bundle"):
        refused = mine.run(verb, code=3)
        assert "model/weights.txt, which is" in refused.stderr
    (mine.folder / "model").chmod(0o755)
    mine.run("bundle", code=2)
    assert (mine.folder / "model/weights.txt").read_text() == before


TWO = FILES["assent.yaml"].partition("people:")
OTHER = (
    TWO[0]
    .partition("models:\n")[2]
    .replace("  churn:", "  upsell:", 1)
    .replace("sh train.sh", "sh other.sh")
    .replace("model: model/", "model: upsell/")
    .replace("[metrics.json]", "[upsell.json]")
    .replace("[train.sh,", "[other.sh,")
)


def test_two_models_at_once(tmp_path: Path) -> None:
    """What is set aside for one of them is nothing to the other, whose run goes on."""
    wait = "touch started-upsell; while ! test -e go; do sleep 0.05; done\n"
    mine = new_project(
        tmp_path / "place",
        {
            **FILES,
            "assent.yaml": f"{TWO[0]}{OTHER}people:{TWO[2]}",
            "other.sh": f"mkdir -p upsell; echo new >upsell/w\n{wait}",
            "upsell/w": "old\n",
            "upsell.json": "{}",
            "model/weights.txt": "old\n",
        },
    )
    upsell = mine.start("train", "upsell")
    wait_for(mine.folder / "started-upsell")
    mine.write("train.sh", f"mkdir -p model; echo half >model/weights.txt\n{GOES_ON}")
    kill(mine, "train", "churn")
    status = mine.run("status").stderr
    assert "churn: a run was cut off" in status
    assert "upsell: a run" not in status
    mine.run("bundle", "churn", code=2)
    assert (mine.folder / "model/weights.txt").read_text() == "old\n"
    assert (mine.folder / "upsell/w").read_text() == "new\n"
    (mine.folder / "go").touch()
    ended(upsell, "train", "upsell", code=0)
    assert (mine.folder / "upsell/w").read_text() == "new\n"


def seen(project: Project) -> dict[str, str]:
    """The outputs of both commands."""
    places = [*(project.folder / "model").rglob("*"), project.folder / "metrics.json"]
    return {str(one.relative_to(project.folder)): one.read_text() for one in places if one.exists()}


@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_killed_at_some_point(fresh: Project, tmp_path: Path, verb: str) -> None:
    """Either all of an earlier run is there afterwards, or all of this one."""
    fresh.write("train.sh", FILES["train.sh"] + "touch model/$(date +%N)\n")
    fresh.write("evaluate.sh", 'echo "{\\"accuracy\\": 0.8$(date +%N)}" >metrics.json\n')
    fresh.run("train")
    fresh.run("evaluate")
    old = seen(fresh)
    for point in points(fresh, (verb, "--force"), tmp_path / "count", most=8):
        place = tmp_path / f"at-{point}"
        shutil.copytree(fresh.folder.parent, place, symlinks=True)
        project = Project(place / "work")
        process = project.start("SIGKILL", str(point), verb, "--force", program=(STOPPED,))
        process.communicate(timeout=HANGS_AFTER_S)
        half = seen(project)
        is_left = any((project.folder / ".assent/aside").glob("*/moved.json"))
        assert ("cut off" in project.run("status").stderr) == is_left
        done = project.start("bundle")
        _, said = done.communicate(timeout=HANGS_AFTER_S)
        assert done.returncode in (0, 2), said
        now = seen(project)
        assert now == (old if is_left else half), f"{verb} at point {point}"
        assert now.keys() >= {"model/weights.txt", "metrics.json"} or verb == "train"
        shutil.rmtree(place)
