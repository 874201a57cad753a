"""A fingerprint of the values of a column: equal for the same values in any order, and in all
likelihood not for others.

Each value becomes a key of 64 bits, each key is mixed, and the sum of all mixed keys modulo 2 ** 64
stands for the values. Sums of parts add up to that of the whole, so that batches, partitions and
files give what all rows give at once (an additive multiset hash, Clarke et al. 2003, "Incremental
multiset hash functions"). The mixing is xor-shift, multiplication and xor-shift as in SplitMix64
(Steele, Lea and Flood 2014), and the square: six operations of NumPy, a quarter of sorting. Without
the second xor-shift the sums of four neighbouring numbers meet by the thousand.

It is a checksum against accidents: of two columns that differ, one pair in about 10 ** 18 has the
same. It is no proof against somebody who chooses the values, who can make sums meet. The proof that
bytes are the same is the digest of the files.

The key of a number is the float of 64 bits that it is, that of a whole number which is none is made
of its digits, that of a moment is its nanoseconds since 1970 in UTC. Everything else (text, bytes,
lists, structs, decimals, times of day) is hashed by DuckDB, of which nobody promises that it does
not change: the scheme of such a fingerprint names what the hash gives for examples.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assent.core.profile import Fingerprint
from assent.measure.profiles.columns import NUMBERS, Column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Counts = NDArray[np.int64]

_BLOCK = 16_384
"""Keys that are mixed at once: they stay in the cache."""

MODULUS = 2**64
"""Of what all sums are remainders."""

_GOLDEN, _FIRST = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9
_WHOLE, _LARGE, _FAR = 0x94D049BB133111EB, 0xD1342543DE82EF95, 0xDA942042E4DD58B5
"""What keeps keys of one kind apart from those of another."""

_EXACT = 2**53
_PER_SECOND = 1_000_000_000
_INFINITY = 0x7FF0_0000_0000_0000
_SIGN = 2**63

_NESTED = "{'a': [1.5, NULL], 'b': map(['x, y'], [[1]])}"
_EXAMPLES = (
    "'a'", "'twelve signs'", "'a text of more than twelve signs'", "'\\x00\\xFF'::BLOB",
    "1::BIGINT", "1.5::DECIMAL(10, 2)", "12345678901234567890::DECIMAL(38, 0)", "TIME '01:02:03'",
    "true", "[1.5::DOUBLE, NULL], 2", "[1::FLOAT], 1", "[1::INTEGER, 2], 2",
    "['a', 'twelve signs'], 2", "{'a': 1, 'b': 'x'}", f"CAST({_NESTED} AS VARCHAR)",
    "CAST(INTERVAL 32 DAY AS VARCHAR)",
)  # fmt: skip
"""Values in SQL whose hashes tell one hash from another."""


def of_numbers(column: Column, summed: int) -> Fingerprint | None:
    """The fingerprint of a column of numbers or moments whose keys were summed here, None of what
    is counted as something else than it is.
    """
    if column.counting != "number" or column.is_derived:
        return None
    if column.kind == "time":
        return written("instant", summed)
    return written("number", summed) if column.type in _PLAIN else None


_PLAIN = frozenset(NUMBERS.values())


def is_hashed_by_engine(column: Column) -> bool:
    """Whether the values of a column are no keys by themselves."""
    return of_numbers(column, 0) is None and not column.is_derived


def of_hashes(column: Column, summed: int, examples: str, salt: bytes | None) -> Fingerprint:
    """The fingerprint of a column whose hashes of DuckDB were summed, which gives `examples`. With
    a `salt` nobody learns of a value by trying: other salts give another scheme.
    """
    scheme = f"{'text' if column.counting == 'text' else column.type} {examples}"
    if salt is None:
        return written(scheme, summed)
    told = hmac.new(salt, b"fingerprint", hashlib.sha256).hexdigest()[:8]
    mixed = hmac.new(salt, f"{scheme} {summed % MODULUS}".encode(), hashlib.sha256).digest()
    return written(f"{scheme} salted {told}", int.from_bytes(mixed[:8], "big"))


def examples_of(connection: Any) -> str:
    """A word for the hash of a connection's DuckDB, by what it gives for the examples."""
    sql = f"SELECT {', '.join(f'hash({example})' for example in _EXAMPLES)}"
    hashes = list(connection.cursor().execute(sql).fetchone())
    return hashlib.sha256(repr(hashes).encode()).hexdigest()[:8]


def written(scheme: str, summed: int) -> Fingerprint:
    """The fingerprint of a sum."""
    return Fingerprint(scheme=scheme, values=f"{summed % MODULUS:016x}")


def hash_in_sql(column: Column) -> str:
    """The hash of each value of a column in SQL, none where there is none.

    DuckDB hashes what is nested as the row of all that is in it, so that `[[1], [2]]` is
    `[[1, 2]]`, and `[0, 1]` is `[1]`. So lists are hashed with their length, and what is nested
    deeper as the text that says it. A duration is too: to DuckDB a month is 30 days.
    """
    value = column.read
    return f"CASE WHEN {value} IS NOT NULL THEN {hash_of_text(_hashed(column, value))} END"


def told_apart(column: Column, value: str) -> str:
    """A value of a column in SQL, so that no other has its hash: what is nested as its own hash, or
    as a text. To DuckDB's hash `[]`, `[NULL]` and nothing at all are one value, too.
    """
    hashed = _hashed(column, value)
    if not _is_of_plain(column, "struct<", *_LISTS):
        return hashed if _is_nested(column) else value
    return f"CASE WHEN {value} IS NOT NULL THEN hash({hashed}) END"


def hash_of_text(text: str) -> str:
    """The hash of a text in SQL: of its hash, for not all of these are mixed to the last bit."""
    return f"hash(hash({text}))"


def _hashed(column: Column, value: str) -> str:
    """What is hashed of a value."""
    if not _is_nested(column) and not column.type.startswith("duration"):
        return value
    if _is_of_plain(column, "struct<"):
        return value
    if _is_of_plain(column, *_LISTS):
        return f"{value}, len({value})"
    return f"CAST({value} AS VARCHAR)"


_LISTS = ("list<", "fixed_size_list<")


def _is_nested(column: Column) -> bool:
    return "<" in column.type or "…" in column.type


def _is_of_plain(column: Column, *kinds: str) -> bool:
    """Whether a column is of one of these kinds, with nothing nested in it."""
    depth = column.type.count("<") + column.type.count("…")
    return depth == 1 and column.type.startswith(kinds)


def sum_of_counts(counts: Mapping[str, int], hashes: Mapping[str, int]) -> int:
    """The sum of hashes, each as often as its text is there."""
    return sum(count * hashes[text] for text, count in counts.items()) % MODULUS


def sum_of_hashes(hashes: Keys) -> int:
    """The sum of hashes."""
    import numpy as np

    return int(np.add.reduce(hashes)) if len(hashes) else 0


def sum_of_floats(values: NDArray[np.float64], counts: Counts | None = None) -> int:
    """The sum for finite floats in order, each as often as `counts` says. Both zeros are one."""
    import numpy as np

    start, stop = (int(np.searchsorted(values, 0.0, side)) for side in ("left", "right"))
    zeros = stop - start if counts is None else int(counts[start:stop].sum())
    keys = values.view(np.uint64)
    before, after = slice(0, start), slice(stop, None)
    total = zeros * _GOLDEN
    for part in (before, after):
        total += _sum(keys[part], None if counts is None else counts[part])
    return total % MODULUS


def sum_of_infinities(negative: int, positive: int) -> int:
    """The sum for infinite values."""
    import numpy as np

    keys = np.array([_INFINITY + _SIGN, _INFINITY], np.uint64)
    return _sum(keys, np.array([negative, positive], np.int64))


def sum_of_integers(
    exact: NDArray[Any], floats: NDArray[np.float64], counts: Counts | None = None
) -> int:
    """The sum for whole numbers in order; `floats` are the same as floats, perhaps rounded."""
    import numpy as np

    if len(exact) == 0:
        return 0
    low, high = _bounds(exact, _EXACT)
    total = sum_of_floats(floats[low:high], None if counts is None else counts[low:high])
    for part in (slice(0, low), slice(high, None)):
        if len(exact[part]):
            keys = _large_keys(exact[part], floats[part].view(np.uint64))
            total += _sum(keys, None if counts is None else counts[part])
    return total % MODULUS


def _bounds(exact: NDArray[Any], most: int) -> tuple[int, int]:
    """Where the values in order that are within ± `most` begin and end."""
    import numpy as np

    limits = np.iinfo(exact.dtype)
    low = high = 0
    if limits.min < -most:
        low = int(np.searchsorted(exact, exact.dtype.type(-most), "left"))
    high = len(exact)
    if limits.max > most:
        high = int(np.searchsorted(exact, exact.dtype.type(most), "right"))
    return low, high


def _large_keys(exact: NDArray[Any], as_floats: Keys) -> Keys:
    """The keys of whole numbers beyond 2 ** 53: those that floats can say have the key of these.
    They are those of which at most 53 bits lie between the first one and the last.
    """
    import numpy as np

    own = exact.view(np.uint64)
    is_negative = exact < 0
    size = np.where(is_negative, np.uint64(0) - own, own)
    last = size & (np.uint64(0) - size)
    is_float = (size >> np.uint64(53)) < last
    apart = np.where(is_negative, np.uint64(_WHOLE), np.uint64(_LARGE))
    keys: Keys = np.where(is_float, as_floats, own * np.uint64(_GOLDEN) + apart)
    return keys


def sum_of_moments(exact: NDArray[Any], times: int, per: int, counts: Counts | None = None) -> int:
    """The sum for moments in order, which multiplied with `times` and divided by `per` are seconds.
    What lies beyond the nanoseconds of 64 bits (before 1678, after 2261) has a key of its seconds
    and the rest.
    """
    import numpy as np

    factor = times * (_PER_SECOND // per)
    exact = exact.astype(np.int64, copy=False)
    low, high = _bounds(exact, (_SIGN - 1) // factor)
    within = exact[low:high] if factor == 1 else exact[low:high] * np.int64(factor)
    total = _sum(within.view(np.uint64), None if counts is None else counts[low:high])
    for part in (slice(0, low), slice(high, None)):
        if len(exact[part]):
            seconds = (exact[part] // per * times).view(np.uint64)
            rest = (exact[part] % per * (_PER_SECOND // per)).view(np.uint64)
            keys = (seconds * np.uint64(_GOLDEN) ^ rest) * np.uint64(_FAR) + np.uint64(_FAR)
            total += _sum(keys, None if counts is None else counts[part])
    return total % MODULUS


def _sum(keys: Keys, counts: Counts | None) -> int:
    """The sum of the mixed keys, block by block."""
    import numpy as np

    half, less, factor = np.uint64(32), np.uint64(29), np.uint64(_FIRST)
    total = 0
    mixed = np.empty(min(len(keys), _BLOCK), np.uint64)
    shifted = np.empty_like(mixed)
    for start in range(0, len(keys), _BLOCK):
        given = keys[start : start + _BLOCK]
        if len(given) < len(mixed):
            mixed, shifted = mixed[: len(given)], shifted[: len(given)]
        np.right_shift(given, half, out=mixed)
        np.bitwise_xor(mixed, given, out=mixed)
        np.multiply(mixed, factor, out=mixed)
        np.right_shift(mixed, less, out=shifted)
        np.bitwise_xor(mixed, shifted, out=mixed)
        if counts is None:
            total += int(np.dot(mixed, mixed))
        else:
            np.multiply(mixed, mixed, out=mixed)
            total += int(np.dot(mixed, counts[start : start + _BLOCK].view(np.uint64)))
    return total % MODULUS
