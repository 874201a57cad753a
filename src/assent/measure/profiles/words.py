"""What is counted of text beside its values or lengths: words for nothing, and frequent values.

Of text with too many values to count them one by one, those that make up `FREQUENT` of the rows
are found in two steps: a sample says which values can be as frequent as that, and these are then
counted exactly.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from assent.core.profile import FREQUENT, LEAST_FREQUENT, MISSING_TOKENS
from assent.measure import engine

MAX_CATEGORIES = 1_000
"""Texts that are counted one by one."""

MAX_LENGTH = 200
"""Characters of a frequent value that is kept as it is."""

SAMPLE = 20_000
"""Values of a sample. One that makes up a hundredth of all is 200 times in it, and less than half
as often in one of 10 ** 11 samples.
"""

WHITE = " \t\n\r"
"""White space around a word for nothing."""

LONGEST_TOKEN = max(map(len, MISSING_TOKENS))

_KEPT = 100
_DIGITS = 12


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Of a text: the rows that say that there is no value, and its frequent values."""

    tokens: int = 0
    frequent: tuple[tuple[str, int], ...] = ()


def is_token(value: str) -> bool:
    """Whether a text says that there is no value."""
    return value.strip(WHITE).lower() in MISSING_TOKENS


def tokens_of(counts: Mapping[str, int]) -> int:
    """The rows of counted texts that say that there is no value."""
    return sum(count for value, count in counts.items() if is_token(value))


def token_in_sql(text: str) -> str:
    """The same of a text in SQL. Most are longer than any such word, and are told by their ends."""
    white = [f"chr({ord(sign)})" for sign in WHITE]
    ends = " OR ".join(f"suffix({text}, {sign})" for sign in white)
    trimmed = f"lower(trim({text}, {' || '.join(white)}))"
    return (
        f"CASE WHEN length({text}) <= {LONGEST_TOKEN} OR {text} < '!' OR {ends} "
        f"THEN list_contains({engine.texts(sorted(MISSING_TOKENS))}, {trimmed}) ELSE false END"
    )


def least_rows(there: int) -> int:
    """The rows that make a value frequent, of so many that have one."""
    return max(LEAST_FREQUENT, math.ceil(FREQUENT * there - 1e-9))


def words_of(counts: Mapping[str, int], hashed: Callable[[str], str] | None) -> Words:
    """The words of a text whose values are all counted."""
    least = least_rows(sum(counts.values()))
    frequent = {shortened(value): count for value, count in counts.items() if count >= least}
    return Words(tokens=tokens_of(counts), frequent=ordered(frequent, hashed))


def ordered(
    counts: Mapping[str, int], hashed: Callable[[str], str] | None
) -> tuple[tuple[str, int], ...]:
    """Values, or the hashes that stand for them, the most frequent first."""
    shown = counts if hashed is None else {hashed(value): n for value, n in counts.items()}
    return tuple(sorted(shown.items(), key=lambda pair: (-pair[1], pair[0])))


def shortened(value: str) -> str:
    """`value`, or the beginning of a long one and a digest of the whole."""
    if len(value) <= MAX_LENGTH:
        return value
    digest = hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()
    return f"{value[:_KEPT]}… {digest[:_DIGITS]}"


def likely(sample: Iterable[int], share: float, there: int) -> list[int]:
    """The values of a sample of this share of the rows that may be frequent among all."""
    least = least_rows(there) * share / 2
    return sorted(value for value, times in Counter(sample).items() if times >= least)
