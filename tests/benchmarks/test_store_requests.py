"""How often a store elsewhere is asked where nothing is new, and that no bytes go over the line
then.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.project import environment
from benchmarks.store_requests import FILES, Place, counts

ASKED = {"bundle, again": 3, "resolve": 1, "pull": 1, "pull, again": 1}
"""When the bundle was last used, whether it is there, and one hint. What is decided stands in the
ledger: of the rest, the newest pointer alone is read.
"""


@pytest.mark.parametrize("place", Place)
def test_what_is_there_is_neither_sent_nor_read_again(place: Place, tmp_path: Path) -> None:
    asked = counts(tmp_path / "story", environment(tmp_path), place)
    assert {what: len(asked[what].requests) for what in ASKED} == ASKED
    manifest = int(place is Place.BUCKET)  # which a registry answers for by its tag
    read = {"bundle, again": manifest, "resolve": 0, "pull": 0, "pull, again": 0}
    assert {what: asked[what].read for what in ASKED} == read
    assert {what: asked[what].sent for what in ASKED} == dict.fromkeys(ASKED, 0)
    assert asked["bundle"].sent >= FILES + 3  # config, evidence and manifest or hints
    assert asked["bundle --force"].sent == 0
    assert len(asked["bundle --force"].requests) > FILES
    assert asked["pull, new machine"].read >= FILES
