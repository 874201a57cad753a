"""What a proposed change says: readable, and nothing in it means anything to a forge."""

from __future__ import annotations

import re

import pytest

from assent.core.digest import digest_of
from assent.report.proposal import proposal_body, proposal_title
from tests.report import samples

BUNDLE = digest_of(b"x")


def test_the_title_says_what_moved() -> None:
    assert proposal_title("churn", "roc_auc", 0.912, 0.921) == (
        "Retrain churn: roc_auc 0.912 → 0.921"
    )
    assert proposal_title("churn", "f1-score/top_5.val", 3, 4).startswith(
        "Retrain churn: f1-score/top_5.val 3 → 4"
    )
    assert proposal_title("churn", "auc", 0.98765432, 0.98765433).endswith(
        "0.98765432 → 0.98765433"
    )


@pytest.mark.threat(33)
@pytest.mark.parametrize(
    "name",
    ["closes #12", "@acme/ml", "a\nCo-authored-by: x <y@z>", "x" * 5000, "https://x.example", "‮"],
)
def test_a_title_holds_no_reference_and_no_second_line(name: str) -> None:
    """It is a commit message as well, in which nothing is escaped."""
    title = proposal_title("churn", name, 0.1, 0.2)
    assert len(title) < 200
    assert title.isprintable()
    assert not re.search(r"[#@:<>]", title.removeprefix("Retrain churn:"))


def test_the_body_names_the_bundle_and_shows_the_difference() -> None:
    body = proposal_body(samples.passed(), sentence="It is better than v12.", bundle=BUNDLE)
    assert body.startswith("It is better than")
    assert f"`{BUNDLE}`" in body
    assert "### Metrics" in body
    assert "Approvals" not in body
    assert "assent:model=" not in body, "the comment is found by that"


@pytest.mark.threat(33)
def test_the_body_escapes() -> None:
    body = proposal_body(samples.blocked(), sentence="@acme/ml closes #12 <img>.", bundle=BUNDLE)
    first = body.splitlines()[0]
    assert "<img>" not in first
    assert re.search(r"(?<![`>])@acme", first) is None
    assert re.search(r"(?<![`>])#12", first) is None
