"""Every template, as a job that runs: what its inputs become, and what its command leaves."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs.templates import RUNS_WITH_A_CHANGE, TEMPLATES
from docs.wrappers import inputs

from tests.templates.harness import Ended, HarnessError, Pipeline, checkout

ROOT = Path(__file__).parents[2]
ARTIFACTS = {"job-artifacts": ["made/"]}
PROGRAM = """\
#!/usr/bin/env python3
import json, os, pathlib, sys
found = {name: value for name, value in os.environ.items() if name.startswith("ASSENT_")}
print(json.dumps({"arguments": sys.argv[1:], "variables": found}))
folder = pathlib.Path(os.environ["ASSENT_REPORTS"])
assert not folder.exists(), "what an earlier job left is still there"
folder.mkdir(parents=True)
(folder / "assent.env").write_text(f"ASSENT_BUNDLE=sha256:of-{sys.argv[1]}\\n")
pathlib.Path("made").mkdir(exist_ok=True)
pathlib.Path("made", sys.argv[1]).touch()
sys.exit(int(os.environ.get("EXIT_CODE", "0")))
"""
MERGE_REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_PROJECT_PATH": "acme/churn",
    "CI_MERGE_REQUEST_PROJECT_PATH": "acme/churn",
}
PUSH = {
    "CI_PIPELINE_SOURCE": "push",
    "CI_COMMIT_BRANCH": "main",
    "CI_DEFAULT_BRANCH": "main",
}
ALWAYS = [{"when": "on_success"}]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with a program `assent` that says how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "assent").write_text(PROGRAM)
    (folder / "assent").chmod(0o755)
    return folder


def place(tmp_path: Path, configuration: dict[str, Any], *path: Path, **variables: str) -> Pipeline:
    """A checkout with a copy of all templates, and this `.gitlab-ci.yml`."""
    origin = tmp_path / "origin"
    origin.mkdir()
    for source in (ROOT / "gitlab-templates").glob("*.yml"):
        (origin / source.name).write_bytes(source.read_bytes())
    (origin / ".gitlab-ci.yml").write_text(yaml.safe_dump(configuration))
    run = ("git", "-C", str(origin), "-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run([*run, "init", "--quiet", "--initial-branch=main"], check=True)
    subprocess.run([*run, "add", "--all"], check=True)
    subprocess.run([*run, "commit", "--quiet", "--message=x"], check=True)
    sha = subprocess.run([*run, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    folder = checkout(tmp_path / "checkout", origin, sha.stdout.strip())
    return Pipeline(folder, variables, path=path)


def including(verb: str, **given: Any) -> dict[str, Any]:
    """A configuration that includes one template."""
    needed: dict[str, Any] = {"install": "", "job-rules": ALWAYS, "job-needs": []}
    if TEMPLATES[verb].artifacts == ():
        needed |= ARTIFACTS
    return {"include": [{"local": f"{verb}.yml", "inputs": {**needed, **given}}]}


def said(ended: Ended) -> dict[str, Any]:
    """How the program was called."""
    [line] = [line for line in ended.lines if line.startswith("{")]
    found: dict[str, Any] = json.loads(line)
    return found


def test_each_template_runs_its_verb_with_its_inputs(tmp_path: Path, program: Path) -> None:
    """All of them in one pipeline: starting the tool takes longer than a job."""
    given = {verb: whatever(verb) for verb in TEMPLATES}
    entries = [one for verb in TEMPLATES for one in including(verb, **given[verb])["include"]]
    pipeline = place(tmp_path, {"include": entries}, program)
    listed = pipeline.jobs()
    assert set(listed) == {f"assent-{verb}" for verb in TEMPLATES}
    ended = pipeline.run_all(list(listed))
    for verb in TEMPLATES:
        job = f"assent-{verb}"
        judges = None if verb in RUNS_WITH_A_CHANGE else "assent"
        assert listed[job].environment == given[verb].get("environment", judges)
        assert ended[job].code == 0, ended[job].log
        expected = {
            one.variable: "true" if given[verb][one.name] is True else given[verb][one.name]
            for one in inputs(verb)
        }
        assert said(ended[job]) == {
            "arguments": [verb],
            "variables": expected | {"ASSENT_INSTALL": "", "ASSENT_REPORTS": ".assent/ci"},
        }
        left = {path.name for path in ended[job].artifacts.rglob("*") if path.is_file()}
        assert left == ({verb} if TEMPLATES[verb].artifacts == () else {"assent.env"})


def whatever(verb: str) -> dict[str, Any]:
    """A value for each input of a template, most of them with what shells and YAML trip over."""
    given = {
        one.name: True if isinstance(one.default, bool) else f'{one.name} it\'s "so": [y #'
        for one in inputs(verb)
    }
    return given | {name: "production" for name in ("stage", "environment") if name in given}


def test_what_is_not_given_is_empty_and_a_flag_is_false(tmp_path: Path, program: Path) -> None:
    pipeline = place(tmp_path, including("promote", stage="staging"), program)
    found = said(pipeline.run("assent-promote"))["variables"]
    assert found["ASSENT_PROMOTE_OVERRIDE"] == "false"
    assert found["ASSENT_PROMOTE_ENVIRONMENT"] == "staging"
    given = {"ASSENT_PROMOTE_STAGE", "ASSENT_PROMOTE_ENVIRONMENT", "ASSENT_PROMOTE_OVERRIDE"}
    rest = {name for name in found if name.startswith("ASSENT_PROMOTE_")} - given
    assert rest
    assert {found[name] for name in rest} == {""}


@pytest.mark.threat(37)
def test_an_input_is_never_a_command(tmp_path: Path, program: Path) -> None:
    value = '"; touch hacked; echo "$(touch hacked)`touch hacked`'
    pipeline = place(tmp_path, including("train", model=value), program)
    assert said(pipeline.run("assent-train"))["variables"]["ASSENT_TRAIN_MODEL"] == value
    assert not list(tmp_path.rglob("hacked"))


def test_the_exit_code_is_that_of_the_verb_and_reports_are_kept(
    tmp_path: Path, program: Path
) -> None:
    pipeline = place(tmp_path, including("review"), program, EXIT_CODE="11")
    ended = pipeline.run("assent-review")
    assert ended.code == 11
    assert (ended.artifacts / ".assent/ci/assent.env").is_file()


def test_an_input_that_is_needed_is_asked_for(tmp_path: Path) -> None:
    pipeline = place(tmp_path, {"include": [{"local": "verify.yml"}]})
    with pytest.raises(HarnessError, match="install"):
        pipeline.jobs()


def test_outputs_and_files_go_to_the_jobs_that_need_them(tmp_path: Path, program: Path) -> None:
    first = including("train")["include"]
    review = including(
        "review", bundle="$ASSENT_BUNDLE", **{"job-needs": [{"job": "assent-bundle"}]}
    )
    bundle = including("bundle", **{"job-needs": [{"job": "assent-train"}]})
    configuration = {"include": [*first, *bundle["include"], *review["include"]]}
    pipeline = place(tmp_path, configuration, program)
    assert pipeline.run("assent-train").code == 0
    ended = pipeline.run("assent-bundle")
    assert "ASSENT_BUNDLE" not in said(ended)["variables"]  # training has no outputs
    assert said(pipeline.run("assent-review"))["variables"]["ASSENT_REVIEW_BUNDLE"] == (
        "sha256:of-bundle"
    )


def test_a_job_of_the_same_name_is_merged(tmp_path: Path, program: Path) -> None:
    """What docs/gitlab.md says about tags and `before_script`."""
    own = {"assent-train": {"before_script": ["echo prepared"], "variables": {"OWN": "1"}}}
    pipeline = place(tmp_path, including("train") | own, program)
    ended = pipeline.run("assent-train")
    assert "prepared" in ended.lines
    assert said(ended)["arguments"] == ["train"]


# Installing


def wheel(folder: Path) -> Path:
    """A package whose program says what pip and it were told."""
    path = folder / "assent_ml-0.0.0-py3-none-any.whl"
    about = "assent_ml-0.0.0.dist-info"
    files = {
        "stood_in.py": "import shutil, sys\ndef main():\n"
        "    print('installed', sys.argv[1:], shutil.which('python3'))\n",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: assent-ml\nVersion: 0.0.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{about}/entry_points.txt": "[console_scripts]\nassent = stood_in:main\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_requirement_is_installed_apart_from_the_teams_own_python(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    own = {"assent-verify": {"before_script": ["echo own $(command -v python3)"]}}
    given = including("verify", install=str(path)) | own
    pipeline = place(tmp_path, given, TMPDIR=str(scratch))
    ended = pipeline.run("assent-verify")
    assert ended.code == 0, ended.log
    [before] = [line.split()[1] for line in ended.lines if line.startswith("own ")]
    assert f"installed ['verify'] {before}" in ended.lines
    assert list(scratch.iterdir()) == []


def needed(folder: Path, version: str) -> str:
    """A package that the other one needs; returns its digest."""
    path = folder / f"needed-{version}-py3-none-any.whl"
    about = f"needed-{version}.dist-info"
    files = {
        "needed.py": f"version = {version!r}\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: needed\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.threat(47)
@pytest.mark.parametrize("is_right", [True, False])
def test_what_a_package_needs_is_what_its_own_lock_says(tmp_path: Path, is_right: bool) -> None:
    """The index has a newer one by now, and somebody may have put another file there."""
    index = tmp_path / "index"
    index.mkdir()
    digest, _ = needed(index, "1.0"), needed(index, "2.0")
    digest = digest if is_right else "0" * 64
    path = wheel(tmp_path)
    lock = f"needed==1.0 --hash=sha256:{digest}\n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("assent/__init__.py", "")
        archive.writestr("assent/requirements/base.txt", lock)
        archive.writestr("assent/requirements/data.txt", lock)
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    pipeline = place(tmp_path, including("verify", install=f"{path}[data]"), **pip)
    ended = pipeline.run("assent-verify")
    assert (ended.code == 0) is is_right, ended.log
    assert ("DO NOT MATCH THE HASHES" in ended.log) is not is_right


@pytest.mark.threat(38)
def test_what_is_installed_gets_no_token(tmp_path: Path) -> None:
    """A source distribution runs code of its own while it is installed."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "assent-ml"\nversion = "0.0.0"\n'
    )
    (source / "backend.py").write_text(
        "import os, pathlib\n"
        f"pathlib.Path({str(tmp_path / 'seen')!r}).write_text(' '.join(sorted(os.environ)))\n"
        "def build_wheel(*arguments):\n    raise SystemExit(1)\n"
    )
    tokens = {"ASSENT_GITLAB_TOKEN": "glpat-1", "ASSENT_LEDGER_TOKEN": "glpat-2"}
    pipeline = place(tmp_path, including("verify", install=str(source)), **tokens)
    assert pipeline.run("assent-verify").code == 1
    seen = (tmp_path / "seen").read_text().split()
    assert "ASSENT_INSTALL" in seen
    assert not set(tokens) & set(seen)


SETUP = """\
#!/bin/sh
printf '#!/bin/sh\\necho "%s, extras <%s>, $*"\\n' REVISION "$ASSENT_EXTRAS" >"$RUNNER_TEMP/assent"
chmod +x "$RUNNER_TEMP/assent"
echo "$RUNNER_TEMP/assent"
"""


@pytest.mark.parametrize(
    ("before", "after", "extras"),
    [
        ("", "", ""),
        ("assent-ml @ ", "", ""),
        ("assent-ml[data,models] @ ", "", "data,models"),
        ("assent-ml[data] @ ", "#egg=assent-ml", "data"),
    ],
)
def test_a_commit_is_installed_by_its_own_script_from_its_own_lock(
    tmp_path: Path, before: str, after: str, extras: str
) -> None:
    source = tmp_path / "a source"
    run = ("git", "-C", str(source), "-c", "user.name=a", "-c", "user.email=a@example.com")
    script = source / "actions/setup/install.sh"
    script.parent.mkdir(parents=True)
    subprocess.run([*run, "init", "--quiet"], check=True)
    shas = []
    for revision in ("first", "second"):
        script.write_text(SETUP.replace("REVISION", revision))
        script.chmod(0o755)
        subprocess.run([*run, "add", "--all"], check=True)
        subprocess.run([*run, "commit", "--quiet", "--message=x"], check=True)
        sha = subprocess.run([*run, "rev-parse", "HEAD"], capture_output=True, check=True)
        shas.append(sha.stdout.decode().strip())
    given = f"{before}git+file://{source}@{shas[0]}{after}"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    pipeline = place(tmp_path, including("verify", install=given), TMPDIR=str(scratch))
    ended = pipeline.run("assent-verify")
    assert ended.code == 0, ended.log
    assert f"first, extras <{extras}>, verify" in ended.lines
    assert list(scratch.iterdir()) == []


def test_an_image_without_assent_is_told_apart(tmp_path: Path) -> None:
    pipeline = place(tmp_path, including("verify"))
    ended = pipeline.run("assent-verify")
    assert ended.code == 2
    assert "give the input install" in ended.log


# The whole way


WAY = {
    "include": [
        {
            "local": "pipeline.yml",
            "inputs": {"install": "", "stages": ["shadow", "live"], "artifacts": ["made/"]},
        }
    ]
}


def test_a_merge_request_has_its_jobs_in_their_order(tmp_path: Path) -> None:
    jobs = place(tmp_path, WAY, **MERGE_REQUEST).jobs()
    assert {name: one.needs for name, one in jobs.items()} == {
        "assent-train": (),
        "assent-evaluate": ("assent-train",),
        "assent-bundle": ("assent-train", "assent-evaluate"),
        "assent-wake": ("assent-bundle",),
    }


def test_the_default_branch_has_a_button_for_each_stage(tmp_path: Path) -> None:
    jobs = place(tmp_path, WAY, **PUSH).jobs()
    buttons = {name: one for name, one in jobs.items() if one.when == "manual"}
    assert {name: (one.environment, one.allow_failure) for name, one in buttons.items()} == {
        "assent-promote: [shadow]": ("shadow", True),
        "assent-promote: [live]": ("live", True),
        "assent-rollback: [shadow]": ("shadow", True),
        "assent-rollback: [live]": ("live", True),
    }
    assert set(jobs) - set(buttons) == {"assent-approve", "assent-register"}


@pytest.mark.parametrize("source", ["push", "web", "schedule", "trigger", "api", "parent_pipeline"])
@pytest.mark.threat(19)
def test_another_branch_has_no_job_at_all(tmp_path: Path, source: str) -> None:
    there = {**PUSH, "CI_COMMIT_BRANCH": "hostile", "CI_PIPELINE_SOURCE": source}
    assert place(tmp_path, WAY, **there).jobs() == {}


def test_two_models_go_their_own_ways(tmp_path: Path, program: Path) -> None:
    [one] = WAY["include"]
    both = [
        {
            **one,
            "inputs": {
                **one["inputs"],  # type: ignore[dict-item]  # a mapping, as written above
                "model": model,
                "job-prefix": f"assent-{model}",
                "environment-prefix": f"{model}/",
            },
        }
        for model in ("churn", "price")
    ]
    pipeline = place(tmp_path, {"include": both}, program, **PUSH)
    jobs = pipeline.jobs()
    assert {one.environment for one in jobs.values() if one.environment} == {
        *("churn/shadow", "churn/live", "price/shadow", "price/live", "assent"),
    }
    found = said(pipeline.run("assent-price-promote: [live]"))["variables"]
    assert found["ASSENT_PROMOTE_MODEL"] == "price"
    assert found["ASSENT_PROMOTE_STAGE"] == "live"
    assert found["ASSENT_PROMOTE_ENVIRONMENT"] == "price/live"
