"""`init --gitlab` beside a pipeline that is there: the team's jobs run exactly where they ran."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from assent.forges.gitlab.pipelines import GitLabPipelines
from assent.verbs.init import InitResult, init
from tests.templates.harness import Pipeline
from tests.templates.teams import (
    ALONE,
    EVENTS,
    Ran,
    commit,
    let_in,
    ran,
    repository,
    whole,
)

CONFIG = """\
models:
  churn:
    train: python train.py
    inputs: [train.py]
    model: model/
    metrics: [metrics.json]
    gates: [{metric: accuracy, min: 0.5}]
    approvals: {count: 1}
    stages: {staging: {}, production: {after: staging}}
"""
OURS = {
    "merge request": {"train", "evaluate", "bundle", "wake"},
    "push to the default branch": {"approve", "register", "promote", "rollback"},
    "schedule": {"review", "approve", "register", "verify"},
    "by hand": {"review", "approve", "register", "promote", "rollback"},
    "woken": {"review"},
    "schedule of Assent": {"review", "approve", "register", "verify"},
    "webhook of Assent": {"review", "approve", "reply"},
}
LINES, BESIDE = "lines", "beside"
TEAMS: dict[str, tuple[str, str]] = {
    "no rules at all": (
        BESIDE,
        "lint: {script: [make]}\ndeploy: {stage: deploy, script: [make]}\n",
    ),
    "rules of each job": (
        BESIDE,
        """\
test:
  script: [make]
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
deploy:
  stage: deploy
  script: [make]
  environment: production
  rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH, when: manual}]
release:
  stage: deploy
  script: [make]
  rules: [{if: $CI_COMMIT_TAG}]
""",
    ),
    "rules by the source alone": (
        LINES,
        """\
stages: [test, ship]
test:
  script: [make]
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH'
ship:
  stage: ship
  script: [make]
  rules: [{if: '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_TAG =~ /^v/'}]
""",
    ),
    "rules by the source alone, and an include": (
        LINES,
        """\
include:
  - local: ci/base.yml
test: {extends: .base, script: [make], rules: [{if: '$CI_PIPELINE_SOURCE == "push"'}]}
""",
    ),
    "a workflow of branches alone": (
        BESIDE,
        """\
workflow: {rules: [{if: $CI_COMMIT_BRANCH}]}
test: {script: [make]}
deploy: {stage: deploy, script: [make], only: [main]}
""",
    ),
    "a workflow of merge requests alone": (
        BESIDE,
        """\
workflow: {rules: [{if: $CI_MERGE_REQUEST_IID}, {if: $CI_COMMIT_TAG}]}
test: {script: [make]}
ship: {stage: deploy, script: [make], only: [main, tags]}
""",
    ),
    "a workflow of merge requests and the default branch": (
        BESIDE,
        """\
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
test: {script: [make]}
deploy:
  stage: deploy
  script: [make]
  rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]
""",
    ),
    "a workflow that changes from branches to merge requests": (
        BESIDE,
        """\
workflow:
  name: $CI_COMMIT_TITLE
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS
      when: never
    - if: $CI_COMMIT_BRANCH
test: {script: [make]}
""",
    ),
    "a workflow without rules": (
        BESIDE,
        "workflow: {auto_cancel: {on_new_commit: interruptible}}\ntest: {script: [make]}\n",
    ),
    "only and except": (
        BESIDE,
        """\
test: {script: [make], except: [schedules, tags]}
check: {script: [make], only: [merge_requests]}
deploy: {stage: deploy, script: [make], only: [main, /^release-/]}
nightly: {script: [make], only: {refs: [schedules]}}
""",
    ),
    "stages, defaults and variables of its own": (
        BESIDE,
        """\
stages: [lint, unit, ship]
default:
  image: alpine:3
  tags: [big]
  before_script: [apk add make]
variables: {PIP_INDEX_URL: "https://packages.example.com/simple", MODE: fast}
lint: {stage: lint, script: [make]}
unit: {stage: unit, script: [make], needs: [lint]}
ship: {stage: ship, script: [make], only: [tags]}
""",
    ),
    "extends, references and an include": (
        BESIDE,
        """\
include: [{local: /ci/base.yml}, ci/more.yml]
stages: [verify, build, release]
.mine:
  stage: verify
  rules: [!reference [.on-change, rules], {if: $CI_COMMIT_TAG}]
test: {extends: [.base, .mine], script: [make]}
build: {stage: build, extends: .base, script: [make]}
""",
    ),
    "a schedule of its own and changes": (
        BESIDE,
        """\
nightly:
  script: [make]
  rules: [{if: '$CI_PIPELINE_SOURCE == "schedule"'}]
docs:
  script: [make]
  rules: [{if: '$CI_PIPELINE_SOURCE == "push"', exists: [README.md]}]
""",
    ),
    "a first stage alone in merge requests": (
        BESIDE,
        """\
greet:
  stage: .pre
  script: [make]
  rules: [{if: '$CI_PIPELINE_SOURCE =~ /^(merge_request_event|push)$/'}]
test: {script: [make]}
""",
    ),
    "an include that hangs on a rule": (
        BESIDE,
        """\
include: [{local: ci/more.yml, rules: [{if: $CI_PROJECT_PATH}]}]
test: {script: [make], rules: [{if: '$CI_PIPELINE_SOURCE == "push"'}]}
""",
    ),
    "a train job of its own": (
        BESIDE,
        """\
train:
  script: [python train.py]
  artifacts: {paths: [model/]}
  rules: [{if: $CI_MERGE_REQUEST_IID}, {if: '$CI_COMMIT_BRANCH == "main"'}]
report: {script: [make], needs: [train], rules: [{if: $CI_MERGE_REQUEST_IID}]}
""",
    ),
}
FILES = {
    "assent.yaml": CONFIG,
    "README.md": "x\n",
    "ci/base.yml": """\
.base: {interruptible: true}
.on-change:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == "main"
""",
    "ci/more.yml": "extra: {script: [make], stage: build, rules: [{if: $CI_COMMIT_TAG}]}\n",
}


def follow(folder: Path, result: InitResult) -> None:
    """What a person does who was told so."""
    assert result.to_add is not None
    own = folder / ".gitlab-ci.yml"
    first = result.to_add.splitlines()[0]
    if first.startswith("git mv "):
        subprocess.run(first.partition("#")[0].split(), cwd=folder, check=True)
        init(folder, pipelines=GitLabPipelines(install=""))
        assert own.read_text() in result.to_add
    elif "to the list `include`" in first:
        entries = result.to_add.removeprefix(f"{first}\n")
        own.write_text(own.read_text().replace("include:\n", f"include:\n{entries}", 1))
    else:
        own.write_text(f"{own.read_text()}{result.to_add}")
    commit(folder)
    again = init(folder, pipelines=GitLabPipelines(install=""))
    assert (again.workflows, again.to_add) == ((), None)


@pytest.mark.parametrize("share", range(2))
def test_the_teams_jobs_run_where_they_ran_and_assents_where_they_must(
    tmp_path: Path, share: int
) -> None:
    folders = {name: tmp_path / f"team-{at}" for at, name in enumerate([*TEAMS][share::2])}
    wholes: dict[str, dict[str, Any]] = {}
    for name, folder in folders.items():
        way, text = TEAMS[name]
        repository(folder, {**FILES, ".gitlab-ci.yml": text})
        # No file that is included here hangs on the kind of the pipeline: it is read once. It is
        # checked below, with all that it is then a part of.
        wholes[f"before of {name}"] = whole(folder, "push to a branch", is_checked=False)
        result = init(folder, pipelines=GitLabPipelines(install=""))
        assert (folder / ".gitlab-ci.yml").read_text() == text
        assert ("git mv" in (result.to_add or "")) is (way == BESIDE), name
        follow(folder, result)
        wholes[f"with theirs of {name}"] = whole(folder, "push to a branch")
        wholes[f"alone of {name}"] = whole(folder, "woken", is_checked=False)
        wholes[f"guard of {name}"] = {
            "stages": ["test"],
            "in": {"rules": [{"if": guard(folder)}] if way == BESIDE else [{"when": "always"}]},
        }
    for event in EVENTS:
        found = let_in(wholes, event, tmp_path / "scratch")
        for name in folders:
            kind = "with theirs" if found[f"guard of {name}"].theirs else "alone"
            one = found[f"{kind} of {name}"]
            theirs = set() if event in ALONE else found[f"before of {name}"].theirs
            ours = {f"assent-{verb}" for verb in OURS.get(event, set())}
            assert (one.theirs, one.ours) == (theirs, ours), (name, event)
            waits_for_none(one)


def guard(folder: Path) -> str:
    """The condition under which the team's file is included."""
    entries = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())["include"]
    [rule] = entries[-1]["rules"]
    condition: str = rule["if"]
    return condition


def waits_for_none(one: Ran) -> None:
    """No job of the team is in a later stage than one of Assent's, which would hold it up."""
    at = {name: one.order.index(stage) for name, stage in one.stages.items()}
    ours = [at[name] for name in at if name.startswith("assent-")]
    theirs = [at[name] for name in one.theirs if one.stages[name] != ".post"]
    assert not ours or not theirs or min(ours) >= max(theirs)


def test_without_a_pipeline_the_jobs_run_where_they_must(tmp_path: Path) -> None:
    folder = repository(tmp_path / "team", FILES)
    result = init(folder, pipelines=GitLabPipelines(install=""))
    assert (result.to_add, result.seen) == (None, ())
    [where] = result.to_do
    assert "`store: oci://registry.example.com/" in where
    commit(folder)
    one = {"one": whole(folder, "woken")}
    for event in EVENTS:
        expected = {f"assent-{verb}" for verb in OURS.get(event, set())}
        assert let_in(one, event, tmp_path / "scratch")["one"].ours == expected


def test_jobs_that_are_added_later_beside_a_file_of_ours_are_left_out_too(tmp_path: Path) -> None:
    folder = repository(tmp_path / "team", FILES)
    init(folder, pipelines=GitLabPipelines(install=""))
    (folder / ".gitlab").mkdir(exist_ok=True)
    (folder / ".gitlab/ci.yml").write_text("test: {script: [make]}\n")
    result = init(folder, pipelines=GitLabPipelines(install=""))
    assert result.to_add is not None
    assert "git mv" not in result.to_add
    (folder / ".gitlab-ci.yml").write_text(result.to_add)
    commit(folder)
    assert ran(folder, "push to a branch").theirs == {"test"}
    assert ran(folder, "woken").theirs == set()


def told(tmp_path: Path, text: str, **more: str) -> tuple[str, str]:
    """What was seen and what a person is to look at, as one text each."""
    folder = repository(tmp_path / "team", {**FILES, ".gitlab-ci.yml": text, **more})
    result = init(folder, pipelines=GitLabPipelines(install=""))
    return "\n".join(result.seen), "\n".join(result.to_do)


def test_what_runs_again_is_said(tmp_path: Path) -> None:
    seen, _ = told(tmp_path, TEAMS["rules of each job"][1])
    assert "test, deploy would run again in pipelines of a review" in seen
    assert "release" not in seen


def test_a_workflow_that_keeps_assent_out_is_said(tmp_path: Path) -> None:
    seen, to_do = told(tmp_path, TEAMS["a workflow of merge requests alone"][1])
    assert "lets in no pipelines of: pushes to the default branch" in seen
    assert "workflow" not in to_do


def test_a_workflow_that_hangs_on_what_nobody_knows_is_said(tmp_path: Path) -> None:
    """And what is to be added is a condition that does what is said of it."""
    rule = "{if: '$RUN_CI && $CI_COMMIT_BRANCH != \"main\"'}"
    text = f"workflow: {{rules: [{rule}]}}\ntest: {{script: [x]}}\n"
    folder = repository(tmp_path / "team", {**FILES, ".gitlab-ci.yml": text})
    result = init(folder, pipelines=GitLabPipelines(install=""))
    [told] = [one for one in result.to_do if "is not known here" in one]
    assert "lets in pipelines of merge requests is not known here" in told
    follow(folder, result)
    assert ran(folder, "merge request").ours == set()
    own = folder / ".gitlab-ci.yml"
    more = told.partition(".gitlab-ci.yml: ")[2]
    text = own.read_text().rstrip("\n")
    assert text.splitlines()[-1].strip().startswith("- if: ")
    own.write_text(f"{text} {more}\n")
    commit(folder)
    assert "assent-train" in ran(folder, "merge request").ours
    assert "assent-register" in ran(folder, "push to the default branch").ours


def test_tests_that_no_longer_decide_whether_a_merge_is_let_are_said(tmp_path: Path) -> None:
    _, to_do = told(tmp_path, "test: {script: [make]}\n")
    assert "Pipelines must succeed" in to_do


def test_pipelines_of_other_projects_and_ends_are_said(tmp_path: Path) -> None:
    text = "clean: {stage: .post, script: [make]}\nfollow: {script: [make], only: [pipelines]}\n"
    _, to_do = told(tmp_path, text)
    assert "clean in .post waits" in to_do
    assert "other projects seem to start pipelines here" in to_do


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {script: [x]\n", ".gitlab-ci.yml: line"),
        ("- a\n", ".gitlab-ci.yml: not a mapping"),
        ("include: [{local: ../../secret.yml}]\na: {script: [x]}\n", "outside the repository"),
        ("include: {local: gone.yml}\na: {script: [x]}\n", "gone.yml: No such file"),
        ("include: {remote: https://x.example.com/a.yml}\n", "include remote https://x"),
        ("include: https://x.example.com/a.yml\n", "include https://x.example.com"),
        ("include: {template: Jobs/Build.gitlab-ci.yml}\n", "include template Jobs/"),
        ("include: {local: big.yml}\n", "big.yml: larger than"),
        ("a: &a {b: *a}\n", ".gitlab-ci.yml"),
    ],
)
def test_what_is_not_read_is_said_and_nothing_hangs_on_it(
    tmp_path: Path, text: str, said: str
) -> None:
    seen, _ = told(tmp_path, text, **{"big.yml": "a: " + "x" * 2_000_000})
    assert "not read: " in seen
    assert said in seen
    assert "so your file moves" in seen


def test_what_pipelines_without_the_teams_file_need_is_carried_along(tmp_path: Path) -> None:
    _, text = TEAMS["stages, defaults and variables of its own"]
    folder = repository(tmp_path / "team", {**FILES, ".gitlab-ci.yml": text})
    follow(folder, init(folder, pipelines=GitLabPipelines(install="")))
    alone = yaml.safe_load((folder / ".gitlab/assent-alone.yml").read_text())
    assert alone == {
        "stages": ["ship"],
        "default": {"tags": ["big"]},
        "variables": {"PIP_INDEX_URL": "https://packages.example.com/simple"},
    }


def test_a_trusted_job_takes_nothing_of_the_teams_default_but_where_it_runs(tmp_path: Path) -> None:
    _, text = TEAMS["stages, defaults and variables of its own"]
    folder = repository(tmp_path / "team", {**FILES, ".gitlab-ci.yml": text})
    follow(folder, init(folder, pipelines=GitLabPipelines(install="")))
    variables = {"CI_DEFAULT_BRANCH": "main", **EVENTS["push to the default branch"]}
    found = Pipeline(folder, variables).whole()
    assert found["assent-train"]["before_script"] == ["apk add make"]
    assert "before_script" not in found["assent-register"]
    assert found["assent-register"]["tags"] == ["big"]


def test_several_projects_have_jobs_of_their_own(tmp_path: Path) -> None:
    other = CONFIG.replace("churn", "price")
    files = {**FILES, "teams/price/assent.yaml": other}
    folder = repository(tmp_path / "team", files)
    init(folder, pipelines=GitLabPipelines(install=""))
    [churn, price] = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())["include"]
    assert churn["inputs"]["job-prefix"] == "assent-churn"
    assert price["inputs"]["config"] == "teams/price/assent.yaml"
    assert price["inputs"]["artifacts"] == [
        "teams/price/.assent/work/",
        "teams/price/model/",
        "teams/price/metrics.json",
    ]
    assert "config" not in churn["inputs"]
