"""Packages side by side: which came, went, and in which direction their versions moved.

Versions are compared as PEP 440 orders them, by `packaging`, the reference implementation: epochs,
pre-, post- and development releases have an order that nobody should write twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import UnsetType
from packaging.version import InvalidVersion, Version

from assent.compare.values import compare_values, environment_values
from assent.core.diff.values import ValueChange, Values
from assent.core.evidence import Environment
from assent.core.scalar import Scalar

_MAX_VERSION = 200

_MATTERS = frozenset(
    """
    accelerate autogluon bitsandbytes catboost category-encoders cloudpickle cupy dask datasets
    deepspeed diffusers dill fastai feature-engine flash-attn flax gensim gguf h5py
    imbalanced-learn jax jaxlib joblib keras lightgbm lightning llama-cpp-python mkl ml-dtypes
    mlflow mlx mxnet nltk numba numpy onnx onnxruntime openblas optuna paddlepaddle pandas peft
    polars prophet pyarrow pyspark python pytorch pytorch-lightning ray safetensors scikit-learn
    scipy sentence-transformers sentencepiece skops skorch sktime spacy statsmodels tensorflow
    tensorrt tf-keras tiktoken timm tokenizers torch torchaudio torchvision transformers triton
    treelite vllm xgboost
    """.split()
)
"""What numbers are computed with, or what a model is written and read with."""
_FAMILIES = re.compile(
    r"(?:autogluon|cuda|cudatoolkit|cudnn|cupy|nvidia|onnxruntime|tensorflow|torch|xgboost)[.-]"
)
_VERSIONED = frozenset({"python", "cuda", "driver"})


def compare_packages(old: Mapping[str, str] | None, new: Mapping[str, str]) -> Values:
    """Packages by name, those that matter for a model first. The same version in another
    spelling (`1.0`, `1.0.0`) is no change.
    """
    before: dict[str, Scalar] | None = None if old is None else {**old}
    compared = compare_values(before, {**new})
    changes = [
        _versioned(change, matters=matters(change.name))
        for change in compared.changes
        if not _is_same(change.old, change.new)
    ]
    changes.sort(key=lambda change: (not change.matters, change.name))
    respelled = len(compared.changes) - len(changes)
    return Values(changes=tuple(changes), same=compared.same + respelled)


def compare_environment(old: Environment | None, new: Environment) -> Values:
    """The environment without its packages, versions compared as such, what the model depends on
    first.
    """
    compared = compare_values(
        None if old is None else environment_values(old), environment_values(new)
    )
    changes = [
        _versioned(change, matters=True) if change.name in _VERSIONED else change
        for change in compared.changes
    ]
    changes.sort(key=lambda change: (not change.matters, change.name))
    return Values(changes=tuple(changes), same=compared.same)


def matters(name: str) -> bool:
    """Whether a package of this normalised name is likely to change what a model computes."""
    return name in _MATTERS or _FAMILIES.match(name) is not None


def version_move(old: str, new: str) -> Literal["up", "down"] | None:
    """Where a version went; None if one of them is none, or if only the build differs
    (`2.1+cpu`, `2.1+cu121`).
    """
    left, right = _version(old), _version(new)
    if left is None or right is None or left.public == right.public:
        return None
    return "up" if left < right else "down"


def _versioned(change: ValueChange, *, matters: bool) -> ValueChange:
    old, new = change.old, change.new
    move = change.move
    if isinstance(old, str) and isinstance(new, str):
        move = version_move(old, new)
    return msgspec.structs.replace(change, move=move, matters=matters)


def _is_same(old: Scalar | UnsetType, new: Scalar | UnsetType) -> bool:
    if not isinstance(old, str) or not isinstance(new, str):
        return False
    left = _version(old)
    return left is not None and left == _version(new)


def _version(text: str) -> Version | None:
    if len(text) > _MAX_VERSION:
        return None
    try:
        return Version(text)
    except InvalidVersion:
        return None
