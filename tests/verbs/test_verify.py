"""`verify` beside writers: what somebody has just written is neither called wrong nor undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assent.core.digest import hex_of, short
from assent.core.entry import Kind, ReviewRecord, Subject
from assent.ports import Ledger, Store
from assent.recording.appending import Intent, record
from assent.recording.pointers import point_all
from assent.stores.oci import open_store
from assent.stores.registry import Registry
from assent.verbs import verify as verifying
from assent.verbs.note import note
from assent.verbs.verify import verify
from assent.workspace import Workspace
from tests.builders import AT, digest, draft, person, subject
from tests.ledgers.test_every_file import folder, opened, small
from tests.stores.proxies import proxied, unknown_to_gitlab
from tests.stores.registries import registry
from tests.stores.test_registry_upkeep import as_others
from tests.verbs.place import Place

__all__ = ["folder", "small"]  # fixtures


class Beside:
    """A port, with somebody who writes whenever it is asked something for the n-th time."""

    def __init__(self, port: Store | Ledger, act: Callable[[], None], at: list[int]) -> None:
        self._port, self._act, self._at = port, act, at
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self.asked += 1
            if self.asked in self._at:
                self._act()
            return found(*arguments, **named)

        return call


def writer(folder: Path) -> Callable[[], None]:
    """Moves production on, and notes something, each time."""
    held = [3]

    def write() -> None:
        mine = opened(folder)
        number = held[0] + 1
        move = draft(
            Kind.PROMOTED, subject(f"b{number}", number), stage="production", replaces=held[0]
        )
        record(
            mine,
            "churn",
            lambda view: Intent(outcome=None, drafts=() if view.state.seq < 0 else (move,)),
        )
        note(mine, "churn", f"moved on to v{number}")
        held[0] = number

    return write


def spied(workspace: Workspace, write: Callable[[], None], at: list[int], port: str) -> Workspace:
    if port == "store":
        return replace(workspace, store=Beside(workspace.store, write, at))
    return replace(workspace, ledger=Beside(workspace.ledger, write, at))


@pytest.mark.threat(24)
@pytest.mark.parametrize("port", ["store", "ledger"])
@pytest.mark.parametrize("at", [[1], [2], [3], [1, 2], [2, 4, 6]])
def test_somebody_writes_between_two_readings(folder: Path, port: str, at: list[int]) -> None:
    write = writer(folder)
    beside = spied(opened(folder), write, at, port)
    result = verify(beside, ["churn"], repair=True, blobs=False)
    assert result.faults == ()
    after = verify(opened(folder), ["churn"], blobs=False)
    assert after.faults == ()
    pointer = opened(folder).store.pointer("churn/stages/production")
    assert pointer is not None
    held = opened(folder).ledger.read("churn").state.stages["production"]
    assert (pointer.version, pointer.seq) == (held.version, held.seq)


@pytest.mark.threat(24)
def test_a_pointer_that_is_put_right_meanwhile_is_not_written_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody promotes at the very moment in which a wrong pointer is to be repaired."""
    monkeypatch.setattr(verifying, "PAUSE_S", 0.0)
    (folder / "store/churn/stages/production").write_text("{}")
    write = writer(folder)

    class Late(Beside):
        def __getattr__(self, name: str) -> Any:
            found = getattr(self._port, name)

            def restore(*arguments: Any, **named: Any) -> Any:
                if not self.asked:
                    self.asked = 1
                    write()
                return found(*arguments, **named)

            return restore if name == "restore" else found

    mine = opened(folder)
    mine = replace(mine, store=Late(mine.store, write, []))
    verify(mine, ["churn"], repair=True, blobs=False)
    assert verify(opened(folder), ["churn"], blobs=False).faults == ()
    pointer = opened(folder).store.pointer("churn/stages/production")
    assert pointer is not None
    assert pointer.version == 4


def test_a_store_without_any_pointer_is_one_fault_and_not_one_for_each(folder: Path) -> None:
    """A ledger of thousands of sound entries, and a store that was never told of them."""
    (folder / "store").rename(folder / "elsewhere")
    [fault] = verify(opened(folder), ["churn"], blobs=False).faults
    assert "the store knows nothing of this model" in fault.problem
    assert "asks for 27 pointers" in fault.problem
    [fault] = verify(opened(folder), ["churn"], repair=True, blobs=False).faults
    assert fault.repaired
    assert verify(opened(folder), ["churn"], blobs=False).exit_code == 0


def test_what_no_manifest_keeps_is_kept_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are in the registry until that collects its garbage."""
    as_others(monkeypatch)
    with (
        registry(tmp_path / "registry") as server,
        proxied(server.host, refuses=unknown_to_gitlab) as line,
    ):
        place = Place(tmp_path / "place")
        store = open_store(f"oci://{line.host}/team/models", {"DOCKER_CONFIG": "/nonexistent"})
        workspace = place.open(store=store)
        place.store = store  # type: ignore[assignment]  # another store
        bundle = place.version(1)  # which writes its bytes and no manifest
        [fault] = verify(workspace, ["churn"]).faults
        assert (fault.problem, fault.repaired) == (f"{bundle} of v1 is missing", False)
        assert all(one.repaired for one in verify(workspace, ["churn"], repair=True).faults)
        again = verify(place.open(), ["churn"])
        assert (again.faults, again.versions) == ((), 1)
        there = Registry(server.host, "team/models", lambda: None)
        kept = there.digest_of_tag(f"_bundle.{hex_of(bundle)}")
        assert kept == there.digest_of_tag("churn-v1")
        assert kept is not None

        candidate = place.bundle(0.9)
        about = Subject(bundle=candidate, model_digest=digest("m2"))
        review = ReviewRecord(person=person("bob"), bundle=candidate, at=AT, role="bob")
        approval = draft(Kind.APPROVED, about, approvals=(review,))
        point_all(
            place.open(), "churn", place.ledger.append(place.ledger.read("churn"), [approval])
        )
        [fault] = verify(place.open(), ["churn"]).faults
        assert f"{short(candidate)} is kept by no manifest" in fault.problem
        assert all(one.repaired for one in verify(place.open(), ["churn"], repair=True).faults)
        again = verify(place.open(), ["churn"])
        assert (again.faults, again.candidates) == ((), 1)
