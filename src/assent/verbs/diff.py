"""`diff`: what changed between any two versions, stages, bundles or revisions."""

from __future__ import annotations

import msgspec

from assent.core.diff import Diff
from assent.errors import UsageError
from assent.judging.inspection import compare_bundles
from assent.making.bundle_lookup import baseline, find
from assent.policy.directions import directed
from assent.recording.reading import read_ledger
from assent.workspace import Workspace


class DiffResult(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from `old` to `new`, as they were named."""

    model: str
    old: str
    new: str
    diff: Diff


def diff(
    workspace: Workspace, model: str, old: str | None = None, new: str | None = None
) -> DiffResult:
    """Compare `old` (None: the baseline of a review) with `new` (None: the working tree's)."""
    view = read_ledger(workspace, model)
    candidate = find(workspace, view, model, new)
    if old is not None:
        before = find(workspace, view, model, old)
    else:
        stages = list(workspace.binding_policy(model).stages)
        standing = baseline(workspace, view, model, stages)
        if standing is None:
            raise UsageError(
                f"comparing {model}", "there is no baseline yet", hint="name two things to compare"
            )
        before = standing
    compared = compare_bundles(workspace, view, before, candidate, weights=True)
    policy = workspace.base_policy(model)
    return DiffResult(
        model=model,
        old=old or "baseline",
        new=new or "working tree",
        diff=compared if policy is None else directed(policy, compared),
    )
