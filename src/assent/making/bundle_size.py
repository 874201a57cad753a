"""How large a bundle may be, as the base branch says: a change cannot give itself more room."""

from __future__ import annotations

from collections.abc import Sequence

from assent.config.settings import Config
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


def limit_of_taken(workspace: Workspace, model: str) -> int:
    """The most bytes of a bundle that another job has made, as the base branch says."""
    named = _named(_base(workspace), model)
    return HANDED_OVER_BYTES if named is None else named


def limit_of_made(workspace: Workspace, model: str, *, for_others: bool) -> int | None:
    """The most bytes of a bundle that is made here; None where there is no limit, as of one that no
    other job is to take, if nobody has set one. In a forge's CI it is what the checkout says: a job
    that runs the code of a change may ask the forge nothing, and who takes its bundle measures it.
    """
    config = workspace.config if workspace.is_in_forge_ci else _base(workspace)
    named = _named(config, model)
    return HANDED_OVER_BYTES if named is None and for_others else named


def _base(workspace: Workspace) -> Config | None:
    try:
        return workspace.base_config()
    except UsageError:
        return None  # who judges by it says what is wrong with it


def _named(config: Config | None, model: str) -> int | None:
    settings = None if config is None else config.models.get(model)
    return None if settings is None else settings.max_bundle_bytes


def require_size(limit: int | None, files: Sequence[tuple[str, int]], doing: str) -> None:
    """Raise `PolicyError` for a bundle whose files (name and size) are too large together, and name
    the largest of them.
    """
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
