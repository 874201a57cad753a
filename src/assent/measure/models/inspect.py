"""All files of a model as one inspection."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

import msgspec

from assent.core.inspection import Danger, Inspection, Part
from assent.measure.models.indices import with_checked_indices
from assent.measure.models.pickles import acts_as_pickle
from assent.measure.models.reader import HEAD_BYTES, ModelSource, Reader, ReadError
from assent.measure.pointers import stand_in

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
"""The modules of the readers, in the order in which they are asked."""

MAX_SECONDS = 600.0
"""How long all files of a model together are looked at: each may take a reader a minute."""
_READ_PICKLES = ("pickles", "torch_legacy")
"""The readers that have looked at the whole file as a pickle."""
_POLYGLOT = Danger(what="a file that is a pickle as well, which does something when it is loaded")


def inspect(files: Mapping[str, Path]) -> Inspection:
    """What the files of a model say: `files` is where each lies, by its path in the model.

    Nothing is executed. A file that no reader knows, or that cannot be read, is a part that says
    so: never an exception.
    """
    deadline = time.monotonic() + MAX_SECONDS
    parts = tuple(_in_time(name, files, deadline) for name in sorted(files))
    return Inspection(parts=with_checked_indices(parts, files))


def _in_time(name: str, files: Mapping[str, Path], deadline: float) -> Part:
    """The part, or why it was not looked at: the files come from anybody, and may be many."""
    if time.monotonic() <= deadline:
        return _part(name, files)
    problem = f"not looked at, because the files took more than {MAX_SECONDS:,.0f} seconds"
    return Part(path=name, format="unknown", size_bytes=files[name].stat().st_size, problem=problem)


def _part(name: str, files: Mapping[str, Path]) -> Part:
    path = files[name]
    size = path.stat().st_size
    kind = stand_in(path)
    if kind is not None:  # nobody's clone: a bundle may be of a job that did not look
        return Part(path=name, format="pointer", size_bytes=size, problem=f"it is {kind.what}")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    source = ModelSource(name=name, path=path, size_bytes=size, head=head, files=files)
    part, module = _read(source)
    if module not in _READ_PICKLES and acts_as_pickle(source):
        return msgspec.structs.replace(part, dangers=(_POLYGLOT, *part.dangers))
    return part


def _read(source: ModelSource) -> tuple[Part, str]:
    """What the first reader says that knows the file, and which one it is."""
    for module in READERS:
        reader = cast(Reader, import_module(f"assent.measure.models.{module}"))
        try:
            if not reader.recognizes(source):
                continue
            return reader.read(source), module
        except ReadError as error:
            problem = str(error)
        except Exception as error:  # a library that stumbles over a hostile file
            problem = f"it cannot be read ({type(error).__name__})"
        return Part(
            path=source.name, format=reader.FORMAT, size_bytes=source.size_bytes, problem=problem
        ), module
    unknown = Part(
        path=source.name,
        format="unknown",
        size_bytes=source.size_bytes,
        not_read="its format is not known",
    )
    return unknown, ""
