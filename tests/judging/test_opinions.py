"""Whether a recorded opinion stands: the forge is asked, where it can know."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from assent.core.change import ReviewState
from assent.core.entry import RecordedReview
from assent.judging.opinions import withdrawn
from assent.testing.forge import MemoryForge
from tests.builders import AT, digest


@pytest.mark.threat(49)
@pytest.mark.parametrize(("change", "is_gone"), [("change-1", True), (None, False)])
def test_an_approval_of_an_unknown_change_is_not_looked_for(
    change: str | None, is_gone: bool
) -> None:
    forge = MemoryForge("bob")
    review = forge.review(
        "churn", digest("b"), by="bob", state=ReviewState.APPROVED, at=AT, reason=None
    )
    workspace: Any = SimpleNamespace(forge=forge)
    recorded = RecordedReview(review=review, change=change)
    assert withdrawn(workspace, "churn", recorded) is None
    forge.given.clear()
    assert (withdrawn(workspace, "churn", recorded) is not None) is is_gone
