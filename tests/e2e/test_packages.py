"""What a review says of packages when the command names no interpreter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.measure.venvs import new_venv

TITLE = "Dependencies and environment"
TRAIN = "echo train >>runs.log; mkdir -p model; cat params.yaml data/train.csv >model/weights.txt\n"
EVALUATE = (
    "echo evaluate >>runs.log\n"
    "sed -n 's/^accuracy: \\(.*\\)/{\"accuracy\": \\1}/p' params.yaml >metrics.json\n"
)
WORK = "python -c 'import time; time.sleep(0.5)'\n"


def section(project: Project) -> str:
    """The section of the comment."""
    comment = (project.folder / ".assent/review/churn/comment.md").read_text()
    return comment.split(TITLE, 1)[1].split("\n\n**", 1)[0].split("\n\n### ", 1)[0]


def change(project: Project, name: str, file: str, text: str) -> None:
    project.git("checkout", "--quiet", "-b", name)
    project.write(file, text)
    project.commit(name)


def ignore(project: Project, line: str) -> None:
    project.write(".gitignore", f".assent/\nmodel/\nmetrics.json\nruns.log\n{line}\n")


def evidence(project: Project) -> dict[str, object]:
    found: dict[str, object] = project.run("evaluate", "--json").json["evidence"]
    return found


def test_packages_that_nobody_saw_are_not_called_unchanged(shipped: Project) -> None:
    project = shipped
    project.write("requirements.txt", "numpy==2.0\n")
    change(project, "two", "train.sh", TRAIN + "# two\n")
    project.run("review", code=11)
    said = section(project)
    assert "packages: not compared, because those of both sides are not known" in said
    assert "packages: unchanged" not in said
    page = (project.folder / ".assent/review/churn/report.html").read_text()
    assert "not compared, because those of both sides are not known" in page
    shown = project.run("diff", "production").stdout
    assert "packages: not compared, because those of both sides are not known" in shown
    packages = project.run("diff", "production", "--json").json["diff"]["packages"]
    assert packages["same"] == 0
    assert packages["not_compared"][0]["reason"].startswith("those of both sides are not known")


def test_a_diff_of_nothing_says_what_it_did_not_compare(shipped: Project) -> None:
    shown = shipped.run("diff", "v1", "v1").stdout
    assert "packages: not compared" in shown
    assert shown.strip().splitlines()[-1].strip() != "unchanged"


@pytest.fixture
def activated(fresh: Project) -> Project:
    """Its script activates an environment of the repository; v1 was trained in it."""
    new_venv(fresh.folder / ".venv", numpy="1.26", joblib="1.4")
    ignore(fresh, ".venv/")
    fresh.write("train.sh", f". .venv/bin/activate\n{WORK}{TRAIN}")
    fresh.write("evaluate.sh", f". .venv/bin/activate\n{WORK}{EVALUATE}")
    fresh.commit("activate", push=True)
    fresh.register()
    fresh.ship("v1")
    return fresh


def upgrade(project: Project, folder: str = ".venv", **packages: str) -> None:
    (site,) = (project.folder / folder).glob("lib/*/site-packages")
    for name, version in packages.items():
        (old,) = site.glob(f"{name}-*.dist-info")
        new = old.rename(site / f"{name}-{version}.dist-info")
        (new / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")


def test_packages_of_the_environment_that_a_script_activates(activated: Project) -> None:
    project = activated
    change(project, "two", "train.sh", f". .venv/bin/activate\n{WORK}{TRAIN}# two\n")
    project.run("review", code=11)
    assert "unchanged (" in section(project)
    upgrade(project, numpy="2.0")
    change(project, "three", "train.sh", f". .venv/bin/activate\n{WORK}{TRAIN}# three\n")
    project.run("review", code=11)
    assert "packages: 1 up, 1 unchanged" in section(project)
    assert "numpy" in section(project)


def test_what_was_trained_elsewhere_keeps_the_packages_that_it_was_trained_with(
    activated: Project,
) -> None:
    """The model is reused and evaluated anew, with other packages, twice."""
    project = activated
    for number, version in enumerate(("2.0", "2.1")):
        upgrade(project, numpy=version)
        change(
            project, f"b{number}", "evaluate.sh", f". .venv/bin/activate\n{WORK}{EVALUATE}#{number}"
        )
        project.edit("assent.yaml", "evaluate.sh", f"evaluate.sh{' ' * number} x")
        project.commit("another evaluation")
        assert "training skipped" in project.run("train").stderr
        found = evidence(project)
        assert found["environment"]["packages"]["numpy"] == f"1.26, {version}"  # type: ignore[index]
        assert found["trained_in"]["packages"]["numpy"] == "1.26"  # type: ignore[index]
        project.run("bundle")


def test_the_interpreter_that_the_team_names(shipped: Project) -> None:
    project = shipped
    new_venv(project.folder / ".venv", numpy="2.0")
    ignore(project, ".venv/")
    project.edit("assent.yaml", "    train: sh", "    python: .venv/bin/python\n    train: sh")
    change(project, "two", "train.sh", TRAIN + "# two\n")
    project.run("review", code=11)
    said = section(project)
    assert "packages: not compared, because those of the baseline are not known" in said
    assert "name the Python" not in said  # it is named
    project.edit("assent.yaml", "python: .venv/bin/python", 'python: ""')
    assert "python" in project.run("review", code=2).stderr


def test_naming_the_interpreter_is_enough_to_have_its_packages(shipped: Project) -> None:
    project = shipped
    new_venv(project.folder / ".venv", numpy="2.0")
    ignore(project, ".venv/")
    project.edit("assent.yaml", "    train: sh", "    python: .venv/bin/python\n    train: sh")
    project.commit("as advised")
    project.run("review", code=11)
    assert project.runs() == ["train", "evaluate"] * 2
    found = evidence(project)["environment"]
    assert found["packages"]["numpy"] == "2.0"  # type: ignore[index]


def test_two_environments_are_two(activated: Project, tmp_path: Path) -> None:
    project = activated
    new_venv(tmp_path / "prep", pandas="2.2", joblib="1.3")
    prep = f"{tmp_path}/prep/bin/{WORK}"
    change(project, "two", "train.sh", f"{prep}. .venv/bin/activate\n{WORK}{TRAIN}")
    project.run("review", code=11)
    said = section(project)
    assert "are of 1 installation of Python, those of the candidate of 2" in said
    assert "joblib" in said
    assert "pandas" not in said  # it may have run for the baseline as well, and not been seen
