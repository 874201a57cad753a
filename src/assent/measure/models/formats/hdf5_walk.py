"""A program of its own: what an HDF5 file holds, as JSON on standard output.

The library that reads HDF5 is written in C and has had many faults that a crafted file reaches.
Here it can only end this process, which is bounded in memory and time; it is started by the path
of this file and imports nothing of Assent. Links to other files are told and never followed, and
no values of arrays are read: only where they lie. Attributes and names for what has another name
are read, and told by their digest.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import resource
import sys
from collections.abc import Iterator
from typing import Any

MISSING = 3
"""The exit code without h5py."""

_MAX_TENSORS = 100_000
_MAX_NAME = 4096
_MAX_TEXT = 32 * 1024 * 1024
_MAX_CPU_S = 30
_MAX_MEMORY = 1024**3
_ATTRIBUTES = ("keras_version", "backend", "model_config", "training_config")


class RefusedError(Exception):
    """The file is not read on."""


class Window(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, file: io.FileIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move as `io.IOBase.seek` does."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        """The place in the window."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as the window reaches."""
        wanted = max(0, min(len(buffer), self._size - self._at))
        if not wanted:
            return 0
        self._file.seek(self._start + self._at)
        count = self._file.readinto(memoryview(buffer)[:wanted]) or 0
        self._at += count
        return count


def main(path: str, start: int, size: int) -> int:
    """Print what the `size` bytes at `start` of the file `path` hold."""
    try:
        import h5py
    except ImportError:
        return MISSING
    _bound()
    content: dict[str, Any] = {"tensors": [], "dangers": [], "attributes": {}, "problem": None}
    others = hashlib.sha256()
    nothing = others.hexdigest()
    try:
        with io.FileIO(path) as raw, h5py.File(Window(raw, start, size), "r") as file:
            told: set[tuple[str, str]] = set()
            for name, place in (("", file), ("model_weights", _inside(file))):
                if place is not None:
                    told |= set(_attributes(h5py, name, place, content["attributes"]))
            _walk(h5py, file, content, others, told)
    except RefusedError as error:
        content["problem"] = str(error)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError):
        content["problem"] = "it is damaged, or not HDF5"
    content["others"] = None if others.hexdigest() == nothing else others.hexdigest()
    sys.stdout.write(json.dumps(content))
    return 0


def _bound() -> None:
    """Bound the memory beyond what is mapped already, and the time, of this process."""
    limits = {resource.RLIMIT_CPU: _MAX_CPU_S, resource.RLIMIT_CORE: 0}
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123
            mapped = int(file.read().split()[0]) * resource.getpagesize()
        limits[resource.RLIMIT_AS] = mapped + _MAX_MEMORY
    except OSError:  # no such place: not Linux
        pass
    for kind, limit in limits.items():
        try:
            resource.setrlimit(kind, (limit, limit))
        except (ValueError, OSError):  # a lower one is set already
            continue


def _inside(file: Any) -> Any:
    """The group of the weights in a file of Keras 2, if it is in this file."""
    import h5py

    link = file.get("model_weights", getlink=True)
    return file["model_weights"] if isinstance(link, h5py.HardLink) else None


def _attributes(
    h5py: Any, where: str, place: Any, into: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Take the attributes that are told, and say which those are."""
    for name in _ATTRIBUTES:
        if name in into or name not in place.attrs:
            continue
        attribute = h5py.h5a.open(place.id, name.encode())
        if attribute.get_storage_size() > _MAX_TEXT:
            raise RefusedError(f"its attribute {name} is larger than 32 MiB")
        value = place.attrs[name]
        text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
        if isinstance(text, str) and len(text) <= _MAX_TEXT:
            into[name] = text
            yield where, name


def _note(h5py: Any, name: str, place: Any, others: Any, told: set[tuple[str, str]]) -> None:
    """Take in the attributes that nobody is told of, in the order of their names."""
    for key in sorted(place.attrs):
        if (name, key) in told:
            continue
        attribute = h5py.h5a.open(place.id, key.encode())
        if math.prod(attribute.shape or ()) * attribute.dtype.itemsize > _MAX_TEXT:
            raise RefusedError(f"its attribute {key[:100]} is larger than 32 MiB")
        value = place.attrs[key]
        if h5py.check_ref_dtype(attribute.dtype) is not None:
            value = _names(h5py, place, value)
        values = value.tolist() if hasattr(value, "tolist") else value
        line = f"{name} {key} {attribute.dtype} {values!r}\n"
        others.update(line.encode(errors="backslashreplace"))


def _names(h5py: Any, place: Any, value: Any) -> Any:
    """What references point to, by name."""
    references = value.ravel() if hasattr(value, "ravel") else [value]
    return [
        h5py.h5r.get_name(reference, place.id) if reference else None for reference in references
    ]


def _walk(
    h5py: Any, file: Any, content: dict[str, Any], others: Any, told: set[tuple[str, str]]
) -> None:
    groups, seen = [("", file)], set()
    _note(h5py, "", file, others, told)
    while groups:
        path, group = groups.pop()
        if len(groups) + len(group) > _MAX_TENSORS:
            raise RefusedError("it holds more than 100,000 names")
        for name in group:
            spelled = f"{path}{name}"
            if len(spelled) > _MAX_NAME:
                raise RefusedError("a name of more than 4,096 characters")
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                _danger(content, "a link to another file", f"{spelled} -> {link.filename}")
                continue
            if not isinstance(link, h5py.HardLink):
                others.update(f"{spelled} is {link.path}\n".encode(errors="backslashreplace"))
                continue  # a name for something that has another name
            member = group[name]
            where = h5py.h5o.get_info(member.id)
            if (where.fileno, where.addr) in seen:
                others.update(f"{spelled} is {where.addr}\n".encode(errors="backslashreplace"))
                continue  # met by another name, perhaps inside of itself
            seen.add((where.fileno, where.addr))
            _note(h5py, spelled, member, others, told)
            if isinstance(member, h5py.Group):
                if not len(member):
                    others.update(f"{spelled} is empty\n".encode(errors="backslashreplace"))
                groups.append((f"{spelled}/", member))
            elif isinstance(member, h5py.Dataset):
                if len(content["tensors"]) >= _MAX_TENSORS:
                    raise RefusedError("it holds more than 100,000 tensors")
                content["tensors"].append(_tensor(h5py, spelled, member, content))
            else:
                others.update(f"{spelled} is a type\n".encode(errors="backslashreplace"))


def _tensor(h5py: Any, name: str, member: Any, content: dict[str, Any]) -> list[Any]:
    """Name, type, shape, and where the values lie if they lie there as an array would, else why
    they do not.
    """
    plan = member.id.get_create_plist()
    layout = plan.get_layout()
    is_outside = plan.get_external_count() or layout == h5py.h5d.VIRTUAL
    if is_outside:
        _danger(content, "values in another file", name)
    dtype = member.dtype
    spelled = dtype.name if dtype.kind in "fiubc" else str(dtype)[:100]
    offset, why = None, ""
    if is_outside:
        why = "its values lie in another file"
    elif dtype.kind not in "fiub":
        why = f"values of the type {spelled} are not read"
    elif dtype.byteorder not in "<|=" or sys.byteorder != "little":
        why = "its values have the highest byte first"
    elif layout == h5py.h5d.CONTIGUOUS:
        offset = member.id.get_offset()
        why = "" if offset is not None else "its values were never written"
    elif layout == h5py.h5d.COMPACT:
        why = "its values lie among what is said of it"
    else:
        why = "its values are compressed or in chunks"
    return [name, spelled, list(member.shape or ()), offset, dtype.itemsize, why]


def _danger(content: dict[str, Any], what: str, detail: str) -> None:
    if len(content["dangers"]) < 100:
        content["dangers"].append([what, detail[:200]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
