"""The story in repositories that are not set up as our own are."""

from __future__ import annotations

import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.project import FILES, GRACE, Project, new_project
from tests.effort import more_in_soak

LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{7:064d}\nsize 12345678\n"


def hook(folder: Path, name: str, script: str) -> None:
    path = folder / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


# --- hooks, worktrees, dotfiles -------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [["commit", "-qam", "x"], ["commit", "-qm", "x", "params.yaml"]]
)
def test_a_hook_of_a_linked_worktree_sees_what_everybody_sees(
    shipped: Project, command: list[str]
) -> None:
    said = shipped.folder.parent / "said"
    run = f"env | grep ^GIT_; '{sys.executable}' -m assent verify; echo $?"
    script = f"{{ {run}; }} >'{said}' 2>&1"
    hook(shipped.folder / ".git", "pre-commit", script)
    shipped.git("worktree", "add", "-q", "../linked", "-b", "linked")
    linked = replace(shipped, folder=shipped.folder.parent / "linked")
    linked.edit("params.yaml", "0.8", "0.7")
    linked.git(*command)
    lines = said.read_text().splitlines()
    assert any(line.startswith("GIT_DIR=") for line in lines)
    assert lines[-1] == "0", said.read_text()


def test_a_linked_worktree_whose_clone_is_gone_says_so(shipped: Project) -> None:
    shipped.git("worktree", "add", "-q", "../linked", "-b", "linked")
    shipped.folder.rename(shipped.folder.with_name("moved"))
    linked = replace(shipped, folder=shipped.folder.parent / "linked")
    assert "git worktree repair" in linked.run("status", code=2).stderr


def test_dotfiles_that_the_environment_names(fresh: Project) -> None:
    git = fresh.folder.parent / "dotfiles"
    (fresh.folder / ".git").rename(git)
    dotfiles = replace(fresh, env={"GIT_DIR": str(git), "GIT_WORK_TREE": str(fresh.folder)})
    dotfiles.register()
    dotfiles.run("verify")
    assert "git init" in fresh.run("status", code=2).stderr


def test_a_bare_repository_is_said_to_be_one(fresh: Project) -> None:
    (fresh.remote / "assent.yaml").write_text(FILES["assent.yaml"])
    assert "bare repository" in replace(fresh, cwd=fresh.remote).run("status", code=2).stderr


def test_a_project_in_a_submodule(fresh: Project, tmp_path: Path) -> None:
    allow = ("-c", "protocol.file.allow=always")
    outer = Project(tmp_path / "outer")
    outer.folder.mkdir()
    outer.git("init", "-q")
    outer.git(*allow, "submodule", "--quiet", "add", str(fresh.remote), "project")
    inner = replace(outer, folder=outer.folder / "project")
    inner.identify("Ada", "ada@example.com")
    inner.register()
    inner.run("verify")


# --- places, ids, branches ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["with\nline break", "quo\"te' $HOME", *more_in_soak("ümläut 模型", "-dash")]
)
def test_a_clone_in_a_folder_of_an_odd_name(fresh: Project, name: str) -> None:
    fresh.folder.rename(fresh.folder.with_name(name))
    project = replace(fresh, folder=fresh.folder.with_name(name))
    project.register()
    project.ship("v1")
    project.run("verify")


def test_a_project_below_the_top_in_a_folder_of_an_odd_name(tmp_path: Path) -> None:
    files = {f"two\nlines/{name}": text for name, text in FILES.items()}
    project = new_project(tmp_path / "place", files)
    project = replace(project, cwd=project.folder / "two\nlines")
    project.register()
    project.ship("v1")
    project.run("verify")


def test_a_repository_with_sha_256(tmp_path: Path) -> None:
    project = Project(tmp_path / "work")
    project.folder.mkdir()
    kind = "--object-format=sha256"
    project.git("init", "--quiet", "--bare", kind, "--initial-branch=main", "../remote.git")
    project.git("init", "--quiet", kind, "--initial-branch=main")
    project.identify("Ada", "ada@example.com")
    project.git("remote", "add", "origin", "../remote.git")
    for path, text in FILES.items():
        project.write(path, text)
    project.commit("Predict churn", push=True)
    project.register()
    project.ship("v1")
    project.release("better", accuracy="0.9")
    project.run("verify")
    project.clone("other").run("verify")


def test_a_branch_in_the_way_of_the_ledger_is_said_at_once(reviewed: Project) -> None:
    reviewed.git("push", "-q", "origin", "HEAD:refs/heads/assent")
    ran = reviewed.run("approve", "--as", GRACE, code=3)
    assert "the branch 'assent' of origin is in the way of 'assent/churn'" in ran.stderr
    assert "rename or delete it" in ran.stderr


def test_tags_and_branches_that_are_called_like_others(fresh: Project) -> None:
    fresh.git("branch", "origin/main")
    fresh.git("tag", "main")
    fresh.git("push", "-q", "origin", "refs/tags/main")
    fresh.git("remote", "set-head", "origin", "main")
    fresh.register()
    fresh.branch("fänge/模型", start="HEAD", accuracy="0.9")
    fresh.git("tag", "fänge/模型")
    fresh.run("review", code=11)
    fresh.run("approve", "--as", GRACE)
    kept = (fresh.folder / ".git/assent/reviews.jsonl").read_text()
    assert '"change":"fänge/模型"' in kept


def test_what_assent_wrote_may_be_tracked(fresh: Project) -> None:
    fresh.write(".gitignore", FILES[".gitignore"].replace(".assent/\n", ""))
    fresh.commit("no ignore", push=True)
    fresh.run("review", code=11)
    fresh.commit("what Assent wrote", push=True)
    assert fresh.git("ls-files", ".assent")
    fresh.write("params.yaml", "accuracy: 0.9\n")
    fresh.commit("better", push=True)
    fresh.register()
    assert fresh.git("status", "--porcelain", ".assent")
    assert "uncommitted changes" not in fresh.comment()
    fresh.run("verify")


# --- what stands for other bytes ------------------------------------------------------------------


def without_training(fresh: Project) -> None:
    fresh.edit("assent.yaml", "    train: sh train.sh\n    evaluate: sh evaluate.sh\n", "")
    fresh.edit(".gitignore", "model/\nmetrics.json\n", "")
    fresh.write("model/weights.bin", "weights")
    fresh.write("metrics.json", '{"accuracy": 0.8}')


@pytest.mark.parametrize("path", ["model/weights.bin", "metrics.json", "data/train.csv"])
def test_a_pointer_of_lfs_is_never_approved_of(fresh: Project, path: str) -> None:
    without_training(fresh)
    fresh.write(path, LFS)
    fresh.commit("pointer", push=True)
    code = 2 if path.startswith("model") else 10
    ran = fresh.run("review", code=code)
    said = ran.stderr if code == 2 else fresh.comment()
    assert "Git LFS pointer" in said
    assert "git lfs pull" in said
    fresh.run("approve", "--as", GRACE, code=2 if code == 2 else 0)
    fresh.run("register", code=code)
    assert fresh.entries() == [] or not any("register" in one for one in fresh.entries())


def test_a_training_that_leaves_a_pointer_is_told_so(fresh: Project) -> None:
    fresh.write("train.sh", f"mkdir -p model; printf '{LFS}' > model/weights.bin\n")
    assert "Git LFS pointer" in fresh.run("train", code=2).stderr


# --- what may be run ------------------------------------------------------------------------------


def with_a_program(fresh: Project) -> None:
    fresh.write(
        "train.sh", FILES["train.sh"] + "echo 'exit 0' >model/serve.sh; chmod 755 model/serve.sh\n"
    )
    fresh.commit("serve", push=True)


def modes(folder: Path) -> dict[str, bool]:
    return {path.name: bool(path.stat().st_mode & stat.S_IXUSR) for path in folder.iterdir()}


def test_what_may_be_run_may_be_run_after_a_pull(fresh: Project) -> None:
    with_a_program(fresh)
    fresh.register()
    fresh.run("promote", "shadow", "v1")
    wanted = {"serve.sh": True, "weights.txt": False, "format": False}
    fresh.run("pull", "v1", "--to", "pulled")
    assert modes(fresh.folder / "pulled") == wanted
    (fresh.folder / "pulled/serve.sh").chmod(0o644)
    fresh.run("pull", "v1", "--to", "pulled")
    assert modes(fresh.folder / "pulled") == wanted
    fresh.git("clean", "-qfdx", "model")
    fresh.run("train")
    assert modes(fresh.folder / "model") == wanted


def test_what_may_be_run_is_kept_when_a_bundle_is_handed_over(fresh: Project) -> None:
    with_a_program(fresh)
    fresh.run("train")
    fresh.run("evaluate")
    fresh.run("bundle", "--output", "../handed")
    other = fresh.clone("other")
    bundle = other.run("bundle", "--from", "../handed", "--json").json["bundle"]
    other.run("pull", bundle, "--to", "pulled")
    assert modes(other.folder / "pulled")["serve.sh"]
