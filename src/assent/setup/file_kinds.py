"""What a file is, going by its name: the last thing to go by, after what is stated and read."""

from __future__ import annotations

import posixpath
import re

from assent.setup.seen import Kind

MODEL_ENDINGS = frozenset(
    """
    .pkl .pickle .joblib .skops .pt .pth .ckpt .onnx .h5 .hdf5 .keras .safetensors .cbm .ubj .gguf
    .pmml .tflite .pb .model .mar .bst .npz .bin .dill
    .rds .rdata .rda .qs .jld2 .bson .jls
    """.split()
)
DATA_ENDINGS = frozenset(
    ".csv .tsv .parquet .feather .json .jsonl .ndjson .xml .xlsx .npy .arff .txt .gz .zip".split()
)
TABLE_ENDINGS = frozenset(".csv .tsv .parquet .jsonl .ndjson".split())
PLOT_ENDINGS = frozenset(".png .jpg .jpeg .svg".split())
METRIC_ENDINGS = frozenset(".json .yaml .yml .toml .csv .tsv .txt".split())
_MODELS_ONLY = frozenset(
    ".keras .h5 .pt .pth .ckpt .onnx .safetensors .joblib .skops .cbm .gguf .tflite".split()
)
_TABLES = frozenset(".csv .tsv .parquet .feather .jsonl .ndjson .xlsx .arff .npy".split())
_NO_MODELS = _TABLES | frozenset(".txt .md .log .html .rst .py .sql .lock .tmp".split())
"""Endings of files that are no model, whatever they are called."""
PARAM_ENDINGS = frozenset(".yaml .yml .json .toml .env .ini .cfg".split())

_MODEL = frozenset(
    """
    model models weights checkpoint checkpoints ckpt classifier regressor clf estimator net network
    pipeline booster forest xgb lgbm lightgbm catboost predictor snapshot
    """.split()
)
_NO_MODEL = frozenset(
    """
    data dataset features prepared processed split vectorizer scaler encoder tokenizer preprocessor
    transformer vocab index cache optimizer history schema columns params vector vectors embedding
    embeddings table
    """.split()
)
_METRICS = frozenset(
    """
    metric metrics score scores result results evaluation eval performance report summary accuracy
    """.split()
)
_PREDICTIONS = frozenset(
    "pred preds prediction predictions predicted forecast forecasts submission".split()
)
_SETTINGS = frozenset("conf config configs configuration settings params".split())
_COSTS = frozenset(
    """
    size time seconds minutes duration latency memory cost count epoch epochs step steps rate
    """.split()
)
_TRAINS = frozenset("train training trainer fit finetune finetuning retrain".split())
_EVALUATES = frozenset("evaluate evaluation eval test validate validation score metrics".split())
_PREDICTS = frozenset("predict prediction predictions inference infer".split())


def words(name: str) -> set[str]:
    """The words of a name: `run_trainModel-2.py` has run, train, model."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return set(re.findall(r"[a-z]+", spaced.lower()))


def ending(path: str) -> str:
    """The ending of a path, in small letters."""
    return posixpath.splitext(path)[1].lower()


def kind_of(path: str) -> Kind:
    """What a file that a script writes is, by its name."""
    named = words(posixpath.splitext(posixpath.basename(path))[0])
    end = ending(path)
    if end in PLOT_ENDINGS or path.endswith((".vl.json", ".vega.json")):
        return "plots"
    if named & _PREDICTIONS and end in DATA_ENDINGS:
        return "predictions"
    if named & _METRICS and end in METRIC_ENDINGS:
        return "metrics"
    if end not in _NO_MODELS and _is_named_model(named, end):
        return "params" if is_setting(path) else "model"
    if named & {"params", "config", "settings"} and end in PARAM_ENDINGS:
        return "params"
    return "data" if end in DATA_ENDINGS else "other"


def _is_named_model(named: set[str], end: str) -> bool:
    return bool(named & _MODEL or end in _MODELS_ONLY) and not _is_data(named)


def _is_data(named: set[str]) -> bool:
    """Whether a word says that this is data, or what belongs to it: `traindata` does."""
    return bool(named & _NO_MODEL) or any(re.search(r"(?:^data|data$)", word) for word in named)


def is_setting(path: str) -> bool:
    """Whether a file is one of settings, whatever it is called: YAML, TOML and their like, or JSON
    in a folder of settings.
    """
    end = ending(path)
    is_json = end == ".json" and bool(words(posixpath.dirname(path)) & _SETTINGS)
    return is_json or (end in PARAM_ENDINGS and end != ".json")


def model_score(path: str) -> int:
    """How much a path looks like a model; 0 or less means not at all."""
    stem = posixpath.splitext(posixpath.basename(path.rstrip("/")))[0]
    named = words(stem)
    folder = words(posixpath.dirname(path))
    score = 2 * (ending(path) in MODEL_ENDINGS) + 3 * bool(named & _MODEL)
    return (
        score
        + bool(folder & _MODEL)
        - 4 * _is_data(named)
        - 2 * bool(folder & _NO_MODEL - {"data"})
    )


def trains(name: str) -> bool:
    """Whether a name says that something is trained there."""
    return bool(words(name) & _TRAINS)


def is_cost(name: str) -> bool:
    """Whether a figure is about what a training took, not about how good its model is."""
    return bool(words(name) & _COSTS)


def is_test(name: str) -> bool:
    """Whether a file holds tests of code, as pytest and absl call them."""
    return name.startswith(("test_", "conftest")) or name.endswith(("_test.py", "_tests.py"))


def evaluates(name: str) -> bool:
    """Whether a name says that a model is tried there."""
    return bool(words(name) & _EVALUATES) and not trains(name)


def predicts(name: str) -> bool:
    """Whether a name says that a model is used there."""
    return bool(words(name) & _PREDICTS)
