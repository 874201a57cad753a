"""How large a bundle may be, as the base branch says: a change cannot give itself more room."""

from __future__ import annotations

from collections.abc import Sequence

from assent.core.bundle import HANDED_OVER_BYTES
from assent.errors import PolicyError, UsageError
from assent.workspace import Workspace

BESIDE_BYTES = 64 * 2**20
"""What may lie beside a bundle in what another job has left: an index, and the archive's own."""

_SHOWN = 3
_HINT = (
    "have training leave out what is not served (states of optimizers, earlier checkpoints), or "
    "raise `max_bundle_size` of the model on the base branch"
)


def bundle_limit(workspace: Workspace, model: str, *, handed_over: bool) -> int | None:
    """The most bytes of a bundle; None where there is no limit, as of one that no other job is to
    take, if nobody has set one.
    """
    try:
        base = workspace.base_config()
    except UsageError:
        base = None  # who judges by it says what is wrong with it
    settings = None if base is None else base.models.get(model)
    named = None if settings is None else settings.max_bundle_bytes
    return HANDED_OVER_BYTES if named is None and handed_over else named


def room_for_artifact(workspace: Workspace, model: str) -> int:
    """The most bytes of what another job has left with a bundle in it."""
    limit = bundle_limit(workspace, model, handed_over=True)
    assert limit is not None
    return limit + BESIDE_BYTES


def require_size(
    workspace: Workspace,
    model: str,
    files: Sequence[tuple[str, int]],
    doing: str,
    *,
    handed_over: bool,
) -> None:
    """Raise `PolicyError` for a bundle whose files (name and size) are too large together, and name
    the largest of them.
    """
    limit = bundle_limit(workspace, model, handed_over=handed_over)
    total = sum(size for _, size in files)
    if limit is None or total <= limit:
        return
    largest = sorted(files, key=lambda file: (-file[1], file[0]))[:_SHOWN]
    named = ", ".join(f"{name[:200]!r} ({size:,})" for name, size in largest)
    raise PolicyError(
        doing,
        f"it has {total:,} bytes, where {limit:,} are admitted; the largest files: {named}",
        hint=_HINT,
    )
