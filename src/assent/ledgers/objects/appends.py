"""The entries of one ledger in a bucket: one object for each append, which nobody writes again.

```
<model>/entries/00000/000000012.jsonl     the entries that were appended as 12, 13, …, one per line,
                                          and a line that tells this write from any other
```

The name is the number of the first entry, and the object is created where there is none: of many
who append after the same entry, one is first, and all of what it appends is there or none. A list
of names is believed in nothing: what it leaves out, the chain misses.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

import msgspec

from assent.buckets import Bucket
from assent.core.digest import canonical_json
from assent.core.registry import ChainError, Step
from assent.ledgers import layout
from assent.parallel import Transfers

FILES = 100
"""Numbers per folder: what one request lists."""
CONNECTIONS = 16
MOST_BYTES = 64 << 20
_MOST_STEPS = 4
_NAME = re.compile(r"/([0-9]{9,15})\.jsonl$")
_NUMBER = re.compile(r"[0-9]{5,15}")
_WRITE = re.compile(rb'\{"write":"[0-9a-f]{16}"\}\n')
_SEQ = re.compile(rb"^seq: (\d{1,12})$", re.MULTILINE)
_SHORTEST = 100
"""Bytes that an entry has at least; so many short lines that no memory holds them are none."""


class Append(msgspec.Struct, frozen=True, kw_only=True):
    """What was appended at once: the number of the first entry, and the lines."""

    first: int
    lines: list[bytes]

    @property
    def last(self) -> int:
        """The number of the last entry."""
        return self.first + len(self.lines) - 1


def folder_name(model: str, number: int) -> str:
    """The folder of so many hundreds."""
    return f"{model}/{layout.ENTRIES}/{number:05d}"


def append_name(model: str, first: int) -> str:
    """The object of an append that begins with this entry."""
    return f"{folder_name(model, first // FILES)}/{first:09d}.jsonl"


def append_of(steps: Sequence[Step]) -> bytes:
    """What the object of an append holds. Two writers may decide the same in the same second: what
    they write must differ, or the loser of the race would take the winner's for its own.
    """
    write = canonical_json({"write": os.urandom(8).hex()}) + b"\n"
    return b"".join([*(step.content for step in steps), write])


class Appends:
    """The appends to the ledger of one model."""

    def __init__(self, bucket: Bucket, model: str) -> None:
        self._bucket = bucket
        self._model = model

    def at(self, first: int) -> Append | None:
        """The append that begins with this entry. Raises `ChainError` for an object that holds
        something else.
        """
        answer = self._bucket.read(append_name(self._model, first), MOST_BYTES)
        if answer is None:
            return None
        content, cut = answer[0], answer[0].rfind(b"\n", 0, -1) + 1
        is_whole = cut and _WRITE.fullmatch(content[cut:]) and len(content) <= MOST_BYTES
        if not is_whole or content.count(b"\n", 0, cut) * _SHORTEST > cut:
            raise ChainError(self._model, first, "its object is damaged")
        return Append(first=first, lines=layout.lines_of(content[:cut]))

    def newest(self) -> Append | None:
        """The newest append; None if there is none. `registry.yaml` says where to begin, or a list
        does; that there is none after it, and none at all, the service is asked by name.
        """
        newest = self._shown() or self._listed_last() or self.at(0)
        steps = 0
        while newest is not None:
            following = self.at(newest.last + 1)
            if following is None:
                return newest
            newest, steps = following, steps + 1
            if steps == _MOST_STEPS:  # what said where to begin is old
                newest = max(newest, self._listed_last() or newest, key=lambda append: append.first)
        return None

    def read(self, first: int, last: int) -> Iterator[bytes]:
        """The entries from `first` to `last`, in order. Raises `ChainError` if one is missing."""
        names = self._starts_to(first)
        expected = max(start for start in names if start <= first)
        number = expected // FILES
        while expected <= last:
            starts = [start for start in names if expected <= start <= last]
            appends = Transfers().run(self.at, starts, CONNECTIONS, most=CONNECTIONS)
            for start, append in zip(starts, appends, strict=True):
                if start < expected:
                    problem = "an object of this number is there, and is no entry of this ledger"
                    raise ChainError(self._model, start, problem)
                if append is None or start > expected:
                    raise ChainError(self._model, expected, "it is missing")
                lines = append.lines[: last - start + 1]
                yield from lines[max(first - start, 0) :]
                expected = append.last + 1
            if expected // FILES <= number and expected <= last:
                raise ChainError(self._model, expected, "it is missing")
            number = expected // FILES
            names = self._starts(number) if expected <= last else []

    def gap_after(self, last: int) -> int | None:
        """The number of an append that does not follow from `last`, although nothing that would
        lead to it is there; None if there is none. It reads names alone.
        """
        starts = [
            start
            for number in self._folders()
            if number >= last // FILES
            for start in self._starts(number)
            if start > last
        ]
        return min(starts) if starts and min(starts) != last + 1 else None

    def _starts_to(self, seq: int) -> list[int]:
        """The first entries of the appends in the folder of the one that holds an entry."""
        for number in range(seq // FILES, -1, -1):
            starts = self._starts(number)
            if starts and starts[0] <= seq:
                return starts
        raise ChainError(self._model, seq, "it is missing")

    def _shown(self) -> Append | None:
        """The append of the entry that `registry.yaml` names. It proves nothing."""
        seq = shown_seq(self._bucket, self._model)
        return None if seq is None else self.at(seq)

    def _listed_last(self) -> Append | None:
        """The last append that a list has."""
        for number in reversed(self._folders()):
            for start in reversed(self._starts(number)):
                append = self.at(start)
                if append is not None:  # it was not taken away since
                    return append
        return None

    def _folders(self) -> list[int]:
        names = self._bucket.folders(f"{self._model}/{layout.ENTRIES}")
        numbers = [int(name) for name in names if _NUMBER.fullmatch(name)]
        return sorted(number for number in numbers if f"{number:05d}" in names)

    def _starts(self, number: int) -> list[int]:
        """The first entries of the appends in a folder. What lies there under any other name than
        that of an append is not looked at: nobody reads it.
        """
        names = set(self._bucket.names(folder_name(self._model, number)))
        matches = (_NAME.search(name) for name in names)
        starts = {int(match[1]) for match in matches if match is not None}
        within = [start for start in starts if start // FILES == number]
        return sorted(start for start in within if append_name(self._model, start) in names)


def shown_seq(bucket: Bucket, model: str) -> int | None:
    """The number of the newest entry as `registry.yaml` says, which may be anything."""
    answer = bucket.read(f"{model}/{layout.REGISTRY}", MOST_BYTES)
    return None if answer is None else seq_shown_in(answer[0])


def seq_shown_in(content: bytes) -> int | None:
    """The same in what was read."""
    match = _SEQ.search(content)
    return None if match is None else int(match[1])
