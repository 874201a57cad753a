"""The table of the forges leaves nothing out."""

from __future__ import annotations

from docs.forges import FORGES, ROWS, document

from assent.ports import Forge


def test_every_method_of_a_forge_is_in_a_row_and_no_other_is() -> None:
    methods = {name for name in vars(Forge) if not name.startswith("_")}
    assert {name for row in ROWS for name in row.methods} == methods


def test_every_row_says_something_of_every_forge() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert all(text.strip() for text in (row.github, row.gitlab, row.local)), row.name
        assert "|" not in "".join((row.github, row.gitlab, row.local))


def test_every_forge_is_a_column() -> None:
    assert f"| | {' | '.join(FORGES)} |" in document()
