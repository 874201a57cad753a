"""What repositories of strangers have taught: what is no training, no model and no figure, what a
command line demands, and what is said where only the run knows.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.setup.commandlines import demanded, subcommands
from assent.setup.config_text import config_text
from assent.setup.detection import look
from assent.setup.source import Sources
from assent.setup.tree import Tree
from tests.setup.looked import only_model, step, written

SAVES = "import joblib\njoblib.dump(m, 'model.joblib')\n"


def values(seen: object) -> list[str]:
    assert isinstance(seen, tuple)
    return [one.value for one in seen]


@pytest.mark.parametrize("name", ["train_test.py", "test_train.py", "conftest.py"])
def test_tests_are_no_trainings(tmp_path: Path, name: str) -> None:
    assert only_model(tmp_path, {name: SAVES}).train is None


def test_what_converts_a_model_is_no_training(tmp_path: Path) -> None:
    found = only_model(tmp_path, {"export_model.py": SAVES, "convert.py": SAVES})
    assert found.train is None


def test_a_training_wins_over_what_only_generates(tmp_path: Path) -> None:
    files = {
        "generate_wave.py": "import torch\ntorch.save(x, open('traindata.pt', 'wb'))\n",
        "train.py": "import torch\nx = torch.load('traindata.pt')\nx.fit(x)\n",
    }
    found = only_model(tmp_path, files)
    assert found.train is not None
    assert found.train.value.endswith("python train.py")
    assert found.model is None


def test_text_is_no_model(tmp_path: Path) -> None:
    found = only_model(tmp_path, {"train.py": "open('pipeline_id.txt', 'w').write(x)\n"})
    assert found.model is None
    assert "model" not in found.others


def test_what_a_run_took_is_no_result(tmp_path: Path) -> None:
    text = SAVES + "print(f'vocab size: {size}, time: {t}')\nprint('accuracy:', a)\n"
    (hint,) = step(tmp_path, {"train.py": text}).hints
    assert hint.values == {"accuracy": "a"}


def test_long_lines_to_add_are_whole_and_in_several_lines(tmp_path: Path) -> None:
    names = [f"accuracy_of_the_class_{n}" for n in range(8)]
    text = "import mlflow\n" + "".join(f"mlflow.log_metric('{n}', {n})\n" for n in names)
    only_model(tmp_path, {"train.py": SAVES + text})
    shown = config_text(look(tmp_path, "churn").projects[0])
    assert all(f'    #         "{name}": {name},\n' in shown for name in names)
    assert "…" not in shown


def test_nothing_is_named_whose_folder_only_the_run_knows(tmp_path: Path) -> None:
    text = """\
import sys, joblib, pandas, json
place = made_elsewhere()
pandas.read_csv(f"{place}/rows.csv")
plt.savefig(f"{place}/curve.png")
joblib.dump(m, f"{place}/model.joblib")
json.dump({"accuracy": 1}, open(f"{place}/metrics.json", "w"))
"""
    found = only_model(tmp_path, {"train.py": text, "rows.csv": "x\n1\n"})
    assert found.model is None
    assert (found.metrics, found.plots) == ((), ())
    assert values(found.inputs) == ["train.py"]
    assert values(found.left_out) == ["…/rows.csv"]
    assert values(found.others["model"]) == ["…/model.joblib"]


def test_a_line_that_keeps_a_model_nobody_knows_where_is_named(tmp_path: Path) -> None:
    found = only_model(tmp_path, {"train.py": "import torch\ntorch.save(m, made_elsewhere())\n"})
    assert any("train.py, line 2, keeps a model" in one for one in found.advice)


def test_inputs_that_a_folder_holds_are_not_said_twice(tmp_path: Path) -> None:
    files = {"lib/__init__.py": "", "lib/train.py": SAVES, "requirements.txt": "x\n"}
    found = only_model(tmp_path, files)
    assert values(found.inputs) == ["lib/**", "requirements.txt"]


def test_metrics_that_nothing_writes_are_a_comment(tmp_path: Path) -> None:
    files = {"train.py": SAVES, "report/metrics.json": '{"accuracy": 0.5}', ".x/metrics.json": "{}"}
    found = only_model(tmp_path, files)
    assert found.metrics == ()
    assert values(found.others["metrics"]) == ["report/metrics.json"]


def test_figures_of_a_repository_are_no_evaluation(tmp_path: Path) -> None:
    text = 'import json\njson.dump({"coverage": 1}, open(".github/metrics.json", "w"))\n'
    files = {
        "train.py": SAVES,
        "collect_metrics.py": text,
        "run_tests.py": text.replace(".github/", ""),
    }
    found = only_model(tmp_path, files)
    assert found.evaluate is None
    assert found.metrics == ()


def test_where_no_training_is_sure_candidates_are_comments(tmp_path: Path) -> None:
    files = {
        "lit.py": "class A: pass\ntrainer.fit(a)\n",
        "_targets.R": "library(targets)\nlist(tar_target(m, fit(x)))\n",
        "serve.py": "model.predict(x)\n",
    }
    found = only_model(tmp_path, files)
    assert found.train is None
    assert values(found.others["train"]) == [
        "Rscript -e 'targets::tar_make()'",
        "python lit.py",
    ]


def test_a_path_of_windows_is_said(tmp_path: Path) -> None:
    text = SAVES + "import pandas\npandas.read_csv('data\\\\a.csv')\n"
    found = only_model(tmp_path, {"train.py": text, "data/a.csv": "x\n1\n"})
    assert "it is data/a.csv but on Windows" in found.left_out[0].why


def test_a_package_is_no_project_of_its_own(tmp_path: Path) -> None:
    files = {
        "setup.py": "x\n",
        "net/__init__.py": "",
        "net/requirements.txt": "x\n",
        "net/train.py": SAVES,
    }
    (project,) = look(written(tmp_path, files), "churn").projects
    assert project.folder == ""


def test_a_script_that_sends_something_away_is_never_the_command(tmp_path: Path) -> None:
    files = {
        "train.py": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--out')\n"
        "import joblib\njoblib.dump(m, p.parse_args().out)\n",
        "all.sh": "export OUT=kept/model.joblib\npython train.py --out $OUT\naws s3 cp kept s3://x\n",
    }
    found = only_model(tmp_path, files)
    assert found.train is not None
    assert found.train.value == "python train.py --out kept/model.joblib"
    assert found.model is not None
    assert found.model.value == "kept/model.joblib"


# Command lines


CLICK = """\
import click
@click.group()
def cli(): pass
@cli.command()
def train(): pass
@cli.command("serve-it")
def serve(): pass
"""
TYPER = """\
import typer
from typing import Annotated
app = typer.Typer()
@app.command()
def main(
    rate: float, out: Annotated[str, typer.Option()], level: int = typer.Option(...), n: int = 1
):
    import joblib
    joblib.dump(m, "kept.joblib")
app()
"""
PARSERS = """\
import argparse
s = argparse.ArgumentParser().add_subparsers()
s.add_parser("train").add_argument("--data", required=True)
s.add_parser("evaluate")
"""
ABSL = """\
from absl import flags
FLAGS = flags.FLAGS
flags.DEFINE_string("out", "kept", "")
_RATE = flags.DEFINE_float("rate", None, "", required=True)
_NAME = flags.DEFINE_string("name", "net.pt", "")
flags.mark_flags_as_required(["workdir"])
import torch
torch.save(m, FLAGS.out + "/" + _NAME.value)
"""


@pytest.mark.parametrize(
    ("text", "own", "asked"),
    [
        (CLICK, ["train", "serve-it"], []),
        (TYPER, [], ["rate", "out", "level"]),
        (PARSERS, ["train", "evaluate"], []),
        (ABSL, [], ["--rate", "--workdir"]),
        (
            "import click\n@click.command()\n@click.option('--rate', required=True)\n"
            "@click.argument('data')\n@click.argument('more', nargs=-1)\ndef main(): pass\n",
            [],
            ["--rate", "data"],
        ),
        ("print(1)\n", [], []),
    ],
)
def test_what_a_command_line_has_to_hold(
    tmp_path: Path, text: str, own: list[str], asked: list[str]
) -> None:
    module = Sources(Tree(written(tmp_path, {"train.py": text}))).module("train.py")
    assert subcommands(module) == own
    assert sorted(demanded(module)) == sorted(asked)


def test_the_command_that_trains_is_added_and_an_unclear_one_said(tmp_path: Path) -> None:
    text = CLICK + "import joblib\njoblib.dump(m, 'model.joblib')\n"
    assert step(tmp_path / "a", {"train.py": text}).command == "train"
    unclear = text.replace("def train", "def learn")
    found = step(tmp_path / "b", {"train.py": unclear})
    assert found.command == ""
    assert "commands of its own (learn, serve-it)" in "\n".join(found.notes)
    assert step(tmp_path / "c", {"train.py": text}, "train").command == ""


def test_what_a_command_of_typer_does_is_followed(tmp_path: Path) -> None:
    found = step(tmp_path, {"train.py": TYPER})
    assert [one.path for one in found.writes] == ["kept.joblib"]
    assert "demands rate, out, level" in "\n".join(found.notes)


def test_defaults_of_absl_are_followed(tmp_path: Path) -> None:
    files = {"train.py": ABSL}
    assert [one.path for one in step(tmp_path, files).writes] == ["kept/net.pt"]
    given = step(tmp_path, files, "--out=other", "--name=a.pt")
    assert [one.path for one in given.writes] == ["other/a.pt"]


def test_an_entry_point_called_training_wins(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[project]\nname='a'\n[project.scripts]\nmanage='lib.manage:cli'\n"
        "train='lib.train:main'\n",
        "lib/manage.py": f"{SAVES}cli = 1\n",
        "lib/train.py": "def main():\n    trainer.fit(1)\nmain()\n",
    }
    found = only_model(tmp_path, files)
    assert found.train is not None
    assert found.train.value == "train"


def test_a_folder_of_each_run_of_hydra_is_said(tmp_path: Path) -> None:
    files = {
        "train.py": "import hydra\n@hydra.main(version_base='1.3', config_path='conf', "
        "config_name='main')\ndef main(cfg): cfg.trainer.fit(1)\nmain()\n",
        "conf/main.yaml": "out: ${hydra:runtime.output_dir}\n"
        "hydra: {run: {dir: 'logs/runs/${now:%Y}'}}\n",
    }
    said = "\n".join(step(tmp_path, files).notes)
    assert "add hydra.run.dir=logs/runs/run to the command" in said
    assert step(tmp_path, files, "hydra.run.dir=a").notes == ()
