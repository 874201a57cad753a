"""HDF5: the weights of Keras, and its older files of a whole model (`.h5`).

The file is read by another process, see `hdf5_walk`.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from assent.core.inspection import Danger, Part, Tensor
from assent.core.scalar import Scalar
from assent.errors import to_install
from assent.measure.models.dtypes import BITS, checked_shape, size_bytes
from assent.measure.models.formats import hdf5_walk, keras_config
from assent.measure.models.located import Located, Place, Unread
from assent.measure.models.reader import ModelSource, Reader, ReadError

FORMAT = "hdf5"

MAGIC = b"\x89HDF\r\n\x1a\n"
COUNTED = "all values but an optimizer's"
_TIMEOUT_S = 60
_MAX_ANSWER = 128 * 1024 * 1024


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What an HDF5 file holds. `places` are where the values of its arrays lie. `attributes` are
    those in which Keras describes the model, `others` the digest of all others, and of names for
    what has another name.
    """

    tensors: tuple[Tensor, ...]
    places: dict[str, Place]
    attributes: dict[str, str]
    dangers: tuple[Danger, ...]
    problem: str | None
    others: str | None = None

    @property
    def settings(self) -> dict[str, Scalar]:
        """What can be compared though it is not shown."""
        return {} if self.others is None else {"other attributes": f"sha256:{self.others[:16]}"}

    @property
    def parameters(self) -> int:
        """The values that are no state of an optimizer."""
        kept = (tensor for tensor in self.tensors if not tensor.name.startswith("optimizer"))
        return sum(math.prod(tensor.shape) for tensor in kept)


def recognizes(source: ModelSource) -> bool:
    """By the signature at the beginning."""
    return source.head.startswith(MAGIC)


def read(source: ModelSource) -> Part:
    """The arrays, and the model that Keras describes in the attributes."""
    content = read_content(source.path, 0, source.size_bytes)
    attributes = content.attributes
    config = keras_config.read(attributes.get("model_config"), attributes.get("training_config"))
    versions = {
        name: attributes[key]
        for name, key in (("keras", "keras_version"), ("backend", "backend"))
        if key in attributes
    }
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=content.parameters,
        counted=COUNTED,
        tensors=content.tensors,
        settings={**config.settings, **content.settings},
        versions={name: text[:100] for name, text in versions.items()},
        features=config.features,
        signature=config.signature,
        imports=config.imports,
        dangers=(*config.dangers, *content.dangers),
        code=config.code,
        problem=content.problem or config.problem,
    )


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the values of the arrays lie."""
    return read_content(source.path, 0, source.size_bytes).places


def read_content(path: Path, start: int, size: int) -> Content:
    """What the `size` bytes at `start` of a file hold. Raises `ReadError`."""
    program = [sys.executable, "-I", hdf5_walk.__file__, str(path), str(start), str(size)]
    with tempfile.TemporaryFile() as answer:
        try:
            ended = subprocess.run(
                program,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ReadError(f"reading it as HDF5 took more than {_TIMEOUT_S} s") from None
        if ended.returncode == hdf5_walk.MISSING:
            raise ReadError(f"reading HDF5 needs h5py: {to_install('models')}")
        answer.seek(0)
        text = answer.read(_MAX_ANSWER)
    if ended.returncode != 0 or len(text) == _MAX_ANSWER:
        raise ReadError("it cannot be read as HDF5")
    told = json.loads(text)
    places: dict[str, Place] = {}
    tensors = [_tensor(entry, path, start, size, places) for entry in told["tensors"]]
    return Content(
        tensors=tuple(sorted(tensors, key=lambda tensor: tensor.name)),
        places=places,
        attributes={key: keras_config.clean(text) for key, text in told["attributes"].items()},
        dangers=tuple(
            Danger(what=what, detail=keras_config.clean(detail)) for what, detail in told["dangers"]
        ),
        problem=told["problem"],
        others=told["others"],
    )


def _tensor(
    entry: list[Any], path: Path, start: int, size: int, places: dict[str, Place]
) -> Tensor:
    name, dtype, dimensions, offset, width, why = entry
    name = keras_config.clean(name)
    shape = checked_shape(name, dimensions)
    if offset is not None and dtype in BITS:
        length = size_bytes(dtype, math.prod(shape))
        if length != width * math.prod(shape) or offset + length > size:
            raise ReadError(f"the tensor {name!r} reaches beyond the end of the file")
        places[name] = Located(
            dtype=dtype, shape=shape, offset=start + offset, size_bytes=length, path=path
        )
    else:
        why = keras_config.clean(why) or f"values of the type {dtype} are not read"
        places[name] = Unread(shape=shape, why=why)
    return Tensor(name=name, dtype=dtype, shape=shape)


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
