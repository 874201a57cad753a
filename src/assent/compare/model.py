"""The served files side by side."""

from __future__ import annotations

from msgspec import UNSET

from assent.core.bundle import Bundle
from assent.core.diff.model import FileChange, ModelDiff


def compare_model(old: Bundle | None, new: Bundle) -> ModelDiff:
    """Files by path and digest."""
    before = {} if old is None else {file.path: file for file in old.files}
    after = {file.path: file for file in new.files}
    changes: list[FileChange] = []
    for path in sorted(before.keys() | after.keys()):
        left, right = before.get(path), after.get(path)
        if left is not None and right is not None and left.digest == right.digest:
            continue
        changes.append(
            FileChange(
                path=path,
                old_size_bytes=UNSET if left is None else left.size_bytes,
                new_size_bytes=UNSET if right is None else right.size_bytes,
            )
        )
    return ModelDiff(
        old_size_bytes=None if old is None else old.size_bytes,
        new_size_bytes=new.size_bytes,
        files=len(new.files),
        changes=tuple(changes),
    )
