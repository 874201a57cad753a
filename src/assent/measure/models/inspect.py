"""All files of a model as one inspection."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from assent.core.inspection import Inspection, Part
from assent.measure.models.reader import HEAD_BYTES, ModelSource, Reader, ReadError

READERS: tuple[str, ...] = (
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
    "savedmodel",
    "mlmodel",
    "huggingface",
    "packages",
    "containers",  # archives that none of the above knows
    "plain",  # asked last: it knows files by little more than their name
)
"""The modules of the readers, in the order in which they are asked."""


def inspect(files: Mapping[str, Path]) -> Inspection:
    """What the files of a model say: `files` is where each lies, by its path in the model.

    Nothing is executed. A file that no reader knows, or that cannot be read, is a part that says
    so: never an exception.
    """
    return Inspection(parts=tuple(_part(name, files) for name in sorted(files)))


def _part(name: str, files: Mapping[str, Path]) -> Part:
    path = files[name]
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    source = ModelSource(name=name, path=path, size_bytes=size, head=head, files=files)
    for module in READERS:
        reader = cast(Reader, import_module(f"assent.measure.models.{module}"))
        if not reader.recognizes(source):
            continue
        try:
            return reader.read(source)
        except ReadError as error:
            problem = str(error)
        except Exception as error:  # a library that stumbles over a hostile file
            problem = f"it cannot be read ({type(error).__name__})"
        return Part(path=name, format=reader.FORMAT, size_bytes=size, problem=problem)
    return Part(path=name, format="unknown", size_bytes=size)
