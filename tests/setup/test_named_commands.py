"""Commands that have names: targets, tasks, entry points, jobs, and what each of them runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.setup.named_commands import recipes
from assent.setup.tree import Tree
from tests.setup.looked import written


def lines_of(folder: Path, files: dict[str, str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {one.name: (one.command, one.lines) for one in recipes(Tree(written(folder, files)))}


def test_targets_of_make(tmp_path: Path) -> None:
    text = (
        "PY := python3\nSRC=src\nexport X = 1\n.PHONY: train\n\n"
        "data/%.csv: get.py\n\t$(PY) get.py $@\n"
        "out.csv: in.csv clean.py ; $(PY) clean.py $< $@\n"
        "train: out.csv | models\n\t@$(PY) \\\n\t  $(SRC)/train.py --in $^\n\n"
        "plain:\n\t-python fit.py\n"
        "shell:\n\tpython fit.py $(shell date)\n"
        "loop: loop\n\tpython loop.py\n"
    )
    found = lines_of(tmp_path, {"Makefile": text})
    assert found["train"] == (
        "make train",
        ("python3 clean.py in.csv out.csv", "python3 src/train.py --in out.csv"),
    )
    assert found["plain"] == ("python fit.py", ("python fit.py",))
    assert found["shell"] == ("make shell", ("python fit.py $(shell date)",))
    assert found["loop"] == ("python loop.py", ("python loop.py",))


def test_recipes_of_just(tmp_path: Path) -> None:
    text = (
        'lr := "0.1"\n\ndata:\n    python get.py\n\n'
        'train size="small": data\n    @python train.py --lr {{lr}} --size {{ size }}\n'
    )
    assert lines_of(tmp_path, {"justfile": text}) == {
        "data": ("python get.py", ("python get.py",)),
        "train": ("just train", ("python get.py", "python train.py --lr 0.1 --size small")),
    }


def test_tasks_of_python(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": (
            '[project.scripts]\nfit = "churn.cli:main"\n'
            '[tool.poe.tasks]\ntrain = "python train.py"\n'
            'both = {sequence = ["python a.py", "python b.py"]}\n'
            '[tool.pdm.scripts]\npdm-train = {cmd = "python p.py"}\n'
            '[tool.hatch.envs.default.scripts]\nhatched = ["python h.py"]\n'
        ),
        "churn/cli.py": "",
        "tasks.py": "from invoke import task\n@task\ndef train_all(c):\n    c.run('python i.py')\n",
        "noxfile.py": "import nox\n@nox.session\ndef evaluate(s):\n    s.run('python', 'n.py')\n",
        "tox.ini": "[testenv:toxed]\ncommands =\n    python t.py\n    python u.py\n",
    }
    assert lines_of(tmp_path, files) == {
        "fit": ("fit", ("python churn/cli.py",)),
        "train": ("poe train", ("python train.py",)),
        "both": ("poe both", ("python a.py", "python b.py")),
        "pdm-train": ("pdm run pdm-train", ("python p.py",)),
        "hatched": ("hatch run hatched", ("python h.py",)),
        "train_all": ("invoke train-all", ("python i.py",)),
        "evaluate": ("nox -s evaluate", ("python n.py",)),
        "toxed": ("tox -e toxed", ("python t.py", "python u.py")),
    }


def test_entry_points_get_their_defaults(tmp_path: Path) -> None:
    text = (
        "entry_points:\n  main:\n    parameters: {lr: {default: 0.1}, data: path}\n"
        '    command: "python train.py {lr}\\n   {data}"\n'
    )
    assert lines_of(tmp_path, {"MLproject": text})["main"][0] == "python train.py 0.1 TODO"


def test_jobs_of_ci(tmp_path: Path) -> None:
    files = {
        ".github/workflows/ci.yml": (
            "jobs:\n  fit:\n    steps:\n"
            "      - {run: 'pip install x', working-directory: ./churn}\n"
            "      - {run: \"cd churn\\npython 'a b.py'\\npython ${{ inputs.x }}.py\"}\n"
        ),
        ".gitlab-ci.yml": "train:\n  script:\n    - !reference [.x, script]\n    - python g.py\n",
        ".circleci/config.yml": "jobs: {c: {steps: [checkout, {run: {command: python c.py}}]}}\n",
    }
    commands = {one.command for one in recipes(Tree(written(tmp_path, files)))}
    assert commands == {
        "cd churn && pip install x",
        "cd churn && python 'a b.py'",
        "python g.py",
        "python c.py",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Makefile", "A=$(B)\nB=$(A)\nx: y\ny: x\n\t$(A)\n" + "z" * 5000 + ":\n" + " " * 100_000),
        ("Makefile", "\tpython a.py\n" * 3),
        ("justfile", 'a := "{{a}}"\nx: x\n  {{a}}{{a}}\n'),
        ("MLproject", "entry_points: [1]"),
        ("MLproject", "entry_points: {main: {command: [x], parameters: 7}, b: 7}"),
        ("MLproject", "a: ["),
        ("pyproject.toml", "project = 7\ntool = 8\n"),
        ("pyproject.toml", '[project]\nscripts = ["x"]\n[tool]\npoe = 1\npdm = []\n'),
        ("tox.ini", "[x\n"),
        ("tasks.py", "def ("),
        (".github/workflows/a.yml", "jobs: {a: {steps: [1, {run: [x]}]}, b: 7}"),
        (".gitlab-ci.yml", "a: {script: {x: 1}}\nb: {script: [[x]]}\nc: [1]\n"),
        (".gitlab-ci.yml", "spec: {inputs: {a: {}}}\n---\na: {script: x}\n"),
    ],
)
def test_hostile_files_are_no_error(tmp_path: Path, name: str, text: str) -> None:
    recipes(Tree(written(tmp_path, {name: text})))
