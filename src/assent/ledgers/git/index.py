"""What is derived from the entries and kept beside them, while entries are added."""

from __future__ import annotations

from collections.abc import Mapping

from assent.core.digest import Digest
from assent.core.registry import Record, State, Step
from assent.ledgers.git.layout import (
    derived_digest,
    entry_path,
    index_id,
    index_written,
    state_files,
)


class Index:
    """The files below `index/`, brought up to date entry by entry.

    `contents` holds those that the entries to come change, and the entries that are in no full
    block yet, by path; `folders` the ids by name in `index/` and in every folder on the way to
    them. Both are brought up to date. `object_format` says what the ids are (`sha1`, `sha256`).
    """

    def __init__(
        self, contents: dict[str, bytes], folders: dict[str, dict[str, str]], object_format: str
    ) -> None:
        self._contents = contents
        self._folders = folders
        self._object_format = object_format
        self._changed: dict[str, bytes | None] = {}

    def derive(
        self, seq: int, prev: Digest, state: State, records: Mapping[Digest, Record]
    ) -> Digest:
        """What entry `seq` states of everything derived (see `core.registry.Derive`)."""
        self._changed = index_written(seq, prev, records, self._contents, self._object_format)
        index = index_id(self._folders, self._changed, self._object_format)
        return derived_digest(state, index)

    def files(self, step: Step) -> dict[str, bytes | None]:
        """What the entry that was asked about last makes of the branch: new contents by path,
        None for what goes.
        """
        path = entry_path(step.entry.seq)
        self._contents[path] = step.content
        now = state_files(step.state, step.digest, step.content)
        return {**self._changed, **now, path: step.content}
