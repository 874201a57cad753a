"""What a training needs installed: taken over from the team's own jobs, else from its files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from assent.forges.github.workflows import GitHubWorkflows
from assent.forges.gitlab.pipelines import GitLabPipelines
from assent.setup.installs import Install, install_for
from assent.setup.tree import Tree
from assent.verbs.init import init
from tests.setup.looked import only_model, written
from tests.workflows.test_lint import actionlint, zizmor

WORKFLOW = ".github/workflows/ci.yml"
TRAIN = "python src/train.py"


def found(
    folder: Path, files: dict[str, str], train: str = TRAIN, *, at: str = "", forge: str = "github"
) -> Install | None:
    tree = Tree(written(folder, {"src/train.py": "x = 1\n", **files}))
    return install_for(tree, at, [train], forge)


def job(*steps: str, name: str = "build", more: str = "") -> str:
    """A workflow with one job."""
    indented = "".join(f"      {line}\n" for step in steps for line in step.splitlines())
    return f"on: push\njobs:\n  {name}:\n    runs-on: ubuntu-latest\n{more}    steps:\n{indented}"


def ran(script: str) -> str:
    return "- run: |\n" + "".join(f"    {line}\n" for line in script.splitlines())


def test_what_the_job_installs_before_it_trains_is_taken_over(tmp_path: Path) -> None:
    text = job(
        "- uses: actions/setup-python@v5\n  with: {python-version: '3.11'}",
        ran("python -m pip install --upgrade pip\npip install -r requirements.txt 'dvc[s3]'"),
        ran("python -m src.train\npip install cml"),
    )
    its = found(tmp_path, {WORKFLOW: text, "requirements.txt": "numpy\n"})
    assert its is not None
    assert its.lines == (
        "python -m pip install --upgrade pip",
        "pip install -r requirements.txt 'dvc[s3]'",
    )
    assert (its.why, its.python) == ("ci.yml, job build", "3.11")


def test_what_only_that_job_knows_is_left_out_and_said(tmp_path: Path) -> None:
    text = job(
        ran(
            "pip install --index-url ${{ secrets.INDEX }} ours\n"
            "pip install $EXTRA\n"
            "pip install -r gone.txt\n"
            "pip install -r ../outside.txt\n"
            'if [ "$A" = b ]; then pip install one; fi'
        ),
        ran("if [ -f requirements.txt ]; then pip install -r requirements.txt; fi"),
        ran(TRAIN),
    )
    its = found(tmp_path, {WORKFLOW: text, "requirements.txt": "numpy\n"})
    assert its is not None
    assert its.lines == ("pip install -r requirements.txt",)
    said = "\n".join(its.left_out)
    assert said.count("only that job knows") == 2
    assert "gone.txt is not here" in said
    assert "outside.txt is not here" in said
    assert "`pip install one`: it stands under a condition" in said


def test_constants_of_a_job_are_put_in(tmp_path: Path) -> None:
    text = job(
        ran("pip install numpy==$NUMPY"),
        ran(TRAIN),
        more="    env: {NUMPY: 2.1.0, SECRET: '${{ secrets.X }}'}\n",
    )
    its = found(tmp_path, {WORKFLOW: text})
    assert its is not None
    assert its.lines == ("pip install numpy==2.1.0",)


def test_an_environment_of_its_own_is_not_made_again(tmp_path: Path) -> None:
    text = job(
        ran("python -m venv .venv\n. .venv/bin/activate\npip install -r requirements.txt"),
        ran(TRAIN),
    )
    its = found(tmp_path, {WORKFLOW: text, "requirements.txt": "numpy\n"})
    assert its is not None
    assert (its.lines, its.folders) == (("pip install -r requirements.txt",), ())


@pytest.mark.parametrize(
    ("setup", "lines", "folder"),
    [
        ("uv sync --extra cpu", ("uv sync --extra cpu",), "$PWD/.venv/bin"),
        ("uv pip install -r requirements.txt", ("uv venv",), "$PWD/.venv/bin"),
        ("poetry install --with train", (), "$(poetry env info --path)/bin"),
        ("pipenv sync", (), "$(pipenv --venv)/bin"),
    ],
)
def test_a_tool_is_brought_and_its_programs_are_found(
    tmp_path: Path, setup: str, lines: tuple[str, ...], folder: str
) -> None:
    text = job("- uses: astral-sh/setup-uv@v5", ran(setup), ran(TRAIN))
    its = found(tmp_path, {WORKFLOW: text, "requirements.txt": "numpy\n"})
    assert its is not None
    tool = setup.split()[0]
    assert its.lines == tuple(dict.fromkeys([f"python -m pip install {tool}", *lines, setup]))
    assert its.folders == (folder,)


def test_a_command_that_goes_through_the_tool_finds_its_packages_itself(tmp_path: Path) -> None:
    text = job(ran("pip install poetry\npoetry install"), ran("poetry run python src/train.py"))
    its = found(tmp_path, {WORKFLOW: text}, "poetry run python src/train.py")
    assert its is not None
    assert (its.lines, its.folders) == (("pip install poetry", "poetry install"), ())


def test_uv_that_installs_for_the_system_needs_no_folder(tmp_path: Path) -> None:
    text = job(ran("uv pip install --system numpy"), ran(TRAIN))
    its = found(tmp_path, {WORKFLOW: text})
    assert its is not None
    assert its.folders == ()


def test_of_a_job_of_tests_only_what_the_repository_names_is_taken(tmp_path: Path) -> None:
    text = job(ran("pip install flake8 pytest\npip install -e .[train]\npytest"))
    its = found(tmp_path, {WORKFLOW: text, "setup.py": "x\n"})
    assert its is not None
    assert its.lines == ("pip install -e '.[train]'",)


def test_the_job_that_trains_wins_over_tests_and_other_trainings(tmp_path: Path) -> None:
    files = {
        ".github/workflows/a.yml": job(ran("pip install -r a.txt"), ran("pytest")),
        ".github/workflows/b.yml": job(ran("pip install -r b.txt"), ran("python other/train.py")),
        ".github/workflows/c.yml": job(ran("pip install -r c.txt"), ran(TRAIN)),
        **{f"{name}.txt": "x\n" for name in "abc"},
    }
    its = found(tmp_path, files)
    assert its is not None
    assert its.lines == ("pip install -r c.txt",)


def test_a_folder_of_a_step_and_an_action_of_the_repository_are_followed(tmp_path: Path) -> None:
    text = job(
        "- uses: ./.github/actions/prepare",
        "- run: pip install -r requirements.txt\n  working-directory: jobs",
        ran(TRAIN),
    )
    action = "runs:\n  using: composite\n  steps:\n    - run: pip install wheel\n      shell: sh\n"
    its = found(
        tmp_path,
        {
            WORKFLOW: text,
            ".github/actions/prepare/action.yml": action,
            "jobs/requirements.txt": "x\n",
        },
    )
    assert its is not None
    assert its.lines == ("pip install wheel", "(cd jobs && pip install -r requirements.txt)")


def test_data_images_and_old_versions_are_said_and_not_taken(tmp_path: Path) -> None:
    text = job(
        "- uses: actions/setup-python@v5\n  with: {python-version: '3.8'}",
        ran("pip install numpy\ndvc pull"),
        ran(TRAIN),
        more="    container: ghcr.io/acme/train:1\n",
    )
    its = found(tmp_path, {WORKFLOW: text})
    assert its is not None
    assert (its.lines, its.python) == (("pip install numpy",), None)
    said = "\n".join(its.to_check)
    assert "runs `dvc pull` before it trains" in said
    assert "runs in the image ghcr.io/acme/train:1" in said
    assert "has Python 3.8" in said


def test_what_gitlab_says_for_all_jobs_and_what_a_job_extends_is_taken(tmp_path: Path) -> None:
    text = """\
default:
  before_script: [apt-get update, apt-get install -y libgomp1]
.python:
  before_script: [!reference [.packages, script], pip install wheel]
.packages:
  script: [pip install -r requirements.txt]
train:
  extends: .python
  script: [python src/train.py]
test:
  script: [pytest]
"""
    files = {".gitlab-ci.yml": text, "requirements.txt": "x\n"}
    its = found(tmp_path, files, forge="gitlab")
    assert its is not None
    assert its.lines == ("pip install -r requirements.txt", "pip install wheel")


def test_a_line_of_the_other_forge_fits_the_machine(tmp_path: Path) -> None:
    text = job(ran("sudo apt-get install -y libgomp1"), ran(TRAIN))
    its = found(tmp_path, {WORKFLOW: text}, forge="gitlab")
    assert its is not None
    assert its.lines == ("apt-get install -y libgomp1",)


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"uv.lock": "", "pyproject.toml": ""}, ("python -m pip install uv", "uv sync --frozen")),
        (
            {"poetry.lock": ""},
            ("python -m pip install poetry", "poetry install --no-root"),
        ),
        ({"Pipfile.lock": "{}"}, ("python -m pip install pipenv", "pipenv sync")),
        ({"requirements.txt": "x\n"}, ("python -m pip install -r requirements.txt",)),
        ({"setup.py": "x\n"}, ("python -m pip install -e .",)),
        ({"pyproject.toml": "[project]\nname = 'a'\n"}, ("python -m pip install -e .",)),
    ],
)
def test_without_a_job_the_files_say_it(
    tmp_path: Path, files: dict[str, str], lines: tuple[str, ...]
) -> None:
    its = found(tmp_path, files)
    assert its is not None
    assert its.lines == lines


def test_nothing_is_said_where_nothing_says_it(tmp_path: Path) -> None:
    assert found(tmp_path, {"pyproject.toml": "[tool.ruff]\n"}) is None


def test_another_file_beside_is_said(tmp_path: Path) -> None:
    its = found(tmp_path, {"requirements.txt": "x\n", "environment.yml": "x: 1\n"})
    assert its is not None
    assert its.left_out == ("environment.yml is here too",)


def test_the_nearest_folder_says_it_and_paths_in_it_are_seen_from_there(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "x\n",
        "a/requirements.txt": "numpy\n",
        "b/requirements.txt": "-e .\n",
        "c/d/train.py": "x = 1\n",
    }
    for at, line in {
        "a": "python -m pip install -r a/requirements.txt",
        "b": "(cd b && python -m pip install -r requirements.txt)",
        "c/d": "python -m pip install -r requirements.txt",
    }.items():
        its = found(tmp_path, files, at=at)
        assert its is not None
        assert its.lines == (line,)


def test_a_program_that_nothing_installs_is_said(tmp_path: Path) -> None:
    its = found(tmp_path / "a", {"requirements.txt": "numpy\n"}, "dvc repro")
    assert its is not None
    assert "`dvc repro` needs dvc" in "\n".join(its.to_check)
    its = found(tmp_path / "b", {"requirements.txt": "dvc[s3]\n"}, "dvc repro")
    assert its is not None
    assert its.to_check == ()


@pytest.mark.parametrize(
    "line",
    [
        "pip install `touch x`",
        "pip install $(touch x)",
        "pip install \x07bell",
        f"pip install {'x' * 400}",
        "pip install -r link.txt",
    ],
)
def test_hostile_lines_are_left_out(tmp_path: Path, line: str) -> None:
    text = yaml.safe_dump({"on": "push", "jobs": {"a": {"steps": [{"run": line}, {"run": TRAIN}]}}})
    its = found(tmp_path, {WORKFLOW: text})
    assert its is None or not any("x" in one for one in its.lines)


def test_files_that_are_no_workflow_are_bounded(tmp_path: Path) -> None:
    deep = "a: " + "[" * 5000
    files = {
        WORKFLOW: deep,
        ".github/workflows/b.yml": "jobs: [1, 2]\n",
        ".github/workflows/c.yml": "jobs: {a: 1, b: {steps: {x: y}}, c: {steps: [{run: [2]}]}}\n",
        ".gitlab-ci.yml": "a: &a [*a]\nb: {extends: b, script: 7}\n",
        "requirements.txt": "x\n",
    }
    its = found(tmp_path, files)
    assert its is not None
    assert its.lines == ("python -m pip install -r requirements.txt",)


def test_variables_of_a_job_stay_with_the_command_that_asks_for_them(tmp_path: Path) -> None:
    train = "import os, joblib\njoblib.dump(os.environ['ROUNDS'], 'model.joblib')\n"
    text = job(
        ran("LEVEL=debug python train.py --rate $RATE"),
        more="    env: {ROUNDS: 50, RATE: 0.1, UNASKED: 1, PYTHONPATH: src}\n",
    )
    seen = only_model(tmp_path, {"train.py": train, WORKFLOW: text})
    assert seen.train is not None
    assert seen.train.value == "ROUNDS=50 PYTHONPATH=src LEVEL=debug python train.py --rate 0.1"


def test_a_secret_of_a_job_is_not_put_in(tmp_path: Path) -> None:
    train = "import os, joblib\njoblib.dump(os.environ['TOKEN'], 'model.joblib')\n"
    text = job(ran("TOKEN=${{ secrets.T }} python train.py"), more="    env: {TOKEN: $T}\n")
    seen = only_model(tmp_path, {"train.py": train, WORKFLOW: text})
    assert seen.train is not None
    assert seen.train.value == "python train.py"
    assert any("TOKEN=" in one and "left out" in one for one in seen.advice)


# What stands in the files of a forge


def repository(folder: Path, files: dict[str, str]) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    train = "import joblib\njoblib.dump(m, 'model.joblib')\n"
    return written(folder, {"train.py": train, **files})


def test_the_workflows_that_train_install_and_no_other(tmp_path: Path) -> None:
    text = job(
        "- uses: actions/setup-python@v5\n  with: {python-version: '3.13'}",
        ran("pip install -r requirements.txt\npip install $MORE"),
        ran("python train.py"),
    )
    folder = repository(tmp_path / "a", {WORKFLOW: text, "requirements.txt": "joblib\n"})
    result = init(folder, pipelines=GitHubWorkflows())
    made = {path.name: path.read_text() for path in result.workflows}
    for name in ("assent.yml", "assent-retrain.yml"):
        assert "pip install -r requirements.txt\n" in made[name]
        assert "# Left out: `pip install $MORE`" in made[name]
        assert 'python-version: "3.13"' in made[name]
    others = set(made) - {"assent.yml", "assent-retrain.yml"}
    assert others
    assert not any("requirements.txt" in made[name] for name in others)
    assert any("packages of ci.yml, job build" in one for one in result.seen)
    assert any("not installed: `pip install $MORE`" in one for one in result.to_do)


def test_what_is_written_is_clean_for_every_linter(tmp_path: Path) -> None:
    cases = {
        "conda": {"environment.yml": "name: x\n"},
        "uv": {"uv.lock": "", "pyproject.toml": "[project]\nname = 'a'\n"},
        "poetry": {"poetry.lock": ""},
        "several": {
            "a/train.py": "import joblib\njoblib.dump(m, 'model.joblib')\n",
            "a/requirements.txt": "-e .\n",
            "b/train.py": "import joblib\njoblib.dump(m, 'model.joblib')\n",
            "b/requirements.txt": "numpy\n",
        },
    }
    for name, files in cases.items():
        folder = repository(tmp_path / name, files)
        if name == "several":
            (folder / "train.py").unlink()
        paths = init(folder, pipelines=GitHubWorkflows()).workflows
        assert actionlint(*paths) == ""
        assert zizmor(*paths) == ""


def test_models_that_need_other_packages_have_steps_of_their_own(tmp_path: Path) -> None:
    train = "import joblib\njoblib.dump(m, 'model.joblib')\n"
    files = {
        f"{name}/{file}": text
        for name in "abc"
        for file, text in {"train.py": train, "requirements.txt": f"{name}\n"}.items()
    }
    folder = repository(tmp_path / "x", {**files, "requirements.txt": ""})
    (folder / "train.py").unlink()
    init(folder, pipelines=GitHubWorkflows())
    text = (folder / ".github/workflows/assent.yml").read_text()
    steps = yaml.safe_load(text)["jobs"]["bundle"]["steps"]
    assert {one["if"]: one["run"] for one in steps if "run" in one} == {
        f"matrix.model == '{name}'": f"python -m pip install -r {name}/requirements.txt\n"
        for name in "abc"
    }


def test_gitlab_installs_in_the_jobs_that_train_and_evaluate(tmp_path: Path) -> None:
    folder = repository(tmp_path / "x", {"poetry.lock": ""})
    init(folder, pipelines=GitLabPipelines())
    whole = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())
    assert whole[".assent-packages"]["before_script"] == [
        "python -m pip install poetry",
        "poetry install --no-root",
        'export PATH="$(poetry env info --path)/bin:$PATH"',
    ]
    for verb in ("train", "evaluate"):
        assert whole[f"assent-{verb}"] == {"extends": ".assent-packages"}


def test_what_was_added_to_the_jobs_of_gitlab_is_no_job_of_the_team(tmp_path: Path) -> None:
    own = """\
stages: [test]
t:
  script: [pytest]
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH
"""
    folder = repository(tmp_path / "x", {"poetry.lock": "", ".gitlab-ci.yml": own})
    to_add = init(folder, pipelines=GitLabPipelines()).to_add
    assert to_add is not None
    assert "assent-train:" in to_add
    (folder / ".gitlab-ci.yml").write_text(f"{own}{to_add}")
    again = init(folder, pipelines=GitLabPipelines())
    assert again.to_add is None
    assert "1 job of yours" in "\n".join(again.seen)
