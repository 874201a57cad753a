"""The table of the forges leaves nothing out."""

from __future__ import annotations

from docs.forges import FORGES, ROWS, document
from docs.forges import PARTS as SHOWN

from assent.ports import (
    Announcements,
    Changes,
    Deployments,
    Forge,
    Guards,
    Opinions,
    Proposals,
    ReviewQueue,
    Runs,
)

PARTS = (Changes, Opinions, Announcements, Proposals, Deployments, Runs)
CAPABILITIES = (ReviewQueue, Guards)
MOST_METHODS = 5
"""Of one part: more than that nobody needs at once."""


def methods(part: type) -> set[str]:
    return {name for name in vars(part) if not name.startswith("_")}


def test_every_method_of_a_forge_is_in_a_row_and_no_other_is() -> None:
    all_methods = set().union(*map(methods, (Forge, *PARTS, *CAPABILITIES))) - {"lacking"}
    assert {name for row in ROWS for name in row.methods} == all_methods


def test_a_forge_is_made_of_small_parts_that_do_not_overlap() -> None:
    assert {base for base in Forge.__mro__ if methods(base)} >= {Forge, *PARTS}
    assert max(len(methods(part)) for part in (Forge, *PARTS, *CAPABILITIES)) <= MOST_METHODS
    named = [name for part in (Forge, *PARTS, *CAPABILITIES) for name in methods(part)]
    assert len(named) == len(set(named))


def test_every_row_is_shown_once() -> None:
    shown = document()
    assert [shown.count(f"\n| {row.name} |") for row in ROWS] == [1] * len(ROWS)
    assert set(SHOWN.values()) == {*PARTS, *CAPABILITIES}


def test_every_row_says_something_of_every_forge() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert all(text.strip() for text in (row.github, row.gitlab, row.local)), row.name
        assert "|" not in "".join((row.github, row.gitlab, row.local))


def test_every_forge_is_a_column() -> None:
    assert f"| | {' | '.join(FORGES)} |" in document()
