"""How often a registry is asked where nothing is new, and that no bytes go over the line then."""

from __future__ import annotations

from pathlib import Path

from benchmarks.project import environment
from benchmarks.store_requests import FILES, counts

ASKED = {
    "bundle, again": FILES + 6,
    "resolve": 1,
    "pull": 1,
    "pull, again": 1,
}
"""One for each file, for the config and the evidence; for the bundle's tag, when it was last used
and two hints. What is decided stands in the ledger: of the rest, the newest pointer alone is read.
"""


def test_what_is_there_is_neither_sent_nor_read_again(tmp_path: Path) -> None:
    found = counts(tmp_path / "story", environment(tmp_path))
    assert {what: len(found[what].requests) for what in ASKED} == ASKED
    assert [(what, found[what].sent, found[what].read) for what in ASKED] == [
        (what, 0, 0) for what in ASKED
    ]
    assert found["bundle"].sent == FILES + 4
    assert found["pull, new machine"].read >= FILES
