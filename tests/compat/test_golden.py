"""What was once written can always be read: a golden ledger and store per format."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from assent.core.bundle import read_manifest
from assent.core.digest import Digest
from assent.core.entry import Kind, decode_entry
from assent.core.evidence import Evidence
from assent.core.profile import Numbers
from assent.core.registry import fold
from assent.core.scalar import NonFinite
from assent.ledgers.layout import RegistryFile, lines_of
from assent.measure.profiles.encoding import decode_profile
from assent.parsing import parse_yaml
from assent.ports import BlobState
from assent.stores.directory import DirectoryStore

NUMBERS = Numbers(minimum=0.0, maximum=2.0, edges=(0.5, 1.5), counts=(3, 3, 3))
GOLDEN = sorted(path for path in (Path(__file__).parent / "golden").iterdir())


@pytest.fixture(params=GOLDEN, ids=lambda path: f"format {path.name}")
def golden(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


def test_the_ledger_still_verifies_and_adds_up_to_the_same(golden: Path) -> None:
    ledger = golden / "ledger"
    files = [*sorted((ledger / "entries").rglob("*.jsonl")), *ledger.glob("*.jsonl")]
    contents = [line for path in files for line in lines_of(path.read_bytes())]
    registry = fold("churn", contents)
    later = {Kind.PURGED, Kind.MOVED} if golden.name == "1" else set[Kind]()
    assert {decode_entry(content).kind for content in contents} == set(Kind) - later
    assert decode_entry(contents[-1]).happened == "2025-12-31"
    kept = parse_yaml((golden / "ledger/registry.yaml").read_bytes())
    file = msgspec.convert(kept, RegistryFile)
    assert file.state == registry.state
    assert registry.state.stages["production"].version == 1
    assert registry.versions.keys() == {1, 2}
    purged = registry.records[registry.versions[2]].purged
    assert purged is None if later else decode_entry(contents[purged or 0]).kind is Kind.PURGED


def test_the_store_still_verifies_and_its_evidence_still_reads(golden: Path) -> None:
    store = DirectoryStore(golden / "store")
    pointer = store.pointers("churn")["churn/stages/production"]
    assert pointer is not None
    assert pointer.bundle is not None
    bundle = read_manifest(store.read(pointer.bundle))
    states = store.check([Digest(blob) for blob in bundle.blobs])
    assert set(states.values()) == {BlobState.SOUND}
    assert bundle.model_digest == pointer.model_digest
    evidence = msgspec.json.decode(store.read(bundle.evidence.digest), type=Evidence)
    assert evidence.metrics == {"roc_auc": 0.81, "loss": NonFinite("nan")}
    assert evidence.series["loss"][1] == NonFinite("inf")
    assert [one.digest for one in bundle.attachments] == [
        one.digest for one in evidence.attachments
    ]
    assert evidence.data[0].profile is not None
    profile = decode_profile(store.read(evidence.data[0].profile))
    assert [column.name for column in profile.columns] == ["x", "y"]
    assert (profile.rows, profile.columns[0].numbers) == (10, NUMBERS)
