"""What is derived from the entries and kept beside them, while entries are added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from assent.core.digest import Digest
from assent.core.registry import Record, State, Step
from assent.ledgers.layout import (
    REGISTRY,
    derived_digest,
    index_id,
    index_written,
    open_path,
    state_file,
)


class Index:
    """The files below `index/`, brought up to date entry by entry.

    `contents` holds those that the entries to come change, and the block that is not closed yet, by
    path; `folders` the ids by name in `index/` and in every folder on the way to
    them. Both are brought up to date. `object_format` says what the ids are (`sha1`, `sha256`).
    """

    def __init__(
        self, contents: dict[str, bytes], folders: dict[str, dict[str, str]], object_format: str
    ) -> None:
        self._contents = contents
        self._folders = folders
        self._object_format = object_format
        self._changed: dict[str, bytes | None] = {}

    @property
    def folders(self) -> Mapping[str, Mapping[str, str]]:
        """The ids by name in the folders below `index/` that were read or have changed."""
        return self._folders

    def derive(
        self, seq: int, prev: Digest, state: State, records: Mapping[Digest, Record]
    ) -> Digest:
        """What entry `seq` states of everything derived (see `core.registry.Derive`)."""
        self._changed = index_written(
            seq, prev, state, records, self._contents, self._object_format
        )
        index = index_id(self._folders, self._changed, self._object_format)
        return derived_digest(state, index)

    def files(self, step: Step) -> dict[str, bytes | None]:
        """What the entry that was asked about last makes of the branch: new contents by path,
        None for what goes.
        """
        path = open_path(step.entry.seq)
        self._contents[path] = self._contents.get(path, b"") + step.content
        now = {REGISTRY: state_file(step.state), path: self._contents[path]}
        return {**self._changed, **now}


StepsOf = Callable[[Mapping[Digest, Record], Index], Iterable[Step]]
"""The steps that are to be written, made of the records that they touch and of the index."""
