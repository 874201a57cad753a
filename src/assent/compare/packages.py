"""Packages side by side: which came, went, and in which direction their versions moved.

Versions are compared as PEP 440 orders them, by `packaging`, the reference implementation: epochs,
pre-, post- and development releases have an order that nobody should write twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from packaging.version import InvalidVersion, Version

from assent.compare.values import compare_values, environment_values
from assent.core.diff.sameness import NotCompared
from assent.core.diff.values import ValueChange, Values
from assent.core.evidence import Environment, PackagesGap
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


def compare_dependencies(old: Environment | None, new: Environment) -> Values:
    """The packages of two environments. Where those of one are not known, not all of them, or
    known from elsewhere, only what both state and state otherwise is a change; nothing is the same.
    """
    if old is None:
        compared = compare_packages(None, new.packages)
        reason = _unknown(("the candidate", new))
    else:
        compared = compare_packages(old.packages, new.packages)
        reason = _why_not(old, new)
    if not reason:
        return compared
    changes = compared.changes
    if old is not None:
        changes = tuple(change for change in changes if UNSET not in (change.old, change.new))
    remedy = "" if new.packages_gap is None else _REMEDY
    return Values(changes=changes, not_compared=(NotCompared(reason=reason, remedy=remedy),))


_REMEDY = "name the Python that trains in assent.yaml, as in python: .venv/bin/python"


def _why_not(old: Environment, new: Environment) -> str:
    """Why packages cannot be compared; "" if they can."""
    unknown = _unknown(("the baseline", old), ("the candidate", new))
    if unknown:
        return unknown
    if old.packages_from != new.packages_from:
        before, after = _source(old), _source(new)
        return f"those of the baseline are from {before}, those of the candidate from {after}"
    had, has = (max(1, len(side.interpreters)) for side in (old, new))
    if had != has:
        return f"those of the baseline are of {_pythons(had)}, those of the candidate of {has}"
    return ""


def _pythons(number: int) -> str:
    return f"{number} installation{'s' * (number > 1)} of Python"


def _unknown(*sides: tuple[str, Environment]) -> str:
    """Of which sides packages are not known, and why; "" if all are."""
    gaps = [(name, _gap(side)) for name, side in sides]
    reasons = {reason for _, reason in gaps}
    if len(gaps) > 1 and len(reasons) == 1:
        gaps = [("both sides", reasons.pop())]
    return "; ".join(f"those of {name} are {reason}" for name, reason in gaps if reason)


def _gap(side: Environment) -> str:
    if side.packages_gap is not None:
        part = "not all known" if side.packages else "not known"
        return f"{part}, since {_GAPS[side.packages_gap]}"
    return "not known" if side.packages_from is None else ""


_GAPS: dict[PackagesGap, str] = {
    "nothing ran": "no command ran",
    "not seen": "no Python was seen to run",
    "no answer": "the Python that ran does not say what it has",
    "hidden": "a Python ran that cannot be asked",
    "elsewhere": "something ran in a container or on another machine",
    "short": "most of the work was done by processes too short to be seen",
    "many": "more installations of Python ran than are asked",
}


def _source(side: Environment) -> str:
    """Where packages are from; a bundle can say anything."""
    named = side.packages_from or ""
    return named if re.fullmatch(r"[\w.,/ -]{1,60}", named) else "another source"


def compare_environment(old: Environment | None, new: Environment) -> Values:
    """The environment without its packages, versions compared as such, what the model depends on
    first. What is not known on one side is not compared, and neither is what everybody has and
    nobody knows.
    """
    after = environment_values(new)
    before = after if old is None else environment_values(old)
    expected = _ALWAYS | (_WITH_GPUS if _has_gpus(old) or _has_gpus(new) else set())
    unknown = (before.keys() ^ after.keys()) | (expected - before.keys() - after.keys())
    known = before.keys() & after.keys()
    compared = compare_values(
        None if old is None else {name: before[name] for name in known},
        {name: after[name] for name in known},
    )
    changes = [
        _versioned(change, matters=True) if change.name in _VERSIONED else change
        for change in compared.changes
    ]
    changes.sort(key=lambda change: (not change.matters, change.name))
    return Values(
        changes=tuple(changes),
        same=compared.same,
        not_compared=tuple(
            NotCompared(name=name, reason=f"not known {_where(name, old, before, after)}")
            for name in sorted(unknown)
        ),
    )


_ALWAYS = frozenset({"python", "platform", "machine", "cpu", "cpu_count", "memory_bytes", "gpus"})
_WITH_GPUS = frozenset({"cuda", "driver"})


def _has_gpus(side: Environment | None) -> bool:
    return side is not None and bool(side.gpus)


def _where(
    name: str, old: Environment | None, before: Mapping[str, Scalar], after: Mapping[str, Scalar]
) -> str:
    if name in before:
        return "in the candidate"
    if name in after:
        return "in the baseline"
    return "in the candidate" if old is None else "on both sides"


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
