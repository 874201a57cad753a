"""How far the weights of two models lie apart: which tensors belong together, and which of them
could not be compared.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from assent.core.diff.model import WeightChange, Weights
from assent.core.diff.sameness import NotCompared
from assent.core.tensor_names import aligned
from assent.errors import OutsideError
from assent.measure.files import Progress
from assent.measure.models.deadline import MAX_SECONDS, Clock, Deadline
from assent.measure.models.distances import Pair, compare_located, decoder_of
from assent.measure.models.floats import why_unread
from assent.measure.models.located import OTHER_ORDER, Located, Place, Unread
from assent.measure.models.reader import ModelSource, Once, source_of
from assent.measure.models.registry import readers

SEVERAL = "several files hold a tensor of this name, and which belong together is not known"
WHOLE_ON_ONE_SIDE = "its values are whole numbers on one side alone, and may stand for others"
TIME_WAS_UP = f"time was up: it takes more than {MAX_SECONDS:,.0f} seconds"


def compare_weights(
    old: Mapping[str, Path],
    new: Mapping[str, Path],
    *,
    progress: Progress | None = None,
    clock: Clock = time.monotonic,
) -> Weights:
    """How far each tensor has moved that both models (files by their path in the model) hold under
    one name in one shape, whatever the formats, and which of them could not be compared.

    Types may differ as long as both are numbers, and whole ones on both sides or on neither. Values
    that are not finite on one side are left out of the sums; those of the new model are counted. A
    tensor that is the same byte for byte, or in value, has the distance 0, a tensor of zeros too;
    no other has. Files that cannot be read are left out: `inspect` says what is wrong with them.
    `progress` is called with bytes of both sides together. What is not compared when `MAX_SECONDS`
    have passed on `clock` is left uncompared, and said so.
    """
    deadline = Deadline(clock)
    pairs: list[Pair] = []
    unread: list[NotCompared] = []
    left, right = _located(old, deadline), _located(new, deadline)
    if left is None or right is None:
        return Weights(problem=TIME_WAS_UP)
    for name, before, after in _couples(left, right):
        why = _why(before) or _why(after) or _why_apart(before, after)
        if isinstance(before, Located) and isinstance(after, Located) and why is None:
            pairs.append(Pair(name, before, after))
        else:
            unread.append(NotCompared(name=name, reason=why or "its values are not read"))
    changes = compare_located(pairs, progress=progress, deadline=deadline)
    done = {change.name for change in changes}
    late = [
        NotCompared(name=pair.name, reason=TIME_WAS_UP) for pair in pairs if pair.name not in done
    ]
    return Weights(
        changes=tuple(sorted(changes, key=_order)),
        compared=len(changes),
        not_compared=(*unread, *late),
    )


def _why(place: Place) -> str | None:
    """Why the values of a tensor are not compared, None if they are."""
    if isinstance(place, Unread):
        return place.why
    how = decoder_of(place.dtype)
    if how is None:
        return why_unread(place.dtype)
    if how.size_bytes(math.prod(place.shape)) != place.size_bytes:
        return f"its values of the type {place.dtype} do not fill whole bytes"
    return None


def _why_apart(old: Place, new: Place) -> str | None:
    """Why the values of two tensors that are read are not of one kind, None if they are."""
    if not (isinstance(old, Located) and isinstance(new, Located) and old.axes == new.axes):
        return OTHER_ORDER
    is_same = _is_whole(old.dtype) == _is_whole(new.dtype)
    return None if is_same else WHOLE_ON_ONE_SIDE


def _is_whole(dtype: str) -> bool:
    """Whether values are whole numbers, which may stand for others: a quantised weight is not what
    it was before. Types of GGUF become what they stand for.
    """
    return dtype.startswith(("int", "uint", "bool"))


def _order(change: WeightChange) -> tuple[bool, float, str]:
    """What is no number first, then what came out of nothing, then by distance."""
    distance = math.inf if change.distance is None else change.distance
    return change.nonfinite == 0, -distance, change.name


def _located(files: Mapping[str, Path], deadline: Deadline) -> dict[tuple[str, str], Place] | None:
    """Where the tensors of all files lie, by file and name; None if that took too long."""
    places: dict[tuple[str, str], Place] = {}
    once = Once()
    for name in sorted(files):
        if deadline.is_over():
            return None
        try:
            source = source_of(name, files, once)
        except OSError as error:
            raise OutsideError(f"reading {name}", error.strerror or "it cannot be read") from None
        for tensor, place in _tensors(source).items():
            places[name, tensor] = place
    return places


def _tensors(source: ModelSource) -> Mapping[str, Place]:
    for reader in readers():
        try:
            if reader.recognizes(source):
                return reader.locate(source)
        except Exception:  # it cannot be read, or a library stumbles over it: `inspect` says which
            return {}
    return {}


def _couples(
    old: Mapping[tuple[str, str], Place], new: Mapping[tuple[str, str], Place]
) -> Iterator[tuple[str, Place, Place]]:
    """Tensors of one name and shape. A name that one side has in several files is looked for in
    the file of the same name, and spelled with it; else the files do not matter, so that a model
    may be cut into other pieces, or written in another format.
    """
    names = aligned({name for _, name in old}, {name for _, name in new})
    old = {(file, names.get(name, name)): place for (file, name), place in old.items()}
    places = _by_name(old), _by_name(new)
    for name, files in sorted(places[1].items()):
        others = places[0].get(name, [])
        for file in files:
            after = new[file, name]
            if len(files) == len(others) == 1:
                spelled, before = name, old.get((others[0], name))
            else:
                spelled, before = f"{file}: {name}", old.get((file, name))
                if before is None and after.shape in {old[other, name].shape for other in others}:
                    before = Unread(shape=after.shape, why=SEVERAL)
            if before is not None and before.shape == after.shape:
                yield spelled, before, after


def _by_name(located: Mapping[tuple[str, str], Place]) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    for file, name in located:
        files.setdefault(name, []).append(file)
    return files
