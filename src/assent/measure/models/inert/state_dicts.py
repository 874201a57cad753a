"""The tensors that a PyTorch pickle rebuilds, by their names in the state dictionary."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from assent.core.scalar import Scalar, scalar
from assent.measure.models.facts import setting
from assent.measure.models.inert.arrays import items_in
from assent.measure.models.inert.remainder import Remainder
from assent.measure.models.inert.values import Call, Global, Pairs, Persistent, attributes
from assent.measure.models.located import IN_PIECES, Located, Place, Unread
from assent.measure.models.reader import MAX_NAMES, ReadError

STORAGES: Final = {
    "DoubleStorage": ("float64", 8),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
    "ComplexFloatStorage": ("complex64", 8),
    "ComplexDoubleStorage": ("complex128", 16),
    "QInt8Storage": ("qint8", 1),
    "QUInt8Storage": ("quint8", 1),
    "QInt32Storage": ("qint32", 4),
    "QUInt4x2Storage": ("quint4x2", 1),
    "QUInt2x4Storage": ("quint2x4", 1),
    "UntypedStorage": ("uint8", 1),
}
"""Type and bytes of an item of PyTorch's storages."""

_ITEM_BYTES: Final = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "uint64": 8,
    "int32": 4,
    "uint32": 4,
    "int16": 2,
    "uint16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
    "complex64": 8,
    "complex128": 16,
    "complex32": 4,
    "float8_e4m3fn": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2": 1,
    "float8_e5m2fnuz": 1,
    "float8_e8m0fnu": 1,
}
_REBUILD: Final = frozenset(
    f"torch._utils.{name}"
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor")
)
_WRAPPED: Final = {
    "torch._utils._rebuild_parameter": 0,
    "torch._utils._rebuild_parameter_with_state": 0,
    "torch.nn.parameter.Parameter": 0,  # before 0.4
    "torch.autograd.variable.Variable": 0,
}
_FROM_TYPE: Final = "torch._tensor._rebuild_from_type_v2"
_DICTIONARIES: Final = frozenset(
    {"collections.OrderedDict", "builtins.dict", "collections.defaultdict"}
)
_NOT_IN_NAMES: Final = frozenset({"_modules", "_parameters", "_buffers"})
COUNTED: Final = "all values of its tensors, buffers included, shared ones once"
_MAX_DEPTH = 64
_MAX_NAME = 1000
_MAX_VISITS = 1_000_000


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tensor's numbers are: in the storage `key`, from the item `first`."""

    name: str
    dtype: str
    item_bytes: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    first: int
    key: str

    @property
    def items(self) -> int:
        """How many numbers it has."""
        return items_in(self.shape) or 0

    @property
    def axes(self) -> tuple[int, ...] | None:
        """The order of the dimensions in memory, empty if it is their own; None if the numbers do
        not lie side by side.
        """
        longer = [axis for axis, length in enumerate(self.shape) if length > 1]
        order = sorted(longer, key=lambda axis: -self.strides[axis])
        expected = 1
        for axis in reversed(order):
            if self.strides[axis] != expected:
                return None
            expected *= self.shape[axis]
        return () if order == longer else tuple(order)


def storage_of(value: Any) -> tuple[str, str, int, int] | None:
    """Type, key, bytes of an item and number of items of a storage outside of the pickle."""
    if not isinstance(value, Persistent) or type(value.id) is not tuple or len(value.id) < 5:
        return None
    tag, kind, key, _, count = value.id[:5]
    if tag != "storage" or not isinstance(kind, Global) or kind.name not in STORAGES:
        return None
    key = str(key) if type(key) in (str, int) else None
    if key is None or type(count) is not int or not 0 <= count < 2**62:
        return None
    dtype, item_bytes = STORAGES[kind.name]
    return dtype, key, item_bytes, count


def _viewed(value: Any) -> tuple[int, int] | None:
    """Where a storage begins that is a part of another, and how many items it has; None for a
    whole one. Files before 1.6 have them.
    """
    view = value.id[5] if len(value.id) > 5 else None
    match view:
        case (_, int(first), int(count)) if first >= 0 and count >= 0:
            return first, count
    return None


def left_out_of(
    tensors: Iterable[Stored], walked: Iterable[Persistent], rest: Remainder
) -> str | None:
    """The numbers that are in the file and in no tensor that is understood, and what of the rest
    could not be followed.
    """
    known = {tensor.key for tensor in tensors}
    stored = {
        storage[1]
        for reference in walked
        if (storage := storage_of(reference)) is not None and storage[3]
    }
    lost = len(stored - known)
    if not lost:
        return None if rest.is_whole else "values in it that could not be followed"
    return f"{lost:,} of its {len(stored):,} storages, which are in no tensor that is understood"


def remainder_of(root: Any) -> Remainder:
    """What a file holds beside its tensors and its settings."""
    values = dict(_top(root))
    told = {key for key in settings_of(root) if key in values and _is_told(values[key])}
    return Remainder(root, told, lambda value: _tensor(value, "tensor") is not None)


def placed(tensor: Stored, path: Path, start: int, size: int) -> Place:
    """Where a tensor's numbers are, whose storage is `size` bytes at `start`. Raises `ReadError`
    for one that is larger than its storage.
    """
    axes = tensor.axes
    if axes is None:
        return Unread(shape=tensor.shape, why=IN_PIECES)
    first, length = tensor.first * tensor.item_bytes, tensor.items * tensor.item_bytes
    if first + length > size:
        raise ReadError(f"the tensor {tensor.name[:100]!r} is larger than what holds it")
    return Located(
        dtype=tensor.dtype,
        shape=tensor.shape,
        offset=start + first,
        size_bytes=length,
        path=path,
        axes=axes,
    )


def tensors_of(root: Any) -> list[Stored]:
    """All tensors that can be reached, in order. A tensor that two names share is there twice.
    Raises `ReadError` for tensors that are larger than what holds them.
    """
    tensors: list[Stored] = []
    entered: set[int] = set()
    waiting: list[tuple[Any, str, int]] = [(root, "", 0)]
    visits = 0
    while waiting:
        value, name, depth = waiting.pop()
        visits += 1
        if visits > _MAX_VISITS or depth > _MAX_DEPTH or len(name) > _MAX_NAME:
            continue
        tensor = _tensor(value, name or "tensor")
        if tensor is not None:
            tensors.append(tensor)
            if len(tensors) > MAX_NAMES:
                raise ReadError(f"it has more than {MAX_NAMES:,} tensors")
            continue
        if not isinstance(value, Call | Pairs | list | tuple) or id(value) in entered:
            continue
        entered.add(id(value))
        children = [
            (child, _below(name, key), depth + 1)
            for key, child in _children(value)
            if isinstance(child, Call | Pairs | list | tuple)
        ]
        waiting.extend(reversed(children))
    return tensors


def parameters_of(tensors: list[Stored]) -> int:
    """The numbers of all tensors, those that several names share counted once."""
    distinct = {(tensor.key, tensor.first, tensor.shape): tensor.items for tensor in tensors}
    return sum(distinct.values())


def settings_of(root: Any) -> dict[str, Scalar]:
    """The class of a whole module, or the plain values of a checkpoint."""
    settings: dict[str, Scalar] = {}
    if _tensor(root, "tensor") is not None:
        return settings
    if isinstance(root, Call) and root.name and root.name not in _DICTIONARIES:
        settings["class"] = root.name
    for key, value in _top(root):
        if len(settings) >= 200 or key.startswith("_") or key == "training":
            continue
        if type(value) is str:
            settings[key[:200]] = setting(value)
        elif _is_told(value):
            settings[key[:200]] = scalar(value)
    return settings


def _top(root: Any) -> list[tuple[str, Any]]:
    """The attributes of a whole module, or what a checkpoint holds by its names."""
    if isinstance(root, Call) and root.name and root.name not in _DICTIONARIES:
        return list(attributes(root).items())
    return [(key, value) for key, value in _children(root) if type(key) is str]


def _is_told(value: Any) -> bool:
    return value is None or type(value) in (bool, int, float, str)


def _children(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Call):
        if value.name in _DICTIONARIES:
            return [*_listed(value.args), *_pairs(value.items or [])]
        return list(attributes(value).items())
    if isinstance(value, Pairs):
        return _pairs(value.flat)
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    return []


def _listed(args: Any) -> list[tuple[Any, Any]]:
    """The pairs that a dictionary is made of: Python 2 writes an ordered one so."""
    first = args[0] if type(args) is tuple and args else None
    if isinstance(first, Pairs):
        return _pairs(first.flat)
    if type(first) is not list:
        return []
    return [
        (pair[0], pair[1]) for pair in first if isinstance(pair, list | tuple) and len(pair) == 2
    ]


def _pairs(flat: list[Any]) -> list[tuple[Any, Any]]:
    return [(flat[at], flat[at + 1]) for at in range(0, len(flat) - 1, 2)]


def _below(name: str, key: Any) -> str:
    if type(key) not in (str, int) or key in _NOT_IN_NAMES:
        return name
    return f"{name}.{key}" if name else f"{key}"


def _tensor(value: Any, name: str, depth: int = 0) -> Stored | None:
    if not isinstance(value, Call) or type(value.args) is not tuple or depth > 8:
        return None
    called, args = value.name, value.args
    if called in _WRAPPED and args:
        return _tensor(args[0], name, depth + 1)
    if called == _FROM_TYPE and len(args) >= 3:
        return _tensor(Call(args[0], args[2]), name, depth + 1)
    if called not in _REBUILD or len(args) < 4:
        return None
    storage = storage_of(args[0])
    first, shape, strides = args[1:4]
    if storage is None:
        return None
    dtype, key, item_bytes, count = storage
    view = _viewed(args[0])
    if view is not None:
        if view[0] + view[1] > count:
            raise ReadError(f"the tensor {name[:100]!r} is larger than what holds it")
        count = view[1]
    storage_bytes = count * item_bytes
    if called.endswith("_v3") and len(args) > 6 and isinstance(args[6], Global):
        dtype = args[6].name
        item_bytes = _ITEM_BYTES.get(dtype, 1)
    doing = f"the tensor {name[:100]!r}"
    if items_in(shape) is None or items_in(strides) is None or len(shape) != len(strides):
        raise ReadError(f"{doing} has no shape")
    if type(first) is not int or first < 0:
        raise ReadError(f"{doing} has no place")
    if items_in(shape):
        last = first + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if (last + 1) * item_bytes > storage_bytes:
            raise ReadError(f"{doing} is larger than what holds it")
    return Stored(
        name=name,
        dtype=dtype,
        item_bytes=item_bytes,
        shape=shape,
        strides=strides,
        first=first if view is None else first + view[0],
        key=key,
    )
