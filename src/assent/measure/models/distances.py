"""The distance of two tensors: from where their values lie to a number.

Both files are mapped and read in blocks that stay in a processor's cache; pages that were read are
given back at once, so that memory does not grow with the files. For each tensor the relative
Euclidean distance |new - old| / |old| and the cosine of both.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from assent.core.diff.model import WeightChange
from assent.errors import UsageError, to_install
from assent.measure.files import Progress
from assent.measure.models.deadline import Deadline
from assent.measure.models.floats import Decoder, decoder
from assent.measure.models.located import Located

if TYPE_CHECKING:
    from numpy.typing import NDArray

THREADS = 2
_BLOCK = 64 * 1024
"""Values in a block: a few of them fit into a processor's second cache."""
_CHUNK = 4 * 1024 * 1024
"""Values that one thread takes at a time, and after which it gives pages back."""


class Pair(NamedTuple):
    """A tensor of both models."""

    name: str
    old: Located
    new: Located


class _Sums(NamedTuple):
    """Sums of squares of the difference, of the old and of the new values, and of the products of
    both, over what is finite on both sides, each to be multiplied by 4 ** `exponent`. `is_moved`
    says whether any value is another one, though the sums may not show it.
    """

    moved: float
    old: float
    new: float
    both: float
    exponent: int
    nonfinite: int
    is_moved: bool


def decoder_of(dtype: str, *, is_ordered: bool = False) -> Decoder | None:
    """How a type is read. Raises `UsageError` without NumPy."""
    try:
        return decoder(dtype, is_ordered=is_ordered)
    except ImportError:
        raise UsageError(
            "comparing weights", "numpy is not installed", hint=to_install("models")
        ) from None


def compare_located(
    pairs: Iterable[Pair], *, progress: Progress | None = None, deadline: Deadline
) -> list[WeightChange]:
    """The same for tensors of which it is known where they lie, in their order; those whose types
    are not numbers are left out, and those that were not compared wholly by the deadline.
    """
    pairs = list(pairs)
    if not pairs:
        return []  # most models: nothing is imported for them
    readable = [pair for pair in pairs if _plan(pair) is not None]
    with _Files() as files:
        tasks = list(_tasks(readable))

        def measured(task: _Task) -> tuple[int, _Sums | None]:
            if deadline.is_over():
                return task.pair, None
            return task.pair, _measure(readable[task.pair], task, files, progress)

        totals: dict[int, list[_Sums]] = {}
        late: set[int] = set()
        with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
            for index, sums in pool.map(measured, tasks):
                if sums is None:
                    late.add(index)
                else:
                    totals.setdefault(index, []).append(sums)
    return [
        _change(pair.name, totals.get(index, []))
        for index, pair in enumerate(readable)
        if index not in late
    ]


class _Plan(NamedTuple):
    """How both sides of a pair are read."""

    old: Decoder
    new: Decoder
    exact: str


def _plan(pair: Pair) -> _Plan | None:
    """None for a pair that cannot be compared."""
    # The quick order of bfloat16 does if both sides have it.
    is_ordered = pair.old.dtype != pair.new.dtype
    old = decoder_of(pair.old.dtype, is_ordered=is_ordered)
    new = decoder_of(pair.new.dtype, is_ordered=is_ordered)
    count = math.prod(pair.new.shape)
    if old is None or new is None or pair.old.shape != pair.new.shape:
        return None
    sizes = (old.size_bytes(count), new.size_bytes(count))
    if sizes != (pair.old.size_bytes, pair.new.size_bytes):
        return None
    return _Plan(old, new, max(old.exact, new.exact))  # "float64" comes after "float32"


class _Task(NamedTuple):
    """Some values of a pair (by its number): from `first`, `values` of them."""

    pair: int
    first: int
    values: int


def _tasks(pairs: list[Pair]) -> Iterator[_Task]:
    for index, pair in enumerate(pairs):
        count = math.prod(pair.new.shape)
        for start in range(0, count, _CHUNK):
            yield _Task(index, start, min(_CHUNK, count - start))


class _Files:
    """The maps of all files that are read, each opened once."""

    def __init__(self) -> None:
        self._maps: dict[Path, mmap.mmap] = {}

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *_: object) -> None:
        # Not closed by hand: after an error in a thread its arrays still lie in the maps.
        self._maps.clear()

    def map(self, place: Located) -> mmap.mmap | bytes:
        if place.held is not None:
            return place.held
        path = place.path
        if path not in self._maps:
            with path.open("rb") as file:
                opened = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            # Two threads may come here at once: the second map of one file is closed again.
            if self._maps.setdefault(path, opened) is not opened:
                opened.close()
        return self._maps[path]


def _measure(pair: Pair, task: _Task, files: _Files, progress: Progress | None) -> _Sums:
    """The sums of one task, block by block."""
    import numpy as np

    plan = _plan(pair)
    assert plan is not None
    sides = [
        _Side(files.map(place), place, how, task)
        for place, how in ((pair.old, plan.old), (pair.new, plan.new))
    ]
    is_rounded = any(place.dtype in _LONG for place in (pair.old, pair.new))
    blocks: list[_Sums] = []
    exact = np.dtype(plan.exact)
    room = [np.empty(min(_BLOCK, task.values), dtype=exact) for _ in range(3)]
    with np.errstate(all="ignore"):
        for at in range(0, task.values, _BLOCK):
            count = min(_BLOCK, task.values - at)
            left, right = (
                side.values(at, count, scratch[:count], exact)
                for side, scratch in zip(sides, room[:2], strict=True)
            )
            sums = _block(left, right, room[2][:count])
            if is_rounded and not sums.is_moved:
                stored = [side.stored(at, count) for side in sides]
                sums = sums._replace(is_moved=_are_rounded(*stored))
            blocks.append(sums)
    del left, right
    for side in sides:
        side.release()
    if progress is not None:
        progress(sum(how.size_bytes(task.values) or 0 for how in (plan.old, plan.new)))
    return _added(blocks)


class _Side:
    """The values of one task in one file."""

    def __init__(self, data: mmap.mmap | bytes, place: Located, how: Decoder, task: _Task) -> None:
        self._data = data
        self._how = how
        self._start = place.offset + task.first // how.block * how.width
        self._size = task.values // how.block * how.width

    def stored(self, at: int, count: int) -> NDArray[Any]:
        """The values as they lie in the file."""
        import numpy as np

        how = self._how
        start, items = self._start + at // how.block * how.width, count
        if how.block > 1:  # of blocks the bytes are read: `_CHUNK` and `_BLOCK` are whole blocks
            items = count // how.block * how.width
        return np.frombuffer(self._data, how.stored, items, start)

    def values(self, at: int, count: int, scratch: NDArray[Any], exact: Any) -> NDArray[Any]:
        """The values as numbers of the type `exact`."""
        import numpy as np

        how, stored = self._how, self.stored(at, count)
        if how.exact == exact.name:
            return how.decode(stored, scratch)
        # The other side needs more digits: twice the way, for a pair of two types.
        scratch[...] = how.decode(stored, np.empty(count, dtype=how.exact))
        return scratch

    def release(self) -> None:
        """Give back the pages that are wholly of this task. Without `madvise` the system does so
        when it needs them.
        """
        if isinstance(self._data, bytes) or not hasattr(mmap, "MADV_DONTNEED"):
            return
        page = mmap.PAGESIZE
        first = self._start // page * page
        self._data.madvise(mmap.MADV_DONTNEED, first, self._start + self._size - first)


_LONG = ("int64", "uint64")
_MOST_DIGITS = 2**53
"""Whole numbers up to this one are numbers of float64; of those beyond many are the same one."""


def _are_rounded(old: NDArray[Any], new: NDArray[Any]) -> bool:
    """Whether whole numbers that are the same in float64 are not, or nobody knows."""
    if old.dtype == new.dtype:
        return not (old == new).all()
    longest = max(float(abs(side.astype("f8")).max()) for side in (old, new))
    return longest >= _MOST_DIGITS


_SMALLEST, _LARGEST = 1e-25, 1e35
"""Sums of squares between these have lost nothing to the range of float32."""


def _block(old: NDArray[Any], new: NDArray[Any], scratch: NDArray[Any]) -> _Sums:
    import numpy as np

    moved = np.subtract(new, old, out=scratch)
    sums = [float(np.dot(values, values)) for values in (moved, old, new)]
    for total, values in zip(sums, (moved, old, new), strict=True):
        is_zero = total == 0 and not values.any()
        if not is_zero and not _SMALLEST < total < _LARGEST:
            return _careful_block(old, new)
    return _Sums(sums[0], sums[1], sums[2], float(np.dot(old, new)), 0, 0, sums[0] > 0)


def _careful_block(old: NDArray[Any], new: NDArray[Any]) -> _Sums:
    """A block with values that are not finite, or whose squares need more room: in float64, scaled
    by a power of two.
    """
    import numpy as np

    is_finite = np.isfinite(new)
    nonfinite = int(new.size - np.count_nonzero(is_finite))
    are_same = (old == new) | (np.isnan(old) & np.isnan(new))
    is_finite &= np.isfinite(old)
    sides = [values[is_finite].astype(np.float64) for values in (old, new)]
    largest = max((float(np.max(np.abs(side))) for side in sides if side.size), default=0.0)
    exponent = math.frexp(largest)[1]
    before, after = (np.ldexp(side, -exponent) for side in sides)
    moved = after - before
    return _Sums(
        float(np.dot(moved, moved)),
        float(np.dot(before, before)),
        float(np.dot(after, after)),
        float(np.dot(before, after)),
        exponent,
        nonfinite,
        not are_same.all(),
    )


def _added(blocks: Iterable[_Sums]) -> _Sums:
    """The sums of all blocks, in the largest of their exponents."""
    parts = list(blocks)
    exponents = [part.exponent for part in parts if part.old or part.new or part.moved]
    exponent = max(exponents, default=0)

    def total(values: Iterable[tuple[float, int]]) -> float:
        scaled = (math.ldexp(value, 2 * (own - exponent)) for value, own in values if value)
        return math.fsum(scaled)

    return _Sums(
        total((part.moved, part.exponent) for part in parts),
        total((part.old, part.exponent) for part in parts),
        total((part.new, part.exponent) for part in parts),
        total((part.both, part.exponent) for part in parts),
        exponent,
        sum(part.nonfinite for part in parts),
        any(part.is_moved for part in parts),
    )


def _change(name: str, parts: list[_Sums]) -> WeightChange:
    sums = _added(parts)
    before, after = math.sqrt(sums.old), math.sqrt(sums.new)
    if not sums.is_moved:
        distance: float | None = 0.0
    else:
        distance = math.sqrt(sums.moved) / before if before and sums.moved else None
    cosine = _cosine(sums, before, after) if before and after else None
    if distance is not None and not math.isfinite(distance):
        distance = None  # from next to nothing: no fraction of it can be said
    return WeightChange(name=name, distance=distance, cosine=cosine, nonfinite=sums.nonfinite)


def _cosine(sums: _Sums, before: float, after: float) -> float:
    if sums.moved == 0:
        return 1.0
    if sums.moved < sums.old / 4:
        # 2ab = a² + b² - (a - b)²: the digits of a small movement are in the last term.
        ratio = (before / after + after / before) / 2
        cosine = ratio - sums.moved / before / after / 2
    else:
        cosine = sums.both / before / after
    return min(1.0, max(-1.0, cosine))
