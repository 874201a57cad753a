"""What scripts read and write, by parsing them: every way to name a path, and what is no path."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.setup.looked import step

CONFIG = (
    "from pathlib import Path\nROOT = Path(__file__).resolve().parent\nMODELS = ROOT / 'models'\n"
)

WAYS = {
    "constant": "joblib.dump(m, 'models/m.pkl')",
    "name": "P = 'models/m.pkl'\njoblib.dump(m, P)",
    "os.path.join": "joblib.dump(m, os.path.join('models', 'm.pkl'))",
    "pathlib": "joblib.dump(m, Path('models') / 'm.pkl')",
    "its own place": "joblib.dump(m, Path(__file__).parent / 'models' / 'm.pkl')",
    "dirname": "joblib.dump(m, os.path.dirname(os.path.abspath(__file__)) + '/models/m.pkl')",
    "imported": "from config import MODELS\njoblib.dump(m, MODELS / 'm.pkl')",
    "imported module": "import config as c\njoblib.dump(m, c.MODELS / 'm.pkl')",
    "star": "from config import *\njoblib.dump(m, MODELS / 'm.pkl')",
    "f-string": "D = 'models'\njoblib.dump(m, f'{D}/m.pkl')",
    "format": "joblib.dump(m, '{}/m.pkl'.format('models'))",
    "default": "def f(path='models/m.pkl'):\n    joblib.dump(m, path)\nf()",
    "caller": "def f(m, path):\n    joblib.dump(m, path)\nf(1, 'models/m.pkl')",
    "keyword": "def f(m, *, path):\n    joblib.dump(m, path)\nf(1, path='models/m.pkl')",
    "returned": "def p():\n    return 'models/m.pkl'\njoblib.dump(m, p())",
    "self": "class T:\n    def __init__(self, d):\n        self.d = d\n    def save(self):\n"
    "        joblib.dump(m, os.path.join(self.d, 'm.pkl'))\nT('models').save()",
    "class constant": "class C:\n    P = 'models/m.pkl'\njoblib.dump(m, C.P)",
    "data class": "@dataclass\nclass C:\n    p: str = 'models/m.pkl'\nc = C()\njoblib.dump(m, c.p)",
    "dict": "c = {'out': {'p': 'models/m.pkl'}}\njoblib.dump(m, c['out']['p'])",
    "argparse": "p = argparse.ArgumentParser()\n"
    "p.add_argument('-o', '--out', default='models/m.pkl')\na = p.parse_args()\n"
    "joblib.dump(m, a.out)",
    "click": "@click.command()\n@click.option('--out', default='models/m.pkl')\ndef f(out):\n"
    "    joblib.dump(m, out)\nf()",
    "typer": "def f(out: str = typer.Option('models/m.pkl')):\n    joblib.dump(m, out)\n"
    "typer.run(f)",
    "environment": "joblib.dump(m, os.environ.get('OUT', 'models/m.pkl'))",
    "condition": "p = sys.argv[1] if len(sys.argv) > 1 else 'models/m.pkl'\njoblib.dump(m, p)",
    "yaml": "c = yaml.safe_load(open('params.yaml'))\njoblib.dump(m, c['out']['p'])",
    "yaml in with": "with open('params.yaml') as f:\n    c = yaml.safe_load(f)\n"
    "joblib.dump(m, c.get('out')['p'])",
    "yaml in a function": "def load(p):\n    with open(p) as f:\n        return yaml.safe_load(f)\n"
    "c = load('params.yaml')\njoblib.dump(m, c['out']['p'])",
    "omegaconf": "c = OmegaConf.load('params.yaml')\njoblib.dump(m, c.out.p)",
    "dvc": "c = dvc.api.params_show()\njoblib.dump(m, c['out']['p'])",
    "pickle in with": "with open('models/m.pkl', 'wb') as f:\n    pickle.dump(m, f)",
    "path open": "with Path('models/m.pkl').open('wb') as f:\n    pickle.dump(m, f)",
    "write_bytes": "Path('models/m.pkl').write_bytes(b'')",
    "torch": "torch.save(m.state_dict(), 'models/m.pkl')",
    "alias": "import joblib as jl\njl.dump(m, 'models/m.pkl')",
    "from": "from joblib import dump\ndump(m, 'models/m.pkl')",
    "lightgbm": "m.save_model('models/m.pkl')",
    "mlflow": "import mlflow\nmlflow.sklearn.save_model(m, 'models/m.pkl')",
    "decorated": "@wrap\ndef main():\n    joblib.dump(m, 'models/m.pkl')\n"
    "if __name__ == '__main__':\n    main()",
}
HEAD = (
    "import argparse, os, pickle, sys\nimport click, dvc.api, joblib, torch, typer, yaml\n"
    "from dataclasses import dataclass\nfrom omegaconf import OmegaConf\nfrom pathlib import Path\n"
)
FILES = {"config.py": CONFIG, "params.yaml": "out: {p: models/m.pkl}\n"}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_name_a_path_is_followed(tmp_path: Path, way: str) -> None:
    found = step(tmp_path, {**FILES, "train.py": HEAD + WAYS[way]})
    assert [one.path for one in found.writes] == ["models/m.pkl"]


def test_arguments_of_the_command_win(tmp_path: Path) -> None:
    files = {"train.py": HEAD + WAYS["argparse"]}
    assert [one.path for one in step(tmp_path, files, "-o", "x/n.pkl").writes] == ["x/n.pkl"]
    assert [one.path for one in step(tmp_path, files, "--out=y.pkl").writes] == ["y.pkl"]
    files = {"train.py": HEAD + WAYS["click"]}
    assert [one.path for one in step(tmp_path, files, "--out", "z.pkl").writes] == ["z.pkl"]
    files = {"train.py": HEAD + WAYS["condition"]}
    assert [one.path for one in step(tmp_path, files, "w.pkl").writes] == ["w.pkl"]


@pytest.mark.parametrize(
    "path",
    ["'/etc/m.pkl'", "'../m.pkl'", "'s3://b/m.pkl'", "name()", "b'x'", "7", "''", "'~/m.pkl'"],
)
def test_what_is_no_path_below_the_root_is_nothing(tmp_path: Path, path: str) -> None:
    assert step(tmp_path, {"train.py": f"import joblib\njoblib.dump(m, {path})"}).writes == ()


def test_a_part_that_is_not_known_is_left_open(tmp_path: Path) -> None:
    text = "import torch, time\ntorch.save(m, f'runs/{time.time()}/best_{epoch}.pt')"
    assert [one.path for one in step(tmp_path, {"train.py": text}).writes] == ["runs/*/best_*.pt"]


def test_what_no_name_leads_to_is_not_run(tmp_path: Path) -> None:
    text = (
        "import joblib, lib\ndef used():\n    joblib.dump(m, 'a.pkl')\n"
        "def unused():\n    joblib.dump(m, 'b.pkl')\nused()\nlib.also()\n"
    )
    lib = (
        "import joblib\ndef also():\n    joblib.dump(m, 'c.pkl')\ndef never():\n"
        "    joblib.dump(m, 'd.pkl')\nif __name__ == '__main__':\n    joblib.dump(m, 'e.pkl')\n"
    )
    found = step(tmp_path, {"train.py": text, "lib.py": lib})
    assert {one.path for one in found.writes} == {"a.pkl", "c.pkl"}
    assert found.scripts == ("train.py", "lib.py")


def test_each_call_of_a_function_counts(tmp_path: Path) -> None:
    text = "def load(p):\n    return open(p).read()\nload('a.csv')\nload('b.csv')\n"
    assert {one.path for one in step(tmp_path, {"train.py": text}).reads} == {"a.csv", "b.csv"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("json.dump({'auc': 1, 'f1': 2}, open('m.json', 'w'))", ("auc", "f1")),
        ("d = {'auc': 1}\nd['f1'] = 2\njson.dump(d, open('m.json', 'w'))", ("auc", "f1")),
        ("json.dump(dict(auc=1), open('m.json', 'w'))", ("auc",)),
        ("json.dump({'t': {'auc': 1}}, open('m.json', 'w'))", ("t.auc",)),
        ("def e():\n    return {'auc': 1}\njson.dump(e(), open('m.json', 'w'))", ("auc",)),
        (
            "def w(d, p):\n    with open(p, 'w') as f:\n        json.dump(d, f)\n"
            "w({'auc': 1}, 'm.json')",
            ("auc",),
        ),
        ("Path('m.json').write_text(json.dumps({'auc': 1}))", ("auc",)),
        ("json.dump({**{'auc': 1}, 'f1': 2}, open('m.json', 'w'))", ("auc", "f1")),
        ("json.dump(compute(), open('m.json', 'w'))", ()),
    ],
)
def test_the_names_of_figures_are_read(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    found = step(tmp_path, {"train.py": f"import json\nfrom pathlib import Path\n{text}"})
    assert [(one.path, one.names) for one in found.writes] == [("m.json", names)]


def test_figures_that_only_people_see_are_hints(tmp_path: Path) -> None:
    text = (
        "import mlflow\nprint('Accuracy:', acc)\nprint(f'val loss = {loss:.2f}')\n"
        "print('done', 1)\n"
        "mlflow.log_metric('rmse', rmse)\nmlflow.log_metrics({'mae': 1})\nclf.fit(x)\n"
    )
    hints = step(tmp_path, {"train.py": text}).hints
    assert [(one.where, one.values, one.fitted) for one in hints] == [
        ("printed", {"accuracy": "acc"}, None),
        ("printed", {"val_loss": "loss"}, None),
        ("mlflow", {"rmse": "rmse"}, None),
        ("mlflow", {"mae": "…"}, None),
        ("fitted", {}, "clf"),
    ]


def test_libraries_that_write_by_themselves(tmp_path: Path) -> None:
    text = (
        "from lightning.pytorch.loggers import CSVLogger\nfrom dvclive import Live\n"
        "from lightning.pytorch.callbacks import ModelCheckpoint\nimport keras\n"
        "CSVLogger('logs', name='run', version='last')\nLive('live')\n"
        "ModelCheckpoint(dirpath='ckpt', filename='best')\nmodel.save('m.keras')\n"
        "keras.callbacks.CSVLogger('history.csv')\n"
    )
    assert {(one.path, one.kind) for one in step(tmp_path, {"train.py": text}).writes} == {
        ("logs/run/last/metrics.csv", "metrics"),
        ("live/metrics.json", "metrics"),
        ("ckpt/best.ckpt", "model"),
        ("m.keras", "model"),
        ("history.csv", "metrics"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "def (",
        "\0",
        "x = x\njoblib.dump(m, x)",
        "def f(p):\n    return f(p)\nopen(f(f), 'w')",
        "class A(A):\n  def __init__(self, p):\n    super().__init__(p)\n    open(p, 'w')\nA(1)",
        "import train\nfrom train import *\nfrom . import train\nopen(train.p, 'w')",
        "open(" + "(" * 150 + "'a'" + ")" * 150 + ", 'w')",
        "p = 'a'" + " + p" * 2000 + "\nopen(p, 'w')",
        "open('a\\nb', 'w'); open('\\0', 'w'); open('" + "a" * 5000 + "', 'w')",
    ],
)
def test_hostile_scripts_are_no_error(tmp_path: Path, text: str) -> None:
    for one in step(tmp_path, {"train.py": text}).writes:
        assert len(one.path) <= 1000


@settings(max_examples=examples(60))
@given(
    st.lists(
        st.sampled_from(
            "p = 'a'|p = p + '/b'|open(p, 'w')|def f(p):\n  return p|f(f(p))|import train|q = f(p)|"
            "open(q)|class A:\n  p = 'x'|open(A().p, 'w')|for p in q:\n  open(p, 'w')|p = {'a': p}"
            "|open(p['a'], 'w')|p = [p, p]|with open(p) as q:\n  open(q)".split("|")
        ),
        max_size=12,
    )
)
def test_any_order_of_statements_ends(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    step(tmp_path_factory.mktemp("any"), {"train.py": "\n".join(lines)})
