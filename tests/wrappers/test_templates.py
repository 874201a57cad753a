"""Templates are tables, too: one is what its verb takes, and what the action of the verb takes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs import templates
from docs.templates import (
    DIFFERENT,
    HANDOVER,
    INSTALL,
    PREFIX,
    RETRAINED,
    RUNS_WITH_A_CHANGE,
    TEMPLATES,
    WAKE,
)
from docs.wrappers import MADE, WRAPPERS, inputs

from assent.ci import reports
from assent.cli import published
from assent.cli.published import OUTPUTS
from assent.core.bundle import HANDED_OVER_BYTES
from assent.forges.archives import LIMITS
from assent.forges.gitlab import waiting
from assent.forges.gitlab.waiting import INSIDE
from assent.verbs import review_waiting as reviewing

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "gitlab-templates"
FILES = templates.files()
BLOCK = re.compile(r"\$\[\[ inputs\.([a-z-]+) \]\]")
OF_THE_JOB = {"job-name", "job-stage", "job-image", "job-rules", "job-needs", "job-artifacts"}
TYPES = {"string", "boolean", "array"}

every_template = pytest.mark.parametrize("verb", TEMPLATES)
every_file = pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem
)


def load(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs of a template, and its jobs."""
    head, body = yaml.safe_load_all(path.read_text("utf-8"))
    return head["spec"]["inputs"], body


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    body = load(path)[1]
    return {name: job for name, job in body.items() if name != "workflow"}


def one_job(verb: str) -> dict[str, Any]:
    [job] = jobs(FOLDER / f"{verb}.yml").values()
    return job


def filled(path: Path, **given: Any) -> dict[str, Any]:
    """What GitLab makes of a template: it puts values into the text, as JSON unless it is text."""
    described, _ = load(path)
    values = {name: about.get("default", "given") for name, about in described.items()}
    values |= {
        name: ["x"]
        for name, about in described.items()
        if values[name] == "given" and about.get("type") == "array"
    }
    values |= given

    def value(match: re.Match[str]) -> str:
        found = values[match[1]]
        return found if isinstance(found, str) else json.dumps(found)

    text = path.read_text("utf-8").split("\n---\n", 1)[1]
    made: dict[str, Any] = yaml.safe_load(BLOCK.sub(value, text))
    return made


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_made_is_up_to_date(path: Path) -> None:
    assert path.read_text("utf-8") == FILES[path], "run python -m docs.generate"


def test_there_is_a_template_for_each_verb_of_the_way_and_no_other() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {*TEMPLATES, "pipeline"}
    assert {
        *("train", "evaluate", "bundle", "review", "approve", "register"),
        *("promote", "rollback", "verify", "retrain"),
    } <= set(TEMPLATES)


@every_template
def test_a_template_takes_what_the_action_takes(verb: str) -> None:
    described, _ = load(FOLDER / f"{verb}.yml")
    action = yaml.safe_load((ROOT / f"actions/{verb}/action.yml").read_text())["inputs"]
    own = {name: about for name, about in described.items() if name not in OF_THE_JOB}
    assert set(own) - {"install"} == set(action) - {"token"}
    for name, about in own.items():
        if name != "install":
            assert about["description"] == action[name]["description"]


@every_template
def test_what_is_not_given_is_what_the_command_takes_it_for(verb: str) -> None:
    described, _ = load(FOLDER / f"{verb}.yml")
    for one in inputs(verb):
        about = described[one.name]
        if one.name in TEMPLATES[verb].defaults:
            assert len(DIFFERENT[one.name].split()) > 5
        else:
            assert about.get("default") == (None if one.is_required else one.default), one.name
        assert about.get("type", "string") == (
            "boolean" if isinstance(one.default, bool) else "string"
        )


@every_file
def test_every_input_is_described_and_typed_and_used(path: Path) -> None:
    described, _ = load(path)
    used = set(BLOCK.findall(path.read_text("utf-8").split("\n---\n", 1)[1]))
    assert used == set(described)
    for about in described.values():
        assert len(about["description"].split()) > 1
        assert about.get("type", "string") in TYPES
        assert isinstance(about.get("default", []), list) or about.get("type") != "array"


@every_file
@pytest.mark.threat(37)
def test_no_input_and_no_variable_of_it_is_a_part_of_a_script(path: Path) -> None:
    for name, job in jobs(path).items():
        if "trigger" in job:
            continue  # it has none, and test_the_wake_up_hands_nothing_over looks at it
        install, *lines = job["script"]
        assert install == INSTALL
        found = [re.fullmatch(r'"\$assent" ([a-z]+)', line) for line in lines]
        verbs = [verb[1] for verb in found if verb is not None]
        assert len(verbs) == len(lines)
        assert "before_script" not in job
        assert name
        if name.endswith(RETRAINED):
            assert verbs == ["train", "evaluate", "bundle"]
        elif path.stem == "pipeline":
            assert [name.removeprefix("$[[ inputs.job-prefix ]]-")] == verbs
        else:
            assert verbs == [path.stem]


@every_template
def test_inputs_become_the_variables_of_the_command(verb: str) -> None:
    given = one_job(verb)["variables"]
    expected = {one.variable: f"$[[ inputs.{one.name} ]]" for one in inputs(verb)}
    shared = {"GIT_DEPTH": "0", "ASSENT_INSTALL": "$[[ inputs.install ]]"}
    shared |= {} if verb in RUNS_WITH_A_CHANGE else {"GIT_STRATEGY": "clone"}
    assert given == expected | shared | {"ASSENT_REPORTS": templates.REPORTS}


@pytest.mark.parametrize("value", ['it\'s "so": a\\b # c', "{a: [b", "- &x *y", "!!python/x", "$X"])
def test_whatever_an_input_holds_on_one_line_stays_one_value(value: str) -> None:
    [job] = filled(FOLDER / "rollback.yml", reason=value, stage="production").values()
    assert job["variables"]["ASSENT_ROLLBACK_REASON"] == value
    assert set(job["variables"]) == set(one_job("rollback")["variables"])


@every_file
def test_every_variable_is_text(path: Path) -> None:
    """GitLab takes no true and no false there."""
    for job in filled(path).values():
        for name, value in job.get("variables", {}).items():
            assert isinstance(value, str), name


def test_the_whole_way_has_the_same_jobs() -> None:
    described, _ = load(FOLDER / "pipeline.yml")
    found = jobs(FOLDER / "pipeline.yml")
    assert "trigger" in found.pop(f"$[[ inputs.job-prefix ]]-{WAKE}")
    training = found.pop(f"$[[ inputs.job-prefix ]]-{RETRAINED}")
    verbs = [line.rpartition(" ")[2] for line in training["script"][1:]]
    assert verbs == ["train", "evaluate", "bundle"]
    assert list(found) == [f"$[[ inputs.job-prefix ]]-{name}" for name in templates.pipeline_jobs()]
    for name, job in found.items():
        verb = name.rpartition("-")[2]
        own = one_job(verb)
        assert job["script"] == own["script"]
        assert set(job["variables"]) <= set(own["variables"])
        same = {"timeout", "interruptible", "resource_group"}
        assert {key: job.get(key) for key in same} == {key: own.get(key) for key in same}
        rules = load(FOLDER / f"{verb}.yml")[0]["job-rules"]["default"]
        assert job["rules"] == rules
    assert described["stages"]["default"] == ["staging", "production"]


def test_stages_have_a_group_and_an_environment_of_their_own() -> None:
    made = filled(FOLDER / "pipeline.yml", model="churn", **{"environment-prefix": "churn/"})
    groups = set()
    for verb in ("promote", "rollback"):
        job = made[f"{PREFIX}-{verb}"]
        stage = f"ASSENT_{verb.upper()}_STAGE"
        assert job["parallel"]["matrix"] == [{stage: ["staging", "production"]}]
        assert job["environment"] == {"name": f"churn/${stage}"}
        assert job["variables"][f"ASSENT_{verb.upper()}_ENVIRONMENT"] == f"churn/${stage}"
        groups.add(job["resource_group"].replace(stage, "STAGE"))
        assert "on_stop" not in job["environment"]
        for rule in job["rules"]:
            assert (rule["when"], rule["allow_failure"]) == ("manual", True)
            assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"]
    assert groups == {"assent-churn-$STAGE"}  # a promotion waits for a rollback


@pytest.mark.threat(16)
def test_what_writes_to_the_ledger_runs_on_the_default_branch_alone() -> None:
    for name, job in jobs(FOLDER / "pipeline.yml").items():
        verb = name.rpartition("-")[2]
        for rule in job["rules"]:
            is_default = rule["if"].startswith("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH &&")
            is_change = rule["if"].startswith('$CI_PIPELINE_SOURCE == "merge_request_event"')
            assert is_default or is_change
            is_training = verb in ("train", "evaluate", "bundle", WAKE)
            assert is_change == (is_training and not name.endswith(RETRAINED)), name


@every_file
@pytest.mark.threat(47)
def test_who_may_write_runs_nothing_of_the_team_in_a_checkout_of_its_own(path: Path) -> None:
    for name, job in jobs(path).items():
        verbs = {line.rpartition(" ")[2] for line in job.get("script", [])[1:]}
        if not verbs or name.endswith(WAKE):
            continue
        trains = bool(verbs & {"train", "evaluate"})
        environment = job.get("environment")
        assert (job["variables"].get("GIT_STRATEGY") == "clone") is (
            verbs.isdisjoint(RUNS_WITH_A_CHANGE)
        )
        # The environment is who gets the tokens: no training is in one.
        assert (environment is not None) is verbs.isdisjoint(RUNS_WITH_A_CHANGE)
        if trains:
            assert verbs <= set(RUNS_WITH_A_CHANGE)
        for need in job.get("needs", []):
            if isinstance(need, dict) and environment is not None:
                assert need["artifacts"] is False


@pytest.mark.threat(17)
@pytest.mark.threat(20)
def test_the_wake_up_hands_nothing_over() -> None:
    """A fork's pipeline would wake the fork. And whoever may give variables to a pipeline of the
    protected branch can have it run anything.
    """
    job = jobs(FOLDER / "pipeline.yml")[f"$[[ inputs.job-prefix ]]-{WAKE}"]
    assert [rule["if"] for rule in job["rules"]] == [
        '$CI_PIPELINE_SOURCE == "merge_request_event" '
        "&& $CI_PROJECT_PATH == $CI_MERGE_REQUEST_PROJECT_PATH"
    ]
    assert job["trigger"] == {
        "project": "$CI_PROJECT_PATH",
        "branch": "$CI_DEFAULT_BRANCH",
        "forward": {"pipeline_variables": False, "yaml_variables": False},
    }
    assert job["allow_failure"] is True
    assert "variables" not in job
    assert "script" not in job


def test_a_review_looks_for_the_job_that_bundles() -> None:
    made = filled(FOLDER / "pipeline.yml", **{"job-prefix": "mine"})
    assert made["mine-review"]["variables"]["ASSENT_REVIEW_WAITING"] in made
    own = load(FOLDER / "review.yml")[0]["waiting"]["default"]
    assert own == load(FOLDER / "bundle.yml")[0]["job-name"]["default"]


@every_file
def test_no_template_names_a_token(path: Path) -> None:
    """GitLab gives them to the jobs; a variable of the same name here would be weaker."""
    for job in jobs(path).values():
        assert not [name for name in job.get("variables", {}) if "TOKEN" in name]


def test_the_reports_are_the_files_that_are_written() -> None:
    assert {
        "annotations": f"{templates.REPORTS}/{reports.LINKS}",
        "dotenv": f"{templates.REPORTS}/{reports.VARIABLES}",
        "junit": f"{templates.REPORTS}/{published.JUNIT}".replace(".xml", "*.xml"),
        "metrics": f"{templates.REPORTS}/{reports.METRICS}",
    } == templates.REPORT_FILES
    for verb, about in WRAPPERS.items():
        if verb in TEMPLATES:
            shown = one_job(verb)["artifacts"].get("reports", {})
            assert ("dotenv" in shown) is bool(about.outputs)
    assert {templates.name_of(one) for one in OUTPUTS} == {reports.variable(one) for one in OUTPUTS}
    shown = {
        name for verb in ("bundle", "review") for name in one_job(verb)["artifacts"]["reports"]
    }
    assert shown == set(templates.REPORT_FILES)


def test_a_bundle_is_left_where_the_review_looks() -> None:
    bundle = jobs(FOLDER / "pipeline.yml")["$[[ inputs.job-prefix ]]-bundle"]
    assert bundle["variables"]["ASSENT_BUNDLE_OUTPUT"] == HANDOVER == INSIDE
    assert f"{HANDOVER}/" in bundle["artifacts"]["paths"]


# Lint


@every_file
def test_what_gitlab_makes_of_it_fits_gitlabs_schema(path: Path, tmp_path: Path) -> None:
    made = tmp_path / ".gitlab-ci.yml"
    made.write_text(yaml.safe_dump(filled(path)))
    assert schema(made) == ""


def test_the_schema_finds_something(tmp_path: Path) -> None:
    bad = tmp_path / ".gitlab-ci.yml"
    bad.write_text("job: {script: [a], surprise: 1, variables: {A: true}}\n")
    assert "surprise" in schema(bad)


def schema(path: Path) -> str:
    program = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run(
        [program, "--builtin-schema=vendor.gitlab-ci", path],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_the_script_passes_shellcheck(tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    verb = next(iter(TEMPLATES))
    script.write_text(
        f'#!/bin/sh\nset -eu\nASSENT_INSTALL=${{ASSENT_INSTALL:-}}\n{INSTALL}"$assent" {verb}\n'
    )
    program = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([program, "--norc", script], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@every_file
def test_lines_and_ends_are_tidy(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\t" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert MADE in text


# The catalog


def test_the_components_are_the_templates(tmp_path: Path) -> None:
    program = ROOT / "script/export-components"
    subprocess.run([program, tmp_path / "catalog"], check=True, capture_output=True)
    made = {path.name: path.read_bytes() for path in (tmp_path / "catalog/templates").iterdir()}
    assert made == {path.name: path.read_bytes() for path in FOLDER.glob("*.yml")}
    readme = (tmp_path / "catalog/README.md").read_text()
    assert "# Templates for GitLab" in readme
    assert re.findall(r"\]\([^#)][^)]*\)", readme) == []
    assert (tmp_path / "catalog/LICENSE").is_file()


# The documents


def documented() -> list[tuple[str, str, dict[str, Any]]]:
    """Every include of a template in the documents: page, template, inputs."""
    found = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        for match in re.finditer(r"^```yml\n(.*?)^```", page.read_text(), re.S | re.M):
            for one in (yaml.safe_load(match[1]) or {}).get("include", []):
                place = one.get("file") or one.get("local") or one.get("remote") or one["component"]
                name = re.search(r"(?:gitlab-templates/|/)([a-z]+)(?:\.yml|@)", place)
                assert name is not None, place
                stem = "pipeline" if name[1] == "assent" else name[1]
                found.append((page.name, stem, one.get("inputs", {})))
    return found


def test_the_limits_of_a_review_are_those_that_are_documented() -> None:
    text = " ".join((ROOT / "docs/gitlab.md").read_text().split())
    assert f"One run looks at the {waiting.MOST} open merge requests" in text
    assert f"and reviews {reviewing.MOST} of them" in text
    key = "[`max_bundle_size`](configuration.md#the-size-of-a-bundle)"
    size = f"{key} ({HANDED_OVER_BYTES // 2**30} GiB)"
    assert f"No more than {size} of it is read" in text
    other = " ".join((ROOT / "docs/github.md").read_text().split())
    assert f"no more of it than {size}" in other
    for document in (text, other):
        assert f"{LIMITS.files:,}" in document
        assert f"more than {LIMITS.ratio} times what was fetched" in document


def test_every_template_has_an_example() -> None:
    assert {stem for page, stem, _ in documented() if page == "templates.md"} == {
        *TEMPLATES,
        "pipeline",
    }


@pytest.mark.parametrize(("page", "stem", "given"), documented())
def test_every_example_gives_what_the_template_takes(
    page: str, stem: str, given: dict[str, Any]
) -> None:
    described, _ = load(FOLDER / f"{stem}.yml")
    assert set(given) <= set(described)
    assert {name for name, about in described.items() if "default" not in about} <= set(given)
