"""The recipes: every text is read by the linters of its forge, and what can run here runs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs.actions import OWNER

from assent.forges.github.workflows import texts
from assent.forges.gitlab.pipelines import GitLabPipelines
from assent.verbs.init import init
from tests.templates.harness import Pipeline
from tests.templates.teams import EVENTS, commit, repository
from tests.workflows.harness import Harness, parse
from tests.workflows.results import Run
from tests.workflows.test_lint import actionlint, schema, zizmor

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path for path in sorted((ROOT / "docs/recipes").glob("*.md"))}
RECIPES = {name: path for name, path in PAGES.items() if name != "README"}
PLACE = (
    "      # Install here what your training needs, for example: pip install -r requirements.txt\n"
)
KINDS = {
    "assent.yml: steps",
    "assent.yml: last steps",
    "assent.yml: job",
    "assent.yml: event pull_request",
    ".gitlab-ci.yml",
    ".github/workflows/ci.yml",
}
CONFIG = """\
models:
  churn:
    train: python train.py
    inputs: [train.py]
    model: model/
    metrics: [metrics.json]
    gates: [{metric: accuracy, min: 0.5}]
    approvals: {count: 1}
    stages: {staging: {}}
"""
every_recipe = pytest.mark.parametrize("name", RECIPES)


def blocks(name: str) -> list[tuple[str, str]]:
    """What each block of a page is about, and its text."""
    found = re.findall(r"^```yml\n# ([^\n]*)\n(.*?)^```", PAGES[name].read_text(), re.S | re.M)
    return [(kind, text) for kind, text in found]


def of_github(name: str) -> str | None:
    """The workflow of Assent with what a recipe changes in it, None where it changes nothing."""
    parts = {kind: text for kind, text in blocks(name) if kind.startswith("assent.yml")}
    if not parts:
        return None
    before, _, after = texts()["assent.yml"].partition("\n  wake:")
    steps = indented(parts.get("assent.yml: steps", ""), 6)
    assert PLACE in before
    before = before.replace(PLACE, steps) if steps else before
    before = before.rstrip("\n") + "\n" + indented(parts.get("assent.yml: last steps", ""), 6)
    before = changed(before, parts.get("assent.yml: job", ""))
    event = indented(parts.get("assent.yml: event pull_request", ""), 4)
    before = before.replace("  pull_request:\n", f"  pull_request:\n{event}", 1)
    return f"{before}\n  wake:{after}"


def changed(text: str, keys: str) -> str:
    """The job with some keys written anew."""
    for key in re.split(r"^(?=\S)", keys, flags=re.M)[1:] if keys else []:
        name = key.partition(":")[0]
        found = re.search(rf"^    {name}:.*\n(?:      .*\n)*", text, re.M)
        old = found[0] if found is not None else "    steps:\n"
        new = indented(key, 4) + ("" if found is not None else old)
        text = text.replace(old, new, 1)
    return text


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}" for line in text.splitlines(keepends=True))


def of_gitlab(name: str) -> str:
    """What a recipe adds to `.gitlab-ci.yml`."""
    return "".join(text for kind, text in blocks(name) if kind == ".gitlab-ci.yml")


def team(folder: Path, name: str, **more: str) -> Path:
    """A repository with the pipeline of `init`, and what a recipe adds to it."""
    repository(folder, {"assent.yaml": CONFIG, "README.md": "x\n", **more})
    init(folder, pipelines=GitLabPipelines(install=""))
    own = folder / ".gitlab-ci.yml"
    own.write_text(own.read_text() + of_gitlab(name))
    commit(folder)
    merged(folder)
    return folder


def merged(folder: Path) -> None:
    """The default branch is what is committed now: what comes later is a change."""
    update = ["git", "-C", str(folder), "update-ref", "refs/remotes/origin/main", "HEAD"]
    subprocess.run(update, check=True)


@every_recipe
def test_every_block_says_what_it_is_about(name: str) -> None:
    count = len(re.findall(r"^```yml", PAGES[name].read_text(), re.M))
    assert len(blocks(name)) == count > 0
    assert {kind for kind, _ in blocks(name)} <= KINDS


@every_recipe
def test_every_page_says_what_of_it_is_tested_and_is_found(name: str) -> None:
    assert "**Tested here:**" in PAGES[name].read_text()
    assert f"({name}.md)" in PAGES["README"].read_text()
    for page in ("README.md", "docs/github.md", "docs/gitlab.md"):
        assert "recipes/README.md" in (ROOT / page).read_text()


@every_recipe
def test_no_recipe_gives_a_judging_job_anything(name: str) -> None:
    """They need neither data nor a secret for it."""
    added = yaml.safe_load(of_gitlab(name)) or {}
    judging = ("review", "approve", "register", "promote", "rollback", "reply", "verify")
    assert not {f"assent-{verb}" for verb in judging} & set(added)


def test_the_files_that_are_written_point_to_them() -> None:
    assert "docs/recipes" in texts()["assent.yml"]
    assert "docs/recipes" in (ROOT / "gitlab-templates/pipeline.yml").read_text()


@pytest.mark.parametrize("name", [one for one in RECIPES if of_github(one) is not None])
def test_what_a_recipe_makes_of_the_workflow_is_clean(tmp_path: Path, name: str) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    path = folder / "assent.yml"
    path.write_text(of_github(name) or "")
    check(path)


def check(path: Path) -> None:
    """A workflow that every linter accepts."""
    assert parse(path) == {str(path): []}
    assert actionlint(path) == ""
    assert zizmor(path) == ""
    assert schema("vendor.github-workflows", path) == ""
    assert schema("custom.github-workflows-require-timeout", path) == ""


def test_the_whole_workflow_of_a_recipe_is_clean(tmp_path: Path) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    path = folder / "ci.yml"
    path.write_text(dict(blocks("existing-ci"))[".github/workflows/ci.yml"])
    check(path)


@pytest.mark.parametrize("name", [one for one in RECIPES if of_gitlab(one)])
def test_gitlab_takes_what_a_recipe_adds(tmp_path: Path, name: str) -> None:
    """gitlab-ci-local compares it with GitLab's schema, too."""
    folder = team(tmp_path / "team", name)
    variables = {"CI_DEFAULT_BRANCH": "main", **EVENTS["merge request"]}
    pipeline = Pipeline(folder, {**variables, "CI_PROJECT_PATH": "acme/churn"})
    (folder / "train.py").write_text("x\n")
    commit(folder)
    found = set(pipeline.jobs())
    assert {"assent-evaluate", "assent-bundle", "assent-wake"} <= found
    assert ("assent-train" in found) is (name != "existing-ci")
    whole = pipeline.whole(is_checked=False)
    for job, body in (yaml.safe_load(of_gitlab(name)) or {}).items():
        assert job.startswith(".") or set(body) - {"extends"} <= set(whole[job])


def test_a_change_of_nothing_that_training_reads_trains_nothing(tmp_path: Path) -> None:
    folder = team(tmp_path / "team", "paths")
    variables = {"CI_DEFAULT_BRANCH": "main", **EVENTS["merge request"]}
    pipeline = Pipeline(folder, {**variables, "CI_PROJECT_PATH": "acme/churn"})
    (folder / "README.md").write_text("y\n")
    commit(folder)
    assert set(pipeline.jobs()) == {"assent-wake"}


# What runs


TRAIN = """\
import json, pathlib
pathlib.Path("model").mkdir(exist_ok=True)
pathlib.Path("model/weights.json").write_text(json.dumps({"rows": 3}))
"""
EVALUATE = """\
import json, pathlib
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": 0.9}))
"""
FILES = {
    "train.py": TRAIN,
    "evaluate.py": EVALUATE,
    "params.json": "{}\n",
    "data/train.csv": "x,y\n1,0\n",
    ".gitignore": ".assent/\nmodel/\nmetrics.json\n.gitlab-ci-local/\n",
}


def configuration(name: str) -> str:
    [found] = re.findall(r"^```yaml\n(.*?)^```", PAGES[name].read_text(), re.S | re.M)
    return str(found)


def test_gitlabs_own_training_hands_over_a_bundle(tmp_path: Path) -> None:
    folder = team(
        tmp_path / "team", "existing-ci", **{**FILES, "assent.yaml": configuration("existing-ci")}
    )
    variables = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_DEFAULT_BRANCH": "main",
        **EVENTS["merge request"],
    }
    pipeline = Pipeline(folder, variables)
    assert pipeline.run("train").code == 0
    evaluated = pipeline.run("assent-evaluate")
    assert evaluated.code == 0, evaluated.log
    ended = pipeline.run("assent-bundle")
    assert ended.code == 0, ended.log
    assert (ended.artifacts / "assent-bundle/blobs").is_dir()


class Place:
    """A repository on the harness's GitHub, in which one workflow runs."""

    def __init__(self, root: Path, github: Harness, bare: Path, clone: Path) -> None:
        self.root = root
        self.github = github
        self.bare = bare
        self.clone = clone

    def run(self, workflow: str) -> Run:
        """What a pull request from a branch of the same repository sets off."""
        commit(self.clone)
        git = ("git", "-C", str(self.clone))
        for ref in ("refs/heads/main", "refs/pull/1/head", "refs/pull/1/merge"):
            push = [*git, "push", "--quiet", "--force", "origin", f"HEAD:{ref}"]
            subprocess.run(push, check=True)
        sha = subprocess.run(
            [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
        ).stdout.strip()
        repo = {"id": 7, "full_name": "acme/churn", "default_branch": "main", "owner": {"id": 70}}
        head = {"sha": sha, "ref": "main", "repo": repo}
        pull = {"number": 1, "head": head, "base": {"ref": "main", "sha": sha, "repo": repo}}
        payload = {"action": "opened", "number": 1, "pull_request": pull, "repository": repo}
        return self.github.run(workflow, "pull_request", payload)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    bare, clone = tmp_path / "churn.git", tmp_path / "clone"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    repository(clone, {**FILES, "assent.yaml": CONFIG})
    address = ["git", "-C", str(clone), "remote", "set-url", "origin", str(bare)]
    subprocess.run(address, check=True)
    own = {OWNER.removesuffix("/actions"): ROOT}
    with Harness(tmp_path / "github", {"acme/churn": bare}, actions=own) as github:
        yield Place(tmp_path, github, bare, clone)


def write(place: Place, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = place.clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_githubs_own_training_hands_over_a_bundle(place: Place) -> None:
    workflow = ".github/workflows/ci.yml"
    text = dict(blocks("existing-ci"))[workflow]
    write(place, {workflow: text, "assent.yaml": configuration("existing-ci")})
    run = place.run(workflow)
    assert run.errors == []
    assert run.conclusion == "success", run.log
    assert outputs(run, "bundle")["bundle"].startswith("sha256:")


def outputs(run: Run, verb: str) -> dict[str, Any]:
    steps = [step for job in run.jobs for step in job.steps]
    [found] = [step for step in steps if f"/actions/{verb}@" in (step.uses or "")]
    return dict(found.outputs)


LONG = """\
import json, pathlib, sys
folder = pathlib.Path("checkpoints")
folder.mkdir(exist_ok=True)
begin = sum(1 for one in folder.iterdir())
for epoch in range(begin, 4):
    print("epoch", epoch, flush=True)
    (folder / f"{epoch}.json").write_text("{}")
    if begin == 0 and epoch == 1:
        sys.exit("the machine goes away")
pathlib.Path("model").mkdir(exist_ok=True)
pathlib.Path("model/weights.json").write_text(json.dumps({"epochs": 4}))
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": 0.9}))
"""


def test_a_long_training_goes_on_where_it_was_ended(place: Place) -> None:
    workflow = ".github/workflows/assent.yml"
    ignored = FILES[".gitignore"] + "checkpoints/\n"
    text = of_github("long-training") or ""
    write(place, {workflow: text, "train.py": LONG, ".gitignore": ignored})
    first = place.run(workflow)
    assert first.conclusion == "failure"
    assert "epoch 0" in first.log
    second = place.run(workflow)
    assert second.conclusion == "success", second.log
    assert "epoch 0" not in second.log
    assert "epoch 2" in second.log


@pytest.mark.parametrize("name", ["cache", "reuse"])
def test_what_is_kept_comes_back(place: Place, name: str) -> None:
    workflow = ".github/workflows/assent.yml"
    files = {"requirements.txt": "", "features.py": "", ".gitignore": FILES[".gitignore"]}
    files[".gitignore"] += ".features/\n"
    files["train.py"] = TRAIN + EVALUATE + "pathlib.Path('.features').mkdir(exist_ok=True)\n"
    write(place, {workflow: of_github(name) or "", **files})
    first = place.run(workflow)
    assert first.conclusion == "success", first.log
    assert "Cache not found" in first.log
    again = place.run(workflow)
    assert again.conclusion == "success", again.log
    assert "Cache restored" in again.log
