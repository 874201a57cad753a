"""Stands in for MLflow's tracking: figures go into files below `mlruns/`, by run."""

import contextlib
import pickle
import uuid
from pathlib import Path
from types import SimpleNamespace

_run = Path("mlruns/0") / uuid.uuid4().hex


@contextlib.contextmanager
def start_run():
    (_run / "metrics").mkdir(parents=True, exist_ok=True)
    yield _run


def log_param(name, value):
    (_run / "params").mkdir(parents=True, exist_ok=True)
    (_run / "params" / name).write_text(str(value))


def log_metric(name, value):
    (_run / "metrics" / name).write_text(f"0 {value} 0\n")


def _save_model(model, path):
    Path(path).mkdir(parents=True)
    (Path(path) / "model.pkl").write_bytes(pickle.dumps(model))
    (Path(path) / "MLmodel").write_text("flavors:\n  python_function:\n    model_path: model.pkl\n")


sklearn = SimpleNamespace(save_model=_save_model)
