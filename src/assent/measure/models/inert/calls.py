"""What is known of some functions that pickles call: what they give back, or look up."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from assent.measure.models.inert.arrays import dtype_of
from assent.measure.models.inert.values import MISSING, Call, Global

_MAKERS: Final = frozenset(
    {"copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__"}
)
_SCALARS: Final = frozenset({"numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar"})
_IDENTITIES: Final = frozenset(
    f"torch.jit._pickle.build_{kind}list" for kind in ("int", "tensor", "double", "bool")
)
MODULE_FINDERS: Final = frozenset(
    {
        "builtins.__import__",
        "importlib.import_module",
        "cloudpickle.cloudpickle.subimport",
        "dill._dill._import_module",
    }
)
TYPE_FINDERS: Final = frozenset({"cloudpickle.cloudpickle._builtin_type", "dill._dill._load_type"})
CODE: Final = frozenset({"types.CodeType", "dill._dill._create_code"})
_MAX_CODE_PARTS = 100_000
_MAX_CODE_DEPTH = 16


def class_of(call: Call) -> Any:
    """The class of the object that a call makes, if the call says it."""
    if call.name in _MAKERS and type(call.args) is tuple and call.args:
        return call.args[0]
    return call.function


def code_digest(args: Any) -> tuple[str, bool]:
    """The name of a function's code with the start of a SHA-256 of what it is made of, and
    whether that is all of it.
    """
    digest = hashlib.sha256()
    texts: list[str] = []
    waiting = [(args, 0)]
    is_whole = True
    left = _MAX_CODE_PARTS
    while waiting and left:
        value, depth = waiting.pop()
        left -= 1
        if isinstance(value, memoryview):
            digest.update(b"bytes %d " % len(value))
            digest.update(value)
        elif type(value) is str:
            digest.update(b"text " + value.encode("utf-8", "surrogatepass") + b"\0")
            if depth == 1:
                texts.append(value)
        elif value is None or type(value) in (bool, int, float):
            digest.update(f"value {value!r} ".encode())
        elif isinstance(value, Global):
            digest.update(f"name {value.full!r} ".encode())
        elif type(value) is tuple and depth < _MAX_CODE_DEPTH:
            digest.update(b"tuple %d " % len(value))
            waiting.extend((part, depth + 1) for part in reversed(value))
        elif isinstance(value, Call) and value.state is MISSING and value.items is None:
            digest.update(b"call ")
            waiting.extend(((value.args, depth + 1), (value.function, depth + 1)))
        else:
            is_whole = False
    # After the code's file come its names: `f`, and `Class.f` since Python 3.11.
    shown = texts[1][:100] if len(texts) > 1 else "a function"
    return f"code of {shown} sha256:{digest.hexdigest()[:16]}", is_whole and not waiting


def given_back(name: str, args: Any) -> Any:
    """What a function gives back as it is, `MISSING` for all others. An object that is imported
    must not pass for a new one.
    """
    if type(args) is not tuple:
        return MISSING
    if name in _SCALARS and len(args) == 2:
        dtype = dtype_of(args[0])
        return args[1] if dtype is None or dtype.has_objects else MISSING
    return args[0] if name in _IDENTITIES and len(args) == 1 else MISSING


def said(value: Any) -> str:
    """What is called, in few words, if it is no name."""
    if isinstance(value, Call):
        return f"the result of {value.name}" if value.name else "the result of a call"
    return ""
