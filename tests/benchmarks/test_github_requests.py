"""How often each verb asks GitHub: its limit is 1,000 in an hour for the token of a job."""

from __future__ import annotations

from pathlib import Path

from benchmarks.requests import GOALS, counts

MOST = {
    "bundle --from": 1,
    "review": 16,
    "review, unchanged": 14,
    "approve": 16,
    "review, after an approval": 18,
    "approve, after the merge": 18,
    "register": 18,
    "promote staging": 17,
    "promote production": 17,
    "resolve": 0,
    "timeline": 0,
    "verify": 0,
}
"""Of a pull request with 150 comments and 40 reviews, before there is a version."""
DECLARED = 3
"""As long as there is no version, it is asked who declared the model, and who pushed that."""


def test_a_long_discussion_costs_few_requests(tmp_path: Path) -> None:
    found = counts(tmp_path)
    assert found.keys() == MOST.keys()
    assert {verb: count for verb, count in found.items() if count > MOST[verb]} == {}
    reviews = [count for verb, count in found.items() if verb.partition(",")[0] == "review"]
    assert len(reviews) == 3
    assert max(reviews) <= GOALS["review"] + DECLARED
