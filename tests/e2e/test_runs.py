"""What a run is, on ground that is not clean: files of earlier runs, tracked outputs, pipelines
that skip, kills. Nothing of an earlier run is taken for this run's, and nothing is lost.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import venv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.making.changed_inputs import between, difference
from assent.wiring import open_workspace
from tests.e2e.project import FILES, GRACE, Project, ended, new_project, wait_for


def project(tmp_path: Path, **files: str) -> Project:
    """A project with some files in another form; `slash__in__names` for `/`."""
    changed = {name.replace("__", "/"): text for name, text in files.items()}
    return new_project(tmp_path / "place", {**FILES, **changed})


TRACKED = {".gitignore": ".assent/\nmodel/\nruns.log\n", "metrics.json": '{"accuracy": 0.75}\n'}
"""Metrics that Git tracks, as DVC recommends."""


GOES_ON = "echo $$ >started.tmp; mv started.tmp started; sleep 60\n"
"""The end of a command that goes on until somebody ends it."""


def kill(process: subprocess.Popen[bytes], mine: Project, *, with_child: bool = True) -> None:
    """End a run where its command `GOES_ON`, as if the power failed."""
    wait_for(mine.folder / "started")
    child = os.getpgid(int((mine.folder / "started").read_text()))
    process.send_signal(signal.SIGKILL)
    if with_child:
        os.killpg(child, signal.SIGKILL)
        ended(process, "train", code=-signal.SIGKILL)


# --- of this run, or of an earlier one ------------------------------------------------------------


@pytest.mark.parametrize("model", ["model/", "model/weights.txt"])
def test_a_model_that_the_training_wrote_elsewhere(fresh: Project, model: str) -> None:
    fresh.edit("assent.yaml", "model: model/", f"model: {model}")
    fresh.commit("one", push=True)
    fresh.register()
    before = (fresh.folder / "model/weights.txt").read_bytes()
    fresh.branch("typo")
    fresh.write("train.sh", "mkdir -p modle; echo new >modle/weights.txt\n")
    fresh.commit()
    refused = fresh.run("review", code=2)
    assert "did not write model" in refused.stderr
    assert "of an earlier run" in refused.stderr
    assert (fresh.folder / "model/weights.txt").read_bytes() == before


def test_a_committed_model_that_the_training_does_not_write(tmp_path: Path) -> None:
    mine = project(
        tmp_path,
        **{".gitignore": ".assent/\nmetrics.json\nruns.log\n", "model__weights.txt": "committed"},
    )
    mine.write("train.sh", "true\n")
    mine.commit("nothing is written", push=True)
    clone = mine.clone("ci")
    assert "did not write model" in clone.run("review", code=2).stderr
    assert clone.git("status", "--porcelain") == ""


def test_metrics_that_training_writes_need_no_evaluation(fresh: Project) -> None:
    fresh.write("train.sh", FILES["train.sh"] + "echo '{\"accuracy\": 0.9}' >metrics.json\n")
    fresh.write("evaluate.sh", "true\n")
    fresh.commit()
    for _ in range(2):
        fresh.run("train", "--force")
        fresh.run("evaluate", "--force")
    result = fresh.run("review", "--json", code=11).json
    assert result["report"]["evidence"]["metrics"]["accuracy"] == 0.9


def test_a_file_that_nobody_knows_in_the_folder_of_the_model(fresh: Project) -> None:
    fresh.write("model/pretrained.bin", "mine")
    refused = fresh.run("train", code=2)
    assert "model/pretrained.bin" in refused.stderr
    assert (fresh.folder / "model/pretrained.bin").read_text() == "mine"


def test_a_file_that_only_an_earlier_run_wrote_is_no_part_of_the_model(shipped: Project) -> None:
    shipped.branch("smaller")
    shipped.write("train.sh", "mkdir -p model; echo 1 >model/format\n")
    shipped.commit()
    files = shipped.run("review", "--json", code=11).json["report"]["diff"]["model_files"]
    assert not (shipped.folder / "model/weights.txt").exists()
    assert files is not None


def test_placeholders_stay_and_are_no_part_of_the_model(tmp_path: Path) -> None:
    mine = project(
        tmp_path,
        **{".gitignore": ".assent/\nmodel/*\n!.gitkeep\nmetrics.json\nruns.log\n"},
        **{"model__.gitkeep": ""},
    )
    mine.register()
    assert mine.git("status", "--porcelain") == ""
    names = {path.name for path in (mine.folder / "model").iterdir()}
    assert names == {".gitkeep", "weights.txt", "format"}
    mine.write("model/weights.txt", "")
    (mine.folder / "model/weights.txt").unlink()
    mine.run("train")
    assert mine.git("status", "--porcelain") == ""


def test_what_is_updated_on_purpose_is_declared_and_said(fresh: Project) -> None:
    fresh.edit(
        "assent.yaml", "    model: model/\n", "    model: model/\n    incremental: [model/**]\n"
    )
    fresh.write("train.sh", "echo train >>runs.log; mkdir -p model; date >>model/log\n")
    fresh.commit("updates", push=True)
    fresh.register()
    fresh.branch("more")
    fresh.write("train.sh", "echo train >>runs.log; test -f model/log && date >>model/log\n")
    fresh.commit()
    ran = fresh.run("review", code=11)
    assert "Not shown to be of this run: model" in ran.stdout
    assert "Not shown to be of this run" in fresh.comment()


# --- what fails leaves everything as it was -------------------------------------------------------


@pytest.mark.parametrize("how", ["fails", "killed"])
def test_a_command_that_does_not_end_well(shipped: Project, how: str) -> None:
    before = (shipped.folder / "model/weights.txt").read_bytes()
    shipped.branch("other", accuracy="0.9")
    end = "exit 7" if how == "fails" else GOES_ON
    shipped.write("train.sh", f"echo half >model/weights.txt; {end}\n")
    shipped.commit()
    if how == "fails":
        refused = shipped.run("train", code=7)
        assert "back where they were" in refused.stderr
    else:
        kill(shipped.start("train"), shipped)
        assert (shipped.folder / "model/weights.txt").read_text() == "half\n"
        shipped.run("evaluate", code=2)
    assert (shipped.folder / "model/weights.txt").read_bytes() == before
    assert json.loads((shipped.folder / "metrics.json").read_text()) == {"accuracy": 0.8}


def test_two_runs_in_one_working_tree(fresh: Project) -> None:
    fresh.write("train.sh", GOES_ON)
    process = fresh.start("train")
    wait_for(fresh.folder / "started")
    assert "another run" in fresh.run("train", code=2).stderr
    process.terminate()
    ended(process, "train", code=130)


# --- tracked outputs ------------------------------------------------------------------------------


def test_a_clean_clone_is_clean_although_the_run_writes_tracked_files(tmp_path: Path) -> None:
    mine = project(tmp_path, **TRACKED)
    mine.commit("clean", push=True)
    clone = mine.clone("ci")
    for _ in range(2):  # the second time the tree holds what the first run wrote
        report = clone.run("review", "--force", "--json", code=11).json["report"]
        assert report["evidence"]["code"]["is_dirty"] is False
        assert "uncommitted" not in clone.comment()
    assert clone.git("status", "--porcelain") == "M metrics.json"


def test_a_change_that_is_not_committed_is_named(fresh: Project) -> None:
    fresh.write("README.md", "one\n")
    fresh.commit("readme", push=True)
    fresh.write("README.md", "two\n")
    ran = fresh.run("review", code=11)
    assert "uncommitted changes (README.md)" in ran.stdout


def test_what_training_touches_is_not_what_somebody_forgot_to_commit(fresh: Project) -> None:
    fresh.write("notes.txt", "epoch 1\n")
    fresh.write("train.sh", FILES["train.sh"] + "echo epoch 2 >>notes.txt\n")
    fresh.commit("notes", push=True)
    fresh.run("train")
    evidence = fresh.run("evaluate", "--json").json["evidence"]
    assert evidence["code"]["is_dirty"] is False


# --- inputs and outputs ---------------------------------------------------------------------------


def test_what_the_run_itself_writes_among_its_inputs(fresh: Project) -> None:
    fresh.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: [train.sh, data/**]")
    fresh.write(".gitignore", FILES[".gitignore"] + "data/features.csv\n")
    fresh.write("train.sh", FILES["train.sh"] + "date +%N >data/features.csv\n")
    fresh.commit("features", push=True)
    first = fresh.run("train")
    assert "written by the run itself, so no inputs: data/features.csv" in first.stderr
    fresh.run("evaluate")
    fresh.run("bundle")
    fresh.run("review", code=11)
    assert fresh.runs() == ["train", "evaluate"]
    fresh.write("data/features.csv", "edited by a person\n")
    assert "data/features.csv has changed" in fresh.run("bundle", code=2).stderr


def test_a_training_that_changes_its_parameters(fresh: Project) -> None:
    fresh.write("train.sh", FILES["train.sh"] + "echo 'accuracy: 1' >params.yaml\n")
    refused = fresh.run("train", code=2)
    assert "params.yaml has changed" in refused.stderr


@pytest.mark.parametrize("verb", ["evaluate", "bundle"])
def test_which_input_has_changed_is_said(fresh: Project, verb: str) -> None:
    fresh.run("train")
    fresh.run("evaluate")
    fresh.write("data/train.csv", "x,y\n9,9\n")
    refused = fresh.run(verb, code=2)
    assert "data/train.csv has changed since it was" in refused.stderr


@pytest.mark.parametrize("model", ["data/", ".git/", ".", "data/.."])
def test_a_model_that_would_replace_what_it_is_made_from(shipped: Project, model: str) -> None:
    shipped.edit("assent.yaml", "model: model/", f"model: {model}")
    refused = shipped.run("review", code=2)
    assert "looking for the model" in refused.stderr
    assert (shipped.folder / "data/train.csv").read_text() == FILES["data/train.csv"]
    assert shipped.git("log", "-1", "--format=%s")


# --- nothing is skipped in silence ----------------------------------------------------------------


def test_a_reused_bundle_says_so_and_what_nobody_looked_at(shipped: Project) -> None:
    shipped.branch("docs")
    shipped.write("README.md", "# Churn\n")
    shipped.write("features.sh", "true\n")
    commit = shipped.git("rev-parse", "HEAD")
    shipped.commit("not covered")
    ran = shipped.run("review")
    assert f"the bundle is reused, made from {commit[:12]}" in ran.stderr
    for text in (ran.stdout, shipped.comment()):
        assert "Nothing was trained for this review" in text
        assert "README.md, features.sh" in text
    assert shipped.runs() == ["train", "evaluate"]
    shipped.run("review", "--force", code=11)
    assert shipped.runs() == ["train", "evaluate"] * 2
    assert "Nothing was trained" not in shipped.comment()


@pytest.mark.parametrize("verbs", [["train"], ["train", "evaluate"]])
def test_what_was_run_for_this_revision_is_not_run_again(fresh: Project, verbs: list[str]) -> None:
    for verb in verbs:
        fresh.run(verb)
    fresh.run("review", code=11)
    assert fresh.runs() == ["train", "evaluate"]
    assert "Nothing was trained" not in fresh.comment()


@pytest.mark.parametrize("what", ["model/weights.txt", "metrics.json", "README.md", "HEAD"])
def test_what_was_run_for_something_else_is(fresh: Project, what: str) -> None:
    fresh.write("README.md", "one\n")
    fresh.commit("readme", push=True)
    fresh.run("train")
    fresh.run("evaluate")
    if what == "HEAD":
        fresh.commit("empty")
    else:
        fresh.write(what, "changed\n")
    fresh.run("review", code=11)
    expected = ["train", "evaluate"] * (1 if what == "metrics.json" else 2)
    assert fresh.runs() == expected


# --- pipelines that skip what is up to date -------------------------------------------------------

DVC = """\
#!{python}
# Stands for `dvc repro`: one stage, run if what it read has changed, known by MD5.
import hashlib, json, pathlib, subprocess, sys

def md5(name):
    return hashlib.md5(pathlib.Path(name).read_bytes()).hexdigest()

DEPS, OUTS = ["data/train.csv", "params.yaml"], ["model/weights.txt", "metrics.json"]
lock = pathlib.Path("dvc.lock")
known = json.loads(lock.read_text())["stages"]["train"] if lock.exists() else None
now = [{{"path": name, "md5": md5(name)}} for name in DEPS]
if known is None or known["deps"] != now:
    subprocess.run("sh stage.sh", shell=True, check=True)
    outs = [{{"path": name, "md5": md5(name)}} for name in OUTS]
    stage = {{"cmd": "sh stage.sh", "deps": now, "outs": outs}}
    lock.write_text(json.dumps({{"schema": "2.0", "stages": {{"train": stage}}}}))
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Project:
    """A pipeline of DVC whose lock and metrics Git tracks."""
    mine = project(
        tmp_path,
        **{
            ".gitignore": ".assent/\nmodel/\nruns.log\n",
            "stage.sh": FILES["train.sh"] + FILES["evaluate.sh"],
            "dvc.yaml": "stages:\n  train:\n    cmd: sh stage.sh\n"
            "    deps: [data/train.csv, params.yaml]\n    outs: [model/weights.txt]\n"
            "    metrics: [{metrics.json: {cache: false}}]\n",
        },
    )
    mine.edit("assent.yaml", "train: sh train.sh", "train: dvc repro")
    mine.edit("assent.yaml", "    evaluate: sh evaluate.sh\n", "")
    mine.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: ['**']")
    mine.edit("assent.yaml", "model: model/", "model: model/weights.txt")
    program = mine.folder.parent / "bin/dvc"
    program.parent.mkdir()
    program.write_text(DVC.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    mine.commit("a pipeline", push=True)
    path = f"{program.parent}:{mine.environment['PATH']}"
    return Project(mine.folder, env={"PATH": path})


def test_a_pipeline_that_is_up_to_date_is_believed_by_its_lock(pipeline: Project) -> None:
    pipeline.run("review", code=11)
    pipeline.commit("what the pipeline wrote", push=True)
    pipeline.run("review", "--force", code=11)
    assert pipeline.runs() == ["train", "evaluate"]  # the second time there was nothing to do
    assert "uncommitted" not in pipeline.comment()


def test_an_output_that_the_lock_does_not_know(pipeline: Project) -> None:
    pipeline.run("review", code=11)
    pipeline.write("model/weights.txt", "by hand\n")
    refused = pipeline.run("review", "--force", code=2)
    assert "is not what dvc.lock says that the stage train has written" in refused.stderr


def test_a_stage_that_was_not_run(pipeline: Project) -> None:
    pipeline.run("review", code=11)
    pipeline.edit("assent.yaml", "train: dvc repro", "train: dvc repro --dry || true; true")
    program = pipeline.folder.parent / "bin/dvc"
    program.write_text("#!/bin/sh\nexit 0\n")
    pipeline.write("params.yaml", "accuracy: 0.9\n")
    refused = pipeline.run("review", code=2)
    assert "params.yaml is not what the stage train has read" in refused.stderr


def test_what_was_reviewed_is_registered_after_the_merge_of_a_pipeline(pipeline: Project) -> None:
    pipeline.branch("better", accuracy="0.9")
    pipeline.run("review", code=11)
    pipeline.git("checkout", "--quiet", "--", ".")
    pipeline.run("approve", "--as", GRACE)
    pipeline.git("checkout", "--quiet", "main")
    pipeline.merge("better")
    assert "as v1" in pipeline.run("register").stdout


# --- found by reading it again --------------------------------------------------------------------


def test_a_file_that_changes_while_the_training_reads_it(fresh: Project) -> None:
    fresh.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: [train.sh, 'src/**']")
    fresh.write("src/a.txt", "1\n")
    fresh.write("train.sh", FILES["train.sh"] + "echo 2 >src/a.txt\n")
    fresh.commit("a source", push=True)
    refused = fresh.run("train", code=2)
    assert "src/a.txt has changed: nobody knows what it was made from" in refused.stderr


def test_what_a_failed_run_has_left_is_in_nobodys_way(fresh: Project) -> None:
    fresh.write("train.sh", "mkdir -p model; echo 1 >model/run-1; exit 3\n")
    fresh.run("train", code=3)
    fresh.write("train.sh", "mkdir -p model; echo 2 >model/run-2\n")
    fresh.commit("mended", push=True)
    fresh.run("review", code=11)
    assert [path.name for path in (fresh.folder / "model").iterdir()] == ["run-2"]


def test_what_a_killed_run_has_left_is_in_nobodys_way(fresh: Project) -> None:
    fresh.write("train.sh", FILES["train.sh"] + "echo old >model/old\n")
    fresh.run("train")
    fresh.write("train.sh", f"echo 1 >model/run-1; {GOES_ON}")
    kill(fresh.start("train"), fresh)
    fresh.write("train.sh", "mkdir -p model; echo 2 >model/run-2\n")
    fresh.commit("mended", push=True)
    fresh.run("review", code=11)
    assert [path.name for path in (fresh.folder / "model").iterdir()] == ["run-2"]


def test_what_a_training_wrote_is_not_thrown_away_when_it_is_refused(shipped: Project) -> None:
    shipped.write("model/notes.txt", "mine\n")
    shipped.write("train.sh", "echo new >model/weights.txt\n")
    refused = shipped.run("train", code=2)
    assert "model/notes.txt" in refused.stderr
    kept = shipped.folder / ".assent/refused/churn/1/model/weights.txt"
    assert kept.read_text() == "new\n"
    assert (shipped.folder / "model/notes.txt").read_text() == "mine\n"
    assert "accuracy" in (shipped.folder / "model/weights.txt").read_text()


def test_a_repository_in_the_folder_of_the_model(fresh: Project) -> None:
    fresh.write("train.sh", FILES["train.sh"] + "git init --quiet model\n")
    refused = fresh.run("train", code=2)
    assert "a repository of its own: .git" in refused.stderr


def test_an_input_that_was_never_added_is_named(fresh: Project) -> None:
    fresh.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: [train.sh, 'src/**']")
    fresh.write("src/a.sh", "true\n")
    fresh.commit("a source", push=True)
    fresh.write("src/forgotten.sh", "true\n")
    ran = fresh.run("review", code=11)
    assert "uncommitted changes (src/forgotten.sh)" in ran.stdout


@pytest.mark.parametrize("what", ["params.yaml", "command"])
def test_a_stage_whose_parameters_or_command_are_others(pipeline: Project, what: str) -> None:
    lock = pipeline.folder / "dvc.lock"
    pipeline.run("review", code=11)
    known = json.loads(lock.read_text())
    stage = known["stages"]["train"]
    if what == "command":
        stage["cmd"] = "sh other.sh"
    else:
        stage["params"] = {"params.yaml": {"accuracy": 0.1}}
    lock.write_text(json.dumps(known))
    refused = pipeline.run("review", "--force", code=2)
    said = "has another command" if what == "command" else "params.yaml is not what the stage"
    assert said in refused.stderr


@pytest.mark.parametrize(
    ("inputs", "changed"),
    [
        ("data/**/*.csv", {"data/raw.dvc": "outs:\n- md5: '1'\n  path: raw\n"}),
        ("**", {"dvc.yaml": "stages: {}\n"}),
        ("src/**", {"lib/code.sh": "true\n"}),  # src/lib is a link to it
        ("src/**", {"dvc.yaml": "stages:\n  a: {cmd: x, outs: [src/x.sh]}\n", "src/x.sh": "2"}),
    ],
)
def test_what_stands_for_an_input_in_git_is_one(
    shipped: Project, inputs: str, changed: dict[str, str]
) -> None:
    (shipped.folder / "src").mkdir()
    (shipped.folder / "src/lib").symlink_to("../lib")
    shipped.write("lib/code.sh", "echo\n")
    shipped.write("src/x.sh", "1")
    shipped.edit(
        "assent.yaml", "inputs: [train.sh, data/train.csv]", f"inputs: [train.sh, '{inputs}']"
    )
    old = shipped.commit("inputs", push=True)
    shipped.write("README.md", "# Churn\n")
    docs = shipped.commit("docs")
    for name, text in changed.items():
        shipped.write(name, text)
    new = shipped.commit("changed")
    workspace = open_workspace(
        shipped.folder, environ=shipped.environment, now=datetime.now(UTC), say=print
    )
    assert [*changed][-1] in difference(workspace, "churn", docs, new)
    if inputs != "**":
        assert difference(workspace, "churn", old, docs) == ""


def test_a_submodule_among_the_inputs(shipped: Project) -> None:
    shipped.edit("assent.yaml", "data/train.csv]\n    params", "'sub/**/*.py']\n    params")
    shipped.git("init", "--quiet", "sub")
    for name in ("one", "two"):
        shipped.git(
            *("-C", "sub", "-c", "user.name=a", "-c", "user.email=a@example.com"),
            *("commit", "--quiet", "--allow-empty", "--message", name),
        )
        if name == "one":
            old = shipped.commit("a submodule")
    new = shipped.commit("bumped")
    workspace = open_workspace(
        shipped.folder, environ=shipped.environment, now=datetime.now(UTC), say=print
    )
    assert difference(workspace, "churn", old, new) == "sub has changed"


def test_a_log_that_both_commands_append_to_is_no_input(fresh: Project) -> None:
    fresh.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: ['**']")
    fresh.commit("everything", push=True)
    for _ in range(2):
        for verb in ("train", "evaluate"):
            fresh.run(verb, "--force")
        fresh.run("bundle")
    fresh.run("review", code=11)


# --- found by attacking it ------------------------------------------------------------------------


def test_another_path_of_the_model_is_another_training(fresh: Project) -> None:
    fresh.write(
        "train.sh", "mkdir -p small big; echo small >small/m; echo big >big/m; rm -rf model\n"
    )
    fresh.edit("assent.yaml", "model: model/", "model: small/m")
    fresh.write(".gitignore", FILES[".gitignore"] + "small/\nbig/\n")
    fresh.commit("small", push=True)
    fresh.run("review", code=11)
    fresh.edit("assent.yaml", "model: small/m", "model: big/m")
    fresh.run("train")
    assert (fresh.folder / "big/m").read_text() == "big\n"


@pytest.mark.parametrize(
    "command",
    [
        "sh train.sh --config=conf/a.yaml",
        "sh train.sh config=conf/a.yaml,b",
        "cd conf && cat a.yaml && cd .. && sh train.sh",
        "sh -c 'sh train.sh conf/a.yaml'",
    ],
)
def test_what_a_command_mentions_in_any_way_is_an_input(fresh: Project, command: str) -> None:
    fresh.edit("assent.yaml", "train: sh train.sh", f'train: "{command}"')
    fresh.write("conf/a.yaml", "lr: 1\n")
    old = fresh.commit("a configuration", push=True)
    fresh.run("review", code=11)
    fresh.write("conf/a.yaml", "lr: 2\n")
    new = fresh.commit("another")
    fresh.run("review", code=11)
    assert fresh.runs() == ["train", "evaluate"] * 2
    workspace = open_workspace(
        fresh.folder, environ=fresh.environment, now=datetime.now(UTC), say=print
    )
    assert difference(workspace, "churn", old, new) == "conf/a.yaml has changed"


def test_what_somebody_edits_during_the_training_is_not_excused(fresh: Project) -> None:
    fresh.write("train.sh", FILES["train.sh"] + "echo '# edited' >>evaluate.sh\n")
    fresh.commit("edits", push=True)
    ran = fresh.run("review", code=11)
    assert "uncommitted changes (evaluate.sh)" in ran.stdout


def test_the_output_of_one_model_is_the_input_of_another(tmp_path: Path) -> None:
    head, _, people = FILES["assent.yaml"].partition("people:")
    other = head.partition("models:\n")[2].replace("  churn:", "  upsell:", 1)
    other = other.replace("inputs: [train.sh,", "inputs: [train.sh, metrics.json,")
    other = other.replace("metrics: [metrics.json]", "metrics: [upsell.json]")
    other = other.replace("evaluate: sh evaluate.sh", "evaluate: cp metrics.json upsell.json")
    other = other.replace("model: model/", "model: upsell/").replace(
        "train: sh train.sh", "train: mkdir -p upsell && cp metrics.json upsell/"
    )
    mine = project(
        tmp_path,
        **{
            "assent.yaml": f"{head}{other}people:{people}",
            "metrics.json": '{"accuracy": 0.8}\n',
            ".gitignore": ".assent/\nmodel/\nupsell/\nupsell.json\nruns.log\n",
        },
    )
    mine.write("metrics.json", '{"accuracy": 0.99}\n')
    ran = mine.run("review", "upsell", code=11)
    assert "uncommitted changes (metrics.json)" in ran.stdout


def test_outputs_of_a_pipeline_that_the_commands_do_not_run(fresh: Project) -> None:
    fresh.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: [train.sh, data/**]")
    fresh.write(
        "dvc.yaml", "stages:\n  prepare:\n    cmd: sh prepare.sh\n    outs: [data/train.csv]\n"
    )
    fresh.commit("a pipeline that nobody runs", push=True)
    fresh.run("review", code=11)
    fresh.write("data/train.csv", "x,y\n7,1\n")
    fresh.run("review", code=11)
    assert fresh.runs() == ["train", "evaluate"] * 2


def test_metrics_that_training_wrote_and_somebody_edited(fresh: Project) -> None:
    fresh.edit("assent.yaml", "    evaluate: sh evaluate.sh\n", "")
    fresh.write("train.sh", FILES["train.sh"] + FILES["evaluate.sh"])
    fresh.commit("one command", push=True)
    fresh.run("train")
    fresh.write("metrics.json", '{"accuracy": 0.99}\n')
    assert "not as the training left it" in fresh.run("evaluate", code=2).stderr
    evidence = fresh.run("review", "--json", code=11).json["report"]["evidence"]
    assert evidence["metrics"]["accuracy"] == 0.8


def test_nothing_is_reused_from_changes_that_are_not_here(fresh: Project) -> None:
    fresh.write("helper.sh", "one\n")
    fresh.commit("a helper that no input names", push=True)
    fresh.write("helper.sh", "never committed\n")
    fresh.run("review", code=11)
    fresh.git("checkout", "--quiet", "--", "helper.sh")
    ran = fresh.run("review", code=11)
    assert "uncommitted" not in ran.stdout
    assert fresh.runs() == ["train", "evaluate"] * 2


def test_a_child_that_outlives_its_run_holds_the_next_one_up(fresh: Project) -> None:
    fresh.write("train.sh", GOES_ON)
    process = fresh.start("train")
    kill(process, fresh, with_child=False)
    fresh.write("train.sh", FILES["train.sh"])
    assert "another run" in fresh.run("train", code=2).stderr
    os.killpg(os.getpgid(int((fresh.folder / "started").read_text())), signal.SIGKILL)
    ended(process, "train", code=-signal.SIGKILL)
    fresh.run("train")


@pytest.mark.parametrize("target", [".", "..", "data/.."])
def test_pulling_onto_the_repository(shipped: Project, target: str) -> None:
    refused = shipped.run("pull", "production", "--to", target, "--force", code=2)
    assert "holds a repository" in refused.stderr
    assert shipped.git("log", "-1", "--format=%H")
    assert (shipped.folder / "train.sh").exists()


def test_links_and_repositories_at_the_models_place_are_not_lost(shipped: Project) -> None:
    model = shipped.folder / "model"
    (model / "link").symlink_to("nowhere")
    shipped.git("init", "--quiet", "model/notes")
    (model / "weights.txt").unlink()
    refused = shipped.run("train", code=2)
    assert "model/link" in refused.stderr
    assert (model / "link").is_symlink()
    assert (model / "notes/.git").is_dir()


def test_data_is_never_set_aside(fresh: Project) -> None:
    fresh.edit("assent.yaml", "metrics: [metrics.json]", "metrics: ['**/*.json']")
    fresh.edit("assent.yaml", "test: data/test.csv", "test: data/records")
    fresh.write("data/records/1.json", '{"x": 1}')
    fresh.write("train.sh", FILES["train.sh"] + "test -e data/records/1.json\n")
    fresh.commit("records", push=True)
    fresh.run("train")
    assert (fresh.folder / "data/records/1.json").exists()


def test_outputs_of_another_project_are_not_what_somebody_forgot(tmp_path: Path) -> None:
    mine = project(tmp_path, **TRACKED)
    for name, text in {**FILES, **TRACKED}.items():
        mine.write(f"sub/{name}", text.replace("store: ../store", "store: ../../store"))
    mine.edit("sub/assent.yaml", "  churn:", "  upsell:")
    mine.commit("two projects", push=True)
    mine.run("review", code=11)
    ran = mine.inside("sub").run("review", code=11)
    assert "uncommitted" not in ran.stdout


def test_two_edits_of_one_file_that_no_input_names_are_not_the_same(fresh: Project) -> None:
    fresh.write("helper.sh", "one\n")
    fresh.commit("a helper", push=True)
    for text in ("two\n", "three\n"):
        fresh.write("helper.sh", text)
        fresh.run("train")
        fresh.run("review", code=11)
    assert fresh.runs().count("train") >= 3


def test_what_was_kept_is_not_overwritten_by_the_next_failure(shipped: Project) -> None:
    for text in ("first", "second"):
        shipped.write("train.sh", f"echo {text} >model/weights.txt; exit 3\n")
        shipped.run("train", code=3)
    kept = shipped.folder / ".assent/refused/churn"
    texts = [(kept / number / "model/weights.txt").read_text() for number in "12"]
    assert texts == ["first\n", "second\n"]


# --- what commands write beside their outputs -----------------------------------------------------


def with_program(mine: Project, name: str, text: str) -> Project:
    """The project with a program of this name on the search path."""
    program = mine.folder.parent / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(text)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Project(mine.folder, env={"PATH": f"{program.parent}:{mine.environment['PATH']}"})


@pytest.mark.parametrize("start", ["", "rm -rf model\n"])
def test_a_document_beside_the_model_is_no_part_of_it(tmp_path: Path, start: str) -> None:
    mine = project(
        tmp_path,
        **{".gitignore": ".assent/\nmodel/*\n!README.md\n!.gitkeep\nmetrics.json\nruns.log\n"},
        **{
            "model__README.md": "one\n",
            "model__.gitkeep": "",
            "train.sh": start + FILES["train.sh"],
        },
    )
    for _ in range(2):
        ran = mine.run("review", "--force", "--json", code=11).json
        assert not ran["report"]["evidence"]["code"]["is_dirty"]
        assert mine.git("status", "--porcelain") == ""
    bundle = mine.register()
    mine.run("pull", bundle, "--to", "../pulled")
    pulled = [path.name for path in (mine.folder.parent / "pulled").iterdir()]
    assert sorted(pulled) == ["format", "weights.txt"]
    # Another text is no other model, and is not lost when the model is put back.
    mine.branch("docs")
    mine.write("model/README.md", "two\n")
    (mine.folder / "model/weights.txt").unlink()
    mine.commit("docs")
    before = mine.runs()
    mine.run("train")
    assert mine.runs() == before
    assert (mine.folder / "model/weights.txt").exists()
    assert (mine.folder / "model/README.md").read_text() == "two\n"


def test_a_document_that_the_run_writes_is_part_of_the_model(tmp_path: Path) -> None:
    mine = project(
        tmp_path,
        **{".gitignore": ".assent/\nmodel/*\n!README.md\nmetrics.json\nruns.log\n"},
        **{"model__README.md": "one\n"},
    )
    first = mine.run("train", "--json").json["model_digest"]
    mine.write("train.sh", FILES["train.sh"] + "echo one >model/README.md\n")
    second = mine.run("train", "--json").json["model_digest"]
    assert first != second
    mine.run("evaluate")
    mine.run("bundle")
    mine.write("train.sh", FILES["train.sh"])
    assert mine.run("train", "--force", "--json").json["model_digest"] == first
    assert (mine.folder / "model/README.md").read_text() == "one\n"


PAPERMILL = """\
#!/bin/sh
cat "$1" >"$2.new"; echo "ran $(date +%N)" >>"$2.new"; mv "$2.new" "$2"; sh train.sh
"""


def test_tracked_files_that_the_command_says_it_writes(tmp_path: Path) -> None:
    mine = project(
        tmp_path,
        **{
            ".gitignore": ".assent/\nmodel/\nmetrics.json\nruns.log\n",
            "in.ipynb": "{}\n",
            "out.ipynb": "of an earlier run\n",
            "logs__x.log": "of an earlier run\n",
        },
    )
    mine.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: ['**']")
    mine.edit(
        "assent.yaml",
        "train: sh train.sh",
        "train: papermill -p a 1 in.ipynb out.ipynb > logs/x.log",
    )
    mine.commit("notebooks", push=True)
    mine = with_program(mine, "papermill", PAPERMILL.replace('"$1"', '"$4"').replace("$2", "$5"))
    assert "uncommitted" not in mine.run("review", code=11).stdout
    assert "out.ipynb" in mine.git("status", "--porcelain")
    # Neither in this tree, nor in a clean one, is anything to be trained again.
    mine.run("review", code=11)
    assert mine.runs() == ["train", "evaluate"]
    clone = mine.clone("ci")
    assert "uncommitted" not in clone.run("review", code=11).stdout
    assert clone.runs() == []
    mine.write("in.ipynb", "{ }\n")
    mine.run("review", code=11)
    assert mine.runs() == ["train", "evaluate"] * 2


JUPYTER = """\
#!{python}
import json, pathlib, subprocess, sys
place = pathlib.Path(sys.argv[-1])
book = json.loads(place.read_text())
for number, cell in enumerate(book["cells"], 1):
    cell["outputs"], cell["execution_count"] = [{{"text": "done"}}], number
place.write_text(json.dumps(book, indent=1))
subprocess.run(["sh", "train.sh"], check=True)
"""


def test_a_notebook_that_is_executed_in_place(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": "fit()", "outputs": []}
    book = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    mine = project(tmp_path, **{"train.ipynb": json.dumps(book)})
    mine.edit(
        "assent.yaml",
        "train: sh train.sh",
        "train: jupyter nbconvert --to notebook --execute --inplace train.ipynb",
    )
    old = mine.commit("a notebook", push=True)
    mine = with_program(mine, "jupyter", JUPYTER.format(python=sys.executable))
    for _ in range(2):
        assert "uncommitted" not in mine.run("review", "--force", code=11).stdout
    mine.run("review", code=11)
    assert mine.runs() == ["train", "evaluate"] * 2
    ran = mine.commit("as it was run", push=True)
    mine.run("review", code=11)
    assert mine.runs() == ["train", "evaluate"] * 2
    workspace = open_workspace(
        mine.folder, environ=mine.environment, now=datetime.now(UTC), say=print
    )
    assert difference(workspace, "churn", old, ran) == ""
    mine.edit("train.ipynb", "fit()", "fit(1)")
    assert "uncommitted changes (train.ipynb)" in mine.run("review", code=11).stdout
    assert mine.runs() == ["train", "evaluate"] * 3
    new = mine.commit("another cell")
    assert difference(workspace, "churn", ran, new) == "train.ipynb has changed"


DVC_ADD = """\
#!/bin/sh
printf 'outs:\\n- md5: %s.dir\\n  path: %s\\n' "$(cat model/* | md5sum | cut -c1-32)" "$2" >"$2.dvc"
grep -qx "/$2" .gitignore || echo "/$2" >>.gitignore
"""


def test_a_command_that_adds_the_model_to_dvc(tmp_path: Path) -> None:
    mine = project(tmp_path, **{".gitignore": ".assent/\nmetrics.json\nruns.log\n"})
    mine.edit("assent.yaml", "train: sh train.sh", "train: sh train.sh && dvc add model")
    mine.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: ['**']")
    old = mine.commit("dvc", push=True)
    mine = with_program(mine, "dvc", DVC_ADD)
    assert "uncommitted" not in mine.run("review", code=11).stdout
    new = mine.commit("what dvc wrote", push=True)
    mine.run("review", code=11)
    assert mine.runs() == ["train", "evaluate"]
    mine.write("params.yaml", "accuracy: 0.9\n")
    mine.commit("better")
    assert "uncommitted" not in mine.run("review", code=11).stdout
    assert mine.runs() == ["train", "evaluate"] * 2
    workspace = open_workspace(
        mine.folder, environ=mine.environment, now=datetime.now(UTC), say=print
    )
    found = between(workspace, "churn", old, new)
    assert not found.reason
    # Nobody has looked at them, and that is said.
    assert found.others == (".gitignore", "model.dvc")


def test_two_models_whose_patterns_cover_each_others_outputs(tmp_path: Path) -> None:
    head, _, people = FILES["assent.yaml"].partition("people:")
    head = head.replace("inputs: [train.sh, data/train.csv]", "inputs: ['**']")
    head = head.replace("metrics: [metrics.json]", "metrics: ['results/*.json']")
    other = head.partition("models:\n")[2].replace("  churn:", "  upsell:", 1)
    other = other.replace("train: sh train.sh", "train: sh upsell.sh")
    other = other.replace("model: model/", "model: upsell/").replace(
        "evaluate: sh evaluate.sh", "evaluate: sh upsell-evaluate.sh"
    )
    other = other.replace("results/*.json", "results/upsell.json")
    metrics = FILES["evaluate.sh"].replace(">metrics.json", ">results/churn.json")
    mine = project(
        tmp_path,
        **{
            "assent.yaml": f"{head}{other}people:{people}",
            "evaluate.sh": metrics,
            "upsell.sh": "echo upsell >>runs.log; mkdir -p upsell; date +%N >upsell/w\n",
            "upsell-evaluate.sh": metrics.replace("churn", "upsell"),
            "results__churn.json": '{"accuracy": 0.7}\n',
            "results__upsell.json": '{"accuracy": 0.7, "lift": 2}\n',
            ".gitignore": ".assent/\nmodel/\nupsell/\nruns.log\n",
        },
    )
    for model in ("churn", "upsell", "churn", "upsell"):
        ran = mine.run("review", model, "--json", code=11).json["report"]["evidence"]
        assert "lift" not in ran["metrics"]
        assert not ran["code"]["is_dirty"]
    assert mine.runs() == ["train", "evaluate", "upsell", "evaluate"]


def test_what_arrives_while_the_training_runs_is_said_where_people_decide(fresh: Project) -> None:
    fresh.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: [train.sh, data/**]")
    fresh.write("train.sh", FILES["train.sh"] + "echo 9,9 >data/late.csv\n")
    fresh.commit("a late file", push=True)
    ran = fresh.run("review", "--json", code=11).json["report"]["evidence"]
    assert ran["products"] == ["data/late.csv"]
    assert "data/late.csv" not in ran["inputs"]
    assert "were not looked at: `data/late.csv`" in fresh.comment()
    assert ran["leftovers"] == []


def test_what_an_earlier_run_has_left_among_the_inputs_is_said(fresh: Project) -> None:
    fresh.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: [train.sh, data/**]")
    cache = (
        "[ -e data/cache ] || cp params.yaml data/cache\nmkdir -p model; cp data/cache model/w\n"
    )
    fresh.write("train.sh", cache)
    fresh.write(".gitignore", FILES[".gitignore"] + "data/cache\n")
    fresh.commit("a cache", push=True)
    fresh.run("review", code=11)
    fresh.write("params.yaml", "accuracy: 0.9\n")
    fresh.commit("other parameters", push=True)
    evidence = fresh.run("review", "--json", code=11).json["report"]["evidence"]
    assert evidence["leftovers"] == ["data/cache"]
    assert "data/cache" not in evidence["inputs"]
    assert "this run may have read them: `data/cache`" in fresh.comment()
    assert "came while a command ran" not in fresh.comment()
    fresh.run("train", "--force")
    fresh.run("review", code=11)
    assert "this run may have read them: `data/cache`" in fresh.comment()
    (fresh.folder / "data/cache").unlink()
    fresh.run("review", "--force", code=11)
    assert "this run may have read" not in fresh.comment()


def test_metrics_of_an_earlier_run_that_the_command_only_names(tmp_path: Path) -> None:
    mine = project(tmp_path, **{".gitignore": ".assent/\nmodel/\nruns.log\n"})
    mine.edit("assent.yaml", "metrics: [metrics.json]", "metrics: ['out/*.json']")
    mine.edit("assent.yaml", "sh evaluate.sh", "sh evaluate.sh --metrics=out/m.json out/conf.json")
    mine.write("evaluate.sh", FILES["evaluate.sh"].replace("metrics.json", "out/m.json"))
    mine.write("out/m.json", '{"accuracy": 0.99}\n')
    mine.commit("tracked metrics", push=True)
    evidence = mine.run("review", "--json", code=11).json["report"]["evidence"]
    assert evidence["metrics"]["accuracy"] == 0.8
    assert "out/m.json" not in evidence["inputs"]
    assert not evidence["code"]["is_dirty"]
    mine.write("evaluate.sh", "true\n")
    mine.commit("forgets the metrics", push=True)
    assert "did not write out/" in mine.run("review", code=2).stderr
    mine.write("out/conf.json", '{"depth": 1}\n')
    mine.write("evaluate.sh", "cat out/conf.json || exit 7\n")
    mine.commit("reads what looks like an output", push=True)
    said = mine.run("review", code=7).stderr
    assert "out/conf.json" in said
    assert "name it in `inputs` if the command reads it" in said
    assert "and the outputs one by one instead of out/*.json" in said
    mine.edit("assent.yaml", "[train.sh, ", "[train.sh, out/conf.json, ")
    mine.write("evaluate.sh", "cat out/conf.json && echo '{\"accuracy\": 0.7}' >out/m.json\n")
    mine.commit("names it", push=True)
    assert "name the files that the run writes one by one" in mine.run("review", code=2).stderr
    mine.edit("assent.yaml", "metrics: ['out/*.json']", "metrics: [out/m.json]")
    mine.commit("names both", push=True)
    evidence = mine.run("review", "--json", code=11).json["report"]["evidence"]
    assert evidence["metrics"]["accuracy"] == 0.7
    assert "out/conf.json" in evidence["inputs"]


def test_an_environment_that_the_command_names(fresh: Project) -> None:
    venv.create(fresh.folder / "env", with_pip=False)
    fresh.write(".gitignore", FILES[".gitignore"] + "env/\n")
    fresh.edit("assent.yaml", "train: sh train.sh", "train: env/bin/python train.py")
    fresh.edit("assent.yaml", "evaluate: sh", "evaluate: . env/bin/activate && sh")
    fresh.edit("assent.yaml", "inputs: [train.sh, ", "inputs: ['**/*.py', ")
    fresh.write("train.py", "import subprocess\nsubprocess.run(['sh', 'train.sh'], check=True)\n")
    fresh.commit("an environment", push=True)
    evidence = fresh.run("review", "--json", code=11).json["report"]["evidence"]
    assert {"train.py", "evaluate.sh"} <= {*evidence["inputs"]}
    assert not [one for one in evidence["inputs"] if one.startswith("env/")]


def test_a_script_that_only_a_variable_names(fresh: Project) -> None:
    fresh.edit("assent.yaml", "train: sh train.sh", "train: sh $STEP && sh $DIR/more.sh")
    fresh.edit("assent.yaml", "inputs: [train.sh, data/train.csv]", "inputs: [data/train.csv]")
    fresh.write("src/more.sh", "true\n")
    commits = [fresh.commit("variables", push=True)]
    mine = Project(fresh.folder, env={"STEP": "train.sh", "DIR": "src"})
    bundle = mine.run("review", "--json", code=11).json["report"]["evidence"]
    assert {"train.sh", "src/more.sh"} <= {*bundle["inputs"]}
    for name in ("src/more.sh", "train.sh"):
        mine.write(name, FILES["train.sh"] + "# changed\n")
        commits.append(mine.commit(f"another {name}", push=True))
        runs = len(mine.runs())
        mine.run("review", code=11)
        assert len(mine.runs()) > runs
    workspace = open_workspace(
        fresh.folder, environ=fresh.environment, now=datetime.now(UTC), say=print
    )
    first, second, third = commits
    assert difference(workspace, "churn", first, second) == "src/more.sh has changed"
    # No variable is known where it is judged: then the evidence says what was read.
    assert difference(workspace, "churn", second, third) == ""
    read = bundle["inputs"]
    assert difference(workspace, "churn", second, third, read) == "train.sh has changed"
