"""The actions and workflows that we publish are clean for every linter, at its strictest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.workflows.harness import parse

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
ACTION_FOLDERS = ["actions"]
WORKFLOW_FOLDERS = [".github/workflows", "examples/github"]
CHECKS = ",".join(
    [
        *("add-default-case", "avoid-negated-conditions", "avoid-nullary-conditions"),
        *("check-set-e-suppressed", "deprecate-which", "quote-safe-variables"),
        "useless-use-of-cat",
    ]
)
"""All that shellcheck can do more, but braces everywhere, `[[`, and variables from outside."""
IGNORED = re.compile(r"(?:zizmor: ignore\[[^]]*\]|shellcheck disable=\S+)(?P<reason>.*)")


def yaml_files(folder: str) -> list[Path]:
    return sorted(path for end in ("yml", "yaml") for path in (ROOT / folder).rglob(f"*.{end}"))


def actions() -> list[Path]:
    files = [path for folder in ACTION_FOLDERS for path in yaml_files(folder)]
    return [path for path in files if path.stem == "action"]


def workflows() -> list[Path]:
    """Every file with jobs, wherever it lies: examples keep other YAML beside them."""
    files = [path for folder in WORKFLOW_FOLDERS for path in yaml_files(folder)]
    return [path for path in files if "jobs" in (yaml.safe_load(path.read_text()) or {})]


def run(program: str, *arguments: str | Path) -> str:
    """What a linter has to say; "" where it has no complaint."""
    command = [PROGRAMS / program, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def actionlint(*files: Path) -> str:
    strict = f"{PROGRAMS / 'shellcheck'} --enable={CHECKS}"
    return run("actionlint", "-no-color", "-pyflakes=", f"-shellcheck={strict}", *files)


def zizmor(*files: Path) -> str:
    strict = ["--offline", "--persona=auditor", "--strict-collection", "--no-config"]
    return run("zizmor", "--quiet", "--no-progress", "--color=never", *strict, *files)


def schema(name: str, *files: Path) -> str:
    return run("check-jsonschema", f"--builtin-schema={name}", *files)


def scripts(path: Path) -> list[tuple[str, str]]:
    """The shell and the text of each `run` of a composite action."""
    steps = yaml.safe_load(path.read_text())["runs"].get("steps", [])
    return [(step["shell"], step["run"]) for step in steps if "run" in step]


def shellcheck(script: Path, *more: str) -> str:
    strict = [f"--enable={CHECKS}", "--norc", "--external-sources", "--source-path=SCRIPTDIR"]
    return run("shellcheck", "--color=never", *strict, *more, script)


def some(files: list[Path]) -> list[Path]:
    return files or pytest.skip("there are none yet")


@pytest.mark.parametrize("folder", [*ACTION_FOLDERS, *WORKFLOW_FOLDERS])
def test_a_folder_that_exists_has_something_to_lint(folder: str) -> None:
    if not (ROOT / folder).exists():
        pytest.skip("it does not exist yet")
    assert [path for path in [*actions(), *workflows()] if path.is_relative_to(ROOT / folder)]


def test_workflows_pass_actionlint() -> None:
    assert actionlint(*some(workflows())) == ""


def test_workflows_and_actions_pass_zizmor() -> None:
    assert zizmor(*some([*actions(), *workflows()])) == ""


def test_githubs_own_parser_has_no_complaint() -> None:
    files = some([*actions(), *workflows()])
    assert parse(*files) == {str(path): [] for path in files}


def test_workflows_fit_the_schema() -> None:
    assert schema("vendor.github-workflows", *some(workflows())) == ""


def test_every_job_has_a_time_limit() -> None:
    assert schema("custom.github-workflows-require-timeout", *some(workflows())) == ""


def test_the_projects_own_files_fit_their_schemas() -> None:
    forms = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
    config = ROOT / ".github/ISSUE_TEMPLATE/config.yml"
    assert config in forms
    forms.remove(config)
    assert schema("vendor.github-issue-forms", *forms) == ""
    assert schema("vendor.github-issue-config", config) == ""
    assert schema("vendor.gitlab-ci", ROOT / ".gitlab-ci.yml") == ""


def test_actions_fit_the_schema() -> None:
    assert schema("vendor.github-actions", *some(actions())) == ""


def test_scripts_of_actions_pass_shellcheck(tmp_path: Path) -> None:
    found = {}
    for path in some(actions()):
        for number, (shell, script) in enumerate(scripts(path), 1):
            written = tmp_path / "script"
            written.write_text(script)
            place = f"{path.relative_to(ROOT)}, script {number}"
            found[place] = shellcheck(written, f"--shell={shell}")
    for path in (ROOT / "actions").rglob("*.sh"):
        found[str(path.relative_to(ROOT))] = shellcheck(path)
    assert {place: said for place, said in found.items() if said} == {}


def test_no_expression_is_written_into_a_script() -> None:
    """What an expression brings would be code. Values reach scripts as environment variables."""
    files = some([*actions(), *workflows()])
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in files
        for script in _runs(yaml.safe_load(path.read_text()))
        for line in script.splitlines()
        if "${{" in line
    ]
    assert found == []


def test_whoever_silences_a_linter_says_why() -> None:
    files = some([*actions(), *workflows(), *(ROOT / "actions").rglob("*.sh")])
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        for line in path.read_text().splitlines()
        if (ignored := IGNORED.search(line)) and len(ignored["reason"].split()) < 3
    ]
    assert found == []


def _runs(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["run"]] if isinstance(value.get("run"), str) else []
        return own + [run for one in value.values() for run in _runs(one)]
    return [run for one in value for run in _runs(one)] if isinstance(value, list) else []


BAD_WORKFLOW = """\
on: pull_request_target
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          for f in $(ls *.py); do echo $f; done
          echo "${{ github.event.pull_request.title }} ${{ steps.nothing.outputs.x }}"
"""
BAD_ACTION = """\
name: Bad
runs:
  using: composite
  steps:
    - run: echo $x
      shell: bash
      surprise: yes
"""


def test_the_linters_are_there_and_find_something(tmp_path: Path) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    workflow = tmp_path / ".github/workflows/bad.yml"
    workflow.write_text(BAD_WORKFLOW)
    action = tmp_path / "action.yml"
    action.write_text(BAD_ACTION)
    said = actionlint(workflow)
    assert '"github.event.pull_request.title" is potentially untrusted' in said
    assert "SC2086" in said
    [complaints] = parse(action).values()
    assert [one for one in complaints if "surprise" in one]
    assert "dangerous-triggers" in zizmor(workflow)
    assert "template-injection" in zizmor(workflow)
    assert "timeout-minutes" in schema("custom.github-workflows-require-timeout", workflow)
    assert "surprise" in schema("vendor.github-actions", action)
    [(shell, script)] = scripts(action)
    (tmp_path / "script").write_text(script)
    assert "SC2154" in shellcheck(tmp_path / "script", f"--shell={shell}")
    assert [one for one in _runs(yaml.safe_load(BAD_WORKFLOW)) if "${{" in one]
