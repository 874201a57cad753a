"""All formats, in one list."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from assent.measure.models.reader import Reader

FORMATS: tuple[str, ...] = (
    "safetensors",
    "gguf",
    "keras",
    "hdf5",
    "torch_zip",
    "torch_legacy",
    "npz",
    "skops",
    "pickles",
    "xgboost",
    "lightgbm",
    "catboost",
    "onnx",
    "tflite",
    "coreml",
    "tfjs",
    "openvino",
    "savedmodel",
    "mlmodel",
    "huggingface",
    "packages",
    "containers",  # archives that none of the above knows
    "unread",
    "plain",  # asked last: it knows files by little more than their name
)
"""The modules of `formats`, each with its `READER`, in the order in which they are asked."""


def readers() -> Iterator[Reader]:
    """The readers in their order; a module is imported when it is its turn."""
    for name in FORMATS:
        reader = import_module(f"assent.measure.models.formats.{name}").READER
        assert isinstance(reader, Reader)
        yield reader
