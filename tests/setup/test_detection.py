"""What is taken for what in a repository, and what is refused."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from assent.config.read import read_config
from assent.measure.params import read_params
from assent.setup.config_text import config_text
from assent.setup.detection import look
from tests.setup.looked import only_model, written

TRAIN = "import joblib, json\njoblib.dump(m, 'models/m.pkl')\n"


def values(seen: object) -> list[str]:
    assert isinstance(seen, tuple)
    return [one.value for one in seen]


def test_a_source_folder_is_never_the_model(tmp_path: Path) -> None:
    files = {
        "train.py": "import model.net\nnet.save_pretrained('model')\n",
        "model/net.py": "class Net: pass\n",
    }
    found = only_model(tmp_path, files)
    assert found.model is None
    assert found.others["model"][0].value == "model/"
    assert "holds source code" in found.others["model"][0].why


def test_a_folder_of_inputs_is_never_the_model(tmp_path: Path) -> None:
    files = {"train.py": "open('net/a.csv')\nm.save_pretrained('net')\n", "net/a.csv": "x\n1\n"}
    found = only_model(tmp_path, files)
    assert found.model is None
    assert "holds inputs" in found.others["model"][0].why
    assert values(found.inputs) == ["train.py", "net/a.csv"]


def test_what_is_missing_is_not_written_as_a_fact(tmp_path: Path) -> None:
    files = {"train.py": TRAIN + "open('data/a.csv')\n"}
    found = only_model(tmp_path, files)
    assert values(found.inputs) == ["train.py"]
    assert values(found.left_out) == ["data/a.csv"]
    assert found.metrics == ()
    text = config_text(look(tmp_path, "churn").projects[0])
    assert "# - data/a.csv" in text
    assert "metrics:" not in text
    assert read_config(text.encode(), "x").models["churn"].metrics == ()


def test_nothing_at_all_leaves_todos(tmp_path: Path) -> None:
    found = only_model(tmp_path, {"README.md": "# Nothing\n"})
    assert (found.train, found.model, found.inputs) == (None, None, ())
    text = config_text(look(tmp_path, "churn").projects[0])
    read = read_config(text.encode(), "x").models["churn"]
    assert (read.train, read.model, read.inputs) == ("TODO", "TODO", ("TODO",))


def test_outputs_are_no_inputs(tmp_path: Path) -> None:
    files = {
        "prepare.py": "open('data/raw.csv')\nopen('data/clean.csv', 'w')\n",
        "train.py": TRAIN + "open('data/clean.csv')\n",
        "data/raw.csv": "x\n1\n",
    }
    found = only_model(tmp_path, files)
    assert found.train is not None
    assert found.train.value == "python prepare.py && python train.py"
    assert values(found.inputs) == ["prepare.py", "train.py", "data/raw.csv"]


def test_what_git_holds_is_not_made_again(tmp_path: Path) -> None:
    files = {
        "prepare.py": "open('data/clean.csv', 'w')\n",
        "train.py": TRAIN + "open('data/clean.csv')\n",
        "data/clean.csv": "x\n1\n",
    }
    found = only_model(tmp_path, files)
    assert found.train is not None
    assert found.train.value == "python train.py"
    assert values(found.inputs) == ["train.py", "data/clean.csv"]


def test_a_pointer_stands_for_its_data(tmp_path: Path) -> None:
    files = {
        "train.py": TRAIN + "open('data/train.csv')\n",
        "data/train.csv.dvc": "outs: [{path: train.csv, md5: aa}]\n",
    }
    found = only_model(tmp_path, files)
    assert values(found.inputs) == ["train.py", "data/train.csv"]
    assert {name: one.value for name, one in found.data.items()} == {"train": "data/train.csv"}


def test_what_goes_beside_the_model_is_said(tmp_path: Path) -> None:
    found = only_model(tmp_path, {"train.py": TRAIN + "joblib.dump(s, 'models/scaler.pkl')\n"})
    assert found.model is not None
    assert found.model.value == "models/m.pkl"
    (other,) = found.others["model"]
    assert (other.value, other.why) == ("models/", "models/scaler.pkl goes there too")


def test_the_evaluation_is_what_reads_the_model(tmp_path: Path) -> None:
    files = {
        "train.py": TRAIN,
        "check.py": "import joblib, json\njoblib.load('models/m.pkl')\n"
        "json.dump({'auc': 1}, open('out.json', 'w'))\n",
        "report.py": "import json\njson.dump({'pages': 1}, open('other.json', 'w'))\n",
    }
    found = only_model(tmp_path, files)
    assert found.evaluate is not None
    assert found.evaluate.value == "python check.py"
    assert (values(found.metrics), found.gates) == (["out.json"], ("auc",))


def test_a_target_of_make_comes_before_a_script_and_a_job_of_ci_too(tmp_path: Path) -> None:
    files = {
        "fit.py": "import sys, joblib\njoblib.dump(m, sys.argv[1])\n",
        ".github/workflows/a.yml": "jobs: {a: {steps: [{run: python fit.py ci/m.pkl}]}}\n",
    }
    found = only_model(tmp_path, files)
    assert found.train is not None
    assert found.train.value == "python fit.py ci/m.pkl"
    files["Makefile"] = "train:\n\tmkdir -p out\n\tpython fit.py out/m.pkl\n"
    found = only_model(tmp_path, files)
    assert found.train is not None
    assert found.train.value == "make train"
    assert found.model is not None
    assert found.model.value == "out/m.pkl"
    assert values(found.others["train"]) == ["python fit.py ci/m.pkl"]


def test_a_script_is_run_where_it_finds_its_files(tmp_path: Path) -> None:
    files = {"job/train.py": TRAIN + "open('in.csv')\n", "job/in.csv": "x\n1\n"}
    found = only_model(tmp_path, files)
    assert found.train is not None
    assert found.train.value == "cd job && python train.py"
    assert found.model is not None
    assert found.model.value == "job/models/m.pkl"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"src/train.py": "import lib\n" + TRAIN, "src/lib.py": ""}, "python src/train.py"),
        (
            {"pkg/train.py": "from pkg.lib import x\n" + TRAIN, "pkg/lib.py": "x = 1\n"},
            "python -m pkg.train",
        ),
        (
            {"pkg/train.py": "from .lib import x\n" + TRAIN, "pkg/lib.py": "x = 1\n"},
            "python -m pkg.train",
        ),
        (
            {"train.py": "import pkg.lib\n" + TRAIN, "src/pkg/lib.py": "x = 1\n"},
            "PYTHONPATH=src python train.py",
        ),
    ],
)
def test_a_script_is_run_so_that_its_imports_work(
    tmp_path: Path, files: dict[str, str], command: str
) -> None:
    found = only_model(tmp_path, dict(files))
    assert found.train is not None
    assert found.train.value == command


def test_hydra_is_told_to_stay(tmp_path: Path) -> None:
    files = {
        "train.py": "import hydra, joblib\n@hydra.main(config_path='conf', config_name='c')\n"
        "def main(cfg):\n    joblib.dump(m, cfg.out.path)\nmain()\n",
        "conf/c.yaml": "base: runs\nout: {path: '${base}/m.pkl'}\n",
    }
    found = only_model(tmp_path, files)
    assert found.train is not None
    assert found.train.value == "python train.py hydra.run.dir=."
    assert found.model is not None
    assert found.model.value == "runs/m.pkl"


def test_columns_of_files_that_are_there(tmp_path: Path) -> None:
    files = {
        "train.py": TRAIN + "open('data/train.csv')\nopen('data/plain.csv')\n",
        "evaluate.py": "import joblib\njoblib.load('models/m.pkl')\n"
        "open('out/predictions.csv', 'w')\n",
        "data/train.csv": "id,x\n1,2\n2,3\n",
        "data/plain.csv": "1.0,2.0\n3.0,4.0\n",
        "out/predictions.csv": "row_id,target,yhat,p\n1,0,1,0.4\n",
    }
    found = only_model(tmp_path, files)
    assert list(found.data) == ["train"]
    assert found.keys == {"train": "id"}
    assert found.predictions is not None
    its = found.predictions
    assert (its.id, its.label, its.prediction, its.score) == ("row_id", "target", "yhat", None)
    written(tmp_path, {"data/train.csv": "id,x\n1,2\n1,3\n"})
    assert only_model(tmp_path, {}).keys == {}


def test_projects_in_folders_have_names_of_their_own(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {}
    for folder in ("a/churn", "b/churn", "price"):
        files[f"{folder}/pyproject.toml"] = ""
        files[f"{folder}/train.py"] = TRAIN
    found = look(written(tmp_path, files)).projects
    assert [(one.folder, one.models[0].name) for one in found] == [
        ("a/churn", "churn"),
        ("b/churn", "b-churn"),
        ("price", "price"),
    ]


def test_two_models_of_one_folder_have_two_names(tmp_path: Path) -> None:
    files = {
        "train_churn.py": "import joblib\njoblib.dump(m, 'models/churn.pkl')\n",
        "train_price.py": "import joblib\njoblib.dump(m, 'models/price.pkl')\n",
    }
    (project,) = look(written(tmp_path / "shop", files)).projects
    assert [(one.name, one.model and one.model.value) for one in project.models] == [
        ("shop-churn", "models/churn.pkl"),
        ("shop-price", "models/price.pkl"),
    ]


@pytest.mark.parametrize(
    ("remote", "forge"),
    [
        ("https://github.com/a/b.git", "github"),
        ("git@gitlab.example.com:a/b.git", "gitlab"),
        ("ssh://git@github.example.com:22/a/b", "github"),
        ("https://token@gitlab.com/a/b", "gitlab"),
        ("https://example.com/github/b", None),
        ("../b.git", None),
    ],
)
def test_the_forge_is_that_of_the_remote(tmp_path: Path, remote: str, forge: str | None) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", remote], check=True)
    assert look(tmp_path).forge == forge


@pytest.mark.threat(39)
@pytest.mark.parametrize("seed", range(4))
def test_files_of_noise_are_no_error(tmp_path: Path, seed: int) -> None:
    names = (
        *("dvc.yaml", "dvc.lock", "a.csv.dvc", "MLproject", "Makefile", "justfile", "tox.ini"),
        *("pyproject.toml", "noxfile.py", "tasks.py", ".gitlab-ci.yml", "train.py", "train.ipynb"),
        *("conf/base/catalog.yml", ".github/workflows/a.yml", "params.yaml", "train.sh", "m.json"),
    )
    noise = random.Random(seed)
    parts = [
        b"\0",
        b"\xff",
        b"a: ",
        b"- [",
        b"{",
        b"${x}",
        b"\n",
        b"\t",
        b"cmd: x\n",
        b"outs: [a]\n",
    ]
    for name in names:
        written(tmp_path, {name: b"".join(noise.choices(parts, k=noise.randrange(40)))})
    for project in look(tmp_path, "churn").projects:
        read_config(config_text(project).encode(), "assent.yaml")


@pytest.mark.threat(39)
def test_links_out_of_the_repository_are_not_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("import joblib\njoblib.dump(m, 'secret.pkl')\n")
    root = written(tmp_path / "root", {"a.txt": ""})
    (root / "train.py").symlink_to(outside)
    (project,) = look(root, "churn").projects
    assert project.models[0].model is None


def test_values_of_make_are_left_to_make(tmp_path: Path) -> None:
    files = {
        "fit.py": "import sys, joblib\njoblib.dump(m, sys.argv[1])\n",
        "Makefile": "OUT = out/m.pkl\ntrain:\n\tpython fit.py $(OUT)\n",
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "make train"
    assert (found.model and found.model.value) == "out/m.pkl"
    assert values(found.inputs) == ["fit.py", "Makefile"]
    files["Makefile"] = "train:\n\tpython fit.py out/m.pkl\n"
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "python fit.py out/m.pkl"
    assert values(found.inputs) == ["fit.py"]


def test_values_of_an_ml_project_are_said_to_be_copied(tmp_path: Path) -> None:
    point = "entry_points: {main: {parameters: {rate: 0.1}, command: 'python train.py {rate}'}}"
    files = {"train.py": TRAIN, "MLproject": point.replace("0.1", "{default: 0.1}")}
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "python train.py 0.1"
    assert values(found.inputs) == ["train.py"]
    text = config_text(look(tmp_path, "churn").projects[0])
    assert "# the values in the command are copied from the entry point main of MLproject" in text


@pytest.mark.parametrize(
    ("pointer", "read", "wanted"),
    [
        ("data.dvc", "open('data/d.csv')", "data/d.csv"),
        ("data/raw.dvc", "open('data/raw/a/d.csv')", "data/raw/a/d.csv"),
        ("data.dvc", "os.listdir('data')", "data"),
        ("data/raw.csv.dvc", "os.listdir('data')", "data/**"),
        ("data.dvc", "glob.glob('data/*.csv')", "data"),
    ],
)
def test_what_a_pointer_brings_is_an_input_and_is_not_fetched_before(
    tmp_path: Path, pointer: str, read: str, wanted: str
) -> None:
    out = Path(pointer).stem
    files = {
        "train.py": f"import glob, os\n{TRAIN}{read}\n",
        "get_data.py": "open('data/d.csv', 'w')\nopen('data/raw/a/d.csv', 'w')\n",
        pointer: f"outs: [{{path: {out}, md5: aa.dir}}]\n",
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "python train.py"
    assert (values(found.inputs), found.left_out) == (["train.py", wanted], ())


def test_a_pipeline_without_a_model_among_its_outs_is_still_what_trains(tmp_path: Path) -> None:
    files = {
        "dvc.yaml": "stages:\n  fit:\n    cmd: python train.py\n    deps: [train.py, d.csv]\n"
        "    metrics: [{m.json: {cache: false}}]\n",
        "train.py": TRAIN,
        "d.csv": "x\n1\n",
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "dvc repro"
    assert values(found.inputs) == ["dvc.yaml", "train.py", "d.csv"]
    assert (values(found.metrics), found.model) == (["m.json"], None)
    assert values(found.others["model"]) == ["models/m.pkl"]
    text = config_text(look(tmp_path, "churn").projects[0])
    assert "model: TODO" in text
    assert "no stage of dvc.yaml has the model among its outs" in text


def test_a_pipeline_that_only_prepares_does_not_train(tmp_path: Path) -> None:
    files = {
        "dvc.yaml": "stages: {clean: {cmd: python clean.py, outs: [c.csv]}}\n",
        "clean.py": "open('c.csv', 'w')\n",
        "train.py": TRAIN,
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "python train.py"


def test_a_pipeline_belongs_to_the_folder_that_it_runs_in(tmp_path: Path) -> None:
    files = {
        "pipelines/a/dvc.yaml": "stages:\n  train:\n    wdir: ../..\n    cmd: python train.py\n"
        "    deps: [train.py]\n    outs: [models/m.pkl]\n",
        "train.py": TRAIN,
    }
    (project,) = look(written(tmp_path, files), "churn").projects
    assert (project.folder, project.notes) == ("", ())
    (found,) = project.models
    assert (found.train and found.train.value) == "dvc repro pipelines/a/dvc.yaml"
    assert (found.model and found.model.value) == "models/m.pkl"


def test_what_loads_the_model_never_comes_before_it_is_made(tmp_path: Path) -> None:
    use = "import joblib\nm = joblib.load('models/m.pkl')\nopen('data/f.csv', 'w')\n"
    for name in ("predict.py", "monitor.py"):
        files = {name: use, "train.py": TRAIN + "open('data/f.csv')\n"}
        found = only_model(tmp_path / name, files)
        assert (found.train and found.train.value) == "python train.py"


@pytest.mark.parametrize("name", ["serve.py", "sync_data.py", "demo.py", "deploy.py"])
def test_what_serves_or_sends_is_not_put_before_training(tmp_path: Path, name: str) -> None:
    files = {name: "open('data/f.csv', 'w')\n", "train.py": TRAIN + "open('data/f.csv')\n"}
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "python train.py"


def test_what_adds_to_a_log_does_not_make_it(tmp_path: Path) -> None:
    for n, line in enumerate(("open('log.csv', 'a')", "d.to_csv('log.csv', mode='a')")):
        files = {"note.py": f"{line}\n", "train.py": TRAIN + "open('log.csv')\n"}
        found = only_model(tmp_path / str(n), files)
        assert (found.train and found.train.value) == "python train.py"


@pytest.mark.parametrize(
    "default", ["sys.argv[1]", "(sys.argv[1:] or ['models/m.pkl'])[0]", "'models/m.pkl'"]
)
def test_the_arguments_of_the_evaluation_are_kept(tmp_path: Path, default: str) -> None:
    files = {
        "train.py": TRAIN,
        "evaluate.py": f"import joblib, json, sys\njoblib.load({default})\n"
        "json.dump({'auc': 1}, open('m.json', 'w'))\n",
        ".github/workflows/a.yml": "jobs: {build: {steps: [{run: python train.py}, "
        "{run: python evaluate.py models/m.pkl}]}}\n",
    }
    found = only_model(tmp_path, files)
    assert (found.evaluate and found.evaluate.value) == "python evaluate.py models/m.pkl"


PARSED = (
    "import argparse\np = argparse.ArgumentParser()\n"
    "p.add_argument('--run'{more})\np.parse_args()\n"
)


@pytest.mark.parametrize("value", ["$CI_ID", "${{ github.run_id }}", "${{ inputs['a b'] }}"])
def test_what_only_ci_knows_is_left_out_and_said(tmp_path: Path, value: str) -> None:
    job = f'jobs: {{a: {{steps: [{{run: "python train.py --out x --run {value}"}}]}}}}\n'
    files = {"train.py": PARSED.format(more="") + TRAIN, ".github/workflows/a.yml": job}
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "python train.py --out x"
    assert [line for line in found.advice if "left out" in line and "--run $" in line]
    assert not [line for line in found.advice if "demands" in line]
    files["train.py"] = PARSED.format(more=", required=True") + TRAIN
    found = only_model(tmp_path, files)
    assert "train.py demands --run: add what it is to the command" in found.advice


@pytest.mark.parametrize(
    "workflow",
    [
        "defaults: {run: {working-directory: ./job}}\njobs: {a: {STEPS}}\n",
        "jobs: {a: {defaults: {run: {working-directory: job}}, STEPS}}\n",
    ],
)
def test_steps_run_where_their_defaults_say(tmp_path: Path, workflow: str) -> None:
    workflow = workflow.replace("STEPS", "steps: [{run: python train.py 1}]")
    files = {"job/train.py": TRAIN, ".github/workflows/a.yml": workflow}
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "cd job && python train.py 1"


@pytest.mark.parametrize("path", ["configs/model.yaml", "configs/model.json", "model.toml"])
def test_a_file_of_settings_is_never_the_model(tmp_path: Path, path: str) -> None:
    files = {
        "train.py": f"import yaml\nyaml.dump({{}}, open('{path}', 'w'))\nm.fit(x)\n",
        path: "{}",
    }
    found = only_model(tmp_path, files)
    assert (found.model, found.others.get("model", ())) == (None, ())


def test_a_target_that_only_names_others_is_no_model_of_its_own(tmp_path: Path) -> None:
    files = {
        "a.py": "import joblib\njoblib.dump(m, 'models/a.pkl')\n",
        "b.py": "import joblib\njoblib.dump(m, 'models/b.pkl')\n",
        "Makefile": "all: a b\na:\n\tpython a.py\nb:\n\tpython b.py\n",
    }
    (project,) = look(written(tmp_path, files), "churn").projects
    trains = [one.train and one.train.value for one in project.models]
    assert trains == ["python a.py", "python b.py"]


SWITCHED = (
    "import argparse, joblib\np = argparse.ArgumentParser()\n"
    "p.add_argument('--save-model', {option})\nargs = p.parse_args()\n"
)


@pytest.mark.parametrize(
    "body",
    [
        "if args.save_model:\n    joblib.dump(m, 'm.pkl')\n",
        "if args.save_model and done:\n    for x in y:\n        joblib.dump(m, 'm.pkl')\n",
        "def keep():\n    joblib.dump(m, 'm.pkl')\nif args.save_model:\n    keep()\n",
    ],
)
def test_a_flag_without_which_no_model_is_kept_is_given(tmp_path: Path, body: str) -> None:
    text = SWITCHED.format(option="action='store_true'") + body
    found = only_model(tmp_path, {"train.py": text})
    assert (found.train and found.train.value) == "python train.py --save-model"
    found = only_model(tmp_path, {"train.py": text + "joblib.dump(m, 'n.pkl')\n"})
    assert (found.train and found.train.value) == "python train.py"
    text = SWITCHED.format(option="default=''") + body
    found = only_model(tmp_path, {"train.py": text})
    assert (found.train and found.train.value) == "python train.py"
    assert [line for line in found.advice if "only with --save-model" in line]


def test_a_target_that_lacks_such_a_flag_is_said(tmp_path: Path) -> None:
    text = SWITCHED.format(option="action='store_true'")
    text += "if args.save_model:\n    joblib.dump(m, 'm.pkl')\n"
    files = {"train.py": text, "Makefile": "train:\n\tmkdir -p x\n\tpython train.py\n"}
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "make train"
    assert "Makefile has to give --save-model to its script" in found.advice
    files["Makefile"] = "train:\n\tmkdir -p x\n\tpython train.py --save-model\n"
    assert "Makefile" not in " ".join(only_model(tmp_path, files).advice)


def test_hydra_follows_the_defaults_of_groups(tmp_path: Path) -> None:
    files = {
        "train.py": "import hydra, joblib\n"
        "@hydra.main(version_base=None, config_path='configs', config_name='train')\n"
        "def main(cfg):\n    joblib.dump(m, cfg.callbacks.checkpoint.path)\nmain()\n",
        "configs/train.yaml": "defaults:\n  - callbacks: default\n  - model: net\n  - _self_\n"
        "  - extra: null\nseed: 1\n",
        "configs/model/net.yaml": "_target_: a.Net\nsize: 1\n",
        "configs/model/big.yaml": "_target_: a.Net\nsize: 9\n",
        "configs/callbacks/default.yaml": "defaults: [checkpoint, _self_]\nlevel: 1\n",
        "configs/callbacks/checkpoint.yaml": "checkpoint: {path: models/m.pkl}\n_target_: b.C\n",
    }
    found = only_model(tmp_path, files)
    assert (found.model and found.model.value) == "models/m.pkl"
    assert values(found.inputs) == ["train.py", "configs/**"]
    assert values(found.params) == ["configs/train.yaml"]
    assert read_params(tmp_path, values(found.params)).problems == ()


def test_hydra_takes_the_groups_of_the_command(tmp_path: Path) -> None:
    files = {
        "train.py": "import hydra, joblib\n"
        "@hydra.main(version_base=None, config_path='configs', config_name='train')\n"
        "def main(cfg):\n    joblib.dump(m, cfg.model.path)\nmain()\n",
        "configs/train.yaml": "defaults:\n  - model: net\n",
        "configs/model/net.yaml": "path: models/old.pkl\n",
        "configs/model/big.yaml": "# @package _global_\nmodel: {path: models/big.pkl}\n",
        ".github/workflows/a.yml": "jobs: {a: {steps: [{run: python train.py model=big}]}}\n",
    }
    found = only_model(tmp_path, files)
    assert (found.model and found.model.value) == "models/big.pkl"


def test_parameters_that_share_a_name_are_inputs_instead(tmp_path: Path) -> None:
    files = {
        "train.py": TRAIN + "".join(f"open('config_{one}.yaml')\n" for one in "abc"),
        "config_a.yaml": "lr: 1\n",
        "config_b.yaml": "lr: 2\n",
        "config_c.yaml": "- 1\n",
    }
    found = only_model(tmp_path, files)
    assert values(found.params) == ["config_a.yaml"]
    assert values(found.inputs) == ["train.py", "config_b.yaml", "config_c.yaml"]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("f.write(f'Accuracy: {a}\\n\\n![](p.png)')", ["Accuracy"]),
        ("f.write('# Scores\\n')\n    f.write('accuracy = ' + str(a))", ["accuracy"]),
        ("f.write('accuracy: {:.2f}\\n'.format(a))", ["accuracy"]),
        ("f.write('accuracy: %.2f\\n' % a)", ["accuracy"]),
        ("f.write(f'Accuracy: {a}\\n')\n    f.write(classification_report(x, y))", []),
        ("f.write(f'Accuracy: {a}%')", []),
        ("f.write(f'accuracy: {a}\\n')\n    print(report, file=f)", []),
    ],
)
def test_text_is_metrics_only_if_a_review_could_read_it(
    tmp_path: Path, lines: str, names: list[str]
) -> None:
    text = f"with open('metrics.txt', 'w') as f:\n    {lines}\n"
    found = only_model(tmp_path, {"train.py": TRAIN + text})
    assert values(found.metrics) == (["metrics.txt"] if names else [])
    assert list(found.gates) == names
    assert any("no metrics" in line for line in found.advice) == (not names)


def test_metrics_that_are_there_and_cannot_be_read_are_not_taken(tmp_path: Path) -> None:
    text = "open('metrics.txt', 'w').write(f'accuracy: {a}')\n"
    files = {"train.py": TRAIN + text, "metrics.txt": "accuracy: 0.5\nf1 0.3\n"}
    assert only_model(tmp_path, files).metrics == ()
    files["metrics.txt"] = "accuracy: 0.5\n"
    assert values(only_model(tmp_path, files).metrics) == ["metrics.txt"]


def test_of_two_files_with_the_same_figure_that_of_the_test_is_taken(tmp_path: Path) -> None:
    text = "".join(
        f"json.dump({{'accuracy': a}}, open('{one}_metrics.json', 'w'))\n"
        for one in ("train", "test")
    )
    found = only_model(tmp_path, {"train.py": TRAIN + text})
    assert values(found.metrics) == ["test_metrics.json"]
    assert "# metrics: train_metrics.json" in config_text(look(tmp_path, "churn").projects[0])


def test_scripts_of_a_pipeline_make_no_project_above_it(tmp_path: Path) -> None:
    stage = "stages: {train: {wdir: .., cmd: python train.py, outs: [models/m.pkl]}}\n"
    files = {"a/pipe/dvc.yaml": stage, "a/train.py": TRAIN, "README.md": ""}
    assert [one.folder for one in look(written(tmp_path, files)).projects] == ["a"]


def test_a_parameter_without_a_default_is_left_to_a_person(tmp_path: Path) -> None:
    files = {
        "train.py": f"import sys\n{TRAIN}open(sys.argv[1])\n",
        "MLproject": "entry_points: {main: {parameters: {data: path}, "
        "command: 'python train.py {data}'}}\n",
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "python train.py TODO"
    assert found.left_out == ()
    assert any("has no default for data" in line for line in found.advice)


@pytest.mark.parametrize("place", ["$CI_PROJECT_DIR", "${GITHUB_WORKSPACE}"])
def test_where_ci_puts_the_repository_is_its_folder(tmp_path: Path, place: str) -> None:
    files = {
        "train.py": "import joblib, sys\njoblib.dump(m, sys.argv[1])\n",
        ".gitlab-ci.yml": f"train:\n  script:\n    - cd {place}\n    - python train.py m.pkl\n",
    }
    found = only_model(tmp_path, files)
    assert (found.train and found.train.value) == "python train.py m.pkl"


def test_the_ci_of_the_repository_counts_for_a_project_in_it(tmp_path: Path) -> None:
    files = {
        "ml/pyproject.toml": "",
        "ml/train.py": TRAIN,
        "other/pyproject.toml": "",
        "other/train.py": TRAIN,
        ".github/workflows/a.yml": "defaults: {run: {working-directory: ml}}\n"
        "jobs: {train: {steps: [{run: python train.py --big}, {run: python ../x.py}]}}\n",
    }
    found = {one.folder: one.models[0] for one in look(written(tmp_path, files)).projects}
    trains = {folder: one.train and one.train.value for folder, one in found.items()}
    assert trains == {"ml": "python train.py --big", "other": "python train.py"}


def test_an_evaluation_in_the_job_that_trains_is_no_training(tmp_path: Path) -> None:
    files = {
        "train.py": TRAIN,
        "evaluate.py": "import joblib, json, sys\njoblib.load(sys.argv[1])\n"
        "json.dump({'auc': 1}, open('m.json', 'w'))\n",
        ".gitlab-ci.yml": "train:\n  script: [python train.py, python evaluate.py models/m.pkl]\n",
    }
    found = only_model(tmp_path, files)
    assert (found.evaluate and found.evaluate.value) == "python evaluate.py models/m.pkl"
    assert "train" not in found.others
