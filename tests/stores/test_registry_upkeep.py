"""Cleaning up a registry beside writers, and beside what a team has put there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assent.core.bundle import MANIFEST_MEDIA_TYPE, Bundle
from assent.core.digest import Digest, canonical_json, hex_of
from assent.errors import OutsideError
from assent.ports import BlobState
from assent.stores.oci import OciStore, open_store
from assent.stores.registry import Registry
from assent.stores.registry_upkeep import USED_TYPE, Note, RegistryUpkeep
from tests.contracts.test_store import keep_bundle
from tests.stores.registries import Server, registry

DAY_S = 86_400.0
NAME = "team/models"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with registry(tmp_path / "registry") as started:
        yield started


def opened(server: Server) -> OciStore:
    return open_store(f"oci://{server.host}/{NAME}", {"DOCKER_CONFIG": "/nonexistent"})


def old(server: Server, seed: int = 1) -> Bundle:
    """A bundle whose age has been counted for two months."""
    bundle = keep_bundle(opened(server), seed)
    at = (datetime.now(UTC) - timedelta(days=60)).isoformat()
    note = canonical_json(Note(at=at, bundle=bundle.digest))
    opened(server)._put(f"_used.{hex_of(bundle.digest)}", USED_TYPE, note)
    return bundle


def between(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], Any]) -> None:
    """Have somebody else act once, just before the clean-up does something."""
    original, waiting = getattr(RegistryUpkeep, name), [act]

    def spied(self: RegistryUpkeep, *given: Any) -> Any:
        while waiting:
            waiting.pop()()
        return original(self, *given)

    monkeypatch.setattr(RegistryUpkeep, name, spied)


@pytest.mark.threat(25)
def test_what_is_used_while_it_is_taken_away_is_put_back(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = old(server)
    between(monkeypatch, "_take", lambda: opened(server).flush(bundle.blobs))
    assert not opened(server).remove(bundle.digest, older_than_s=DAY_S)
    assert set(opened(server).check(bundle.blobs).values()) == {BlobState.SOUND}
    assert [held.digest for held in opened(server).held()] == [bundle.digest]
    assert not opened(server).remove(bundle.digest, older_than_s=DAY_S)


@pytest.mark.threat(25)
def test_who_comes_after_it_was_taken_away_writes_it_again(server: Server) -> None:
    bundle, first = old(server), opened(server)
    first.confirm(bundle.blobs)
    assert opened(server).remove(bundle.digest, older_than_s=DAY_S)
    keep_bundle(first, 1)
    assert set(opened(server).check(bundle.blobs).values()) == {BlobState.SOUND}
    [held] = opened(server).held()
    assert (held.digest, held.age_s) == (bundle.digest, None)


def test_what_a_team_has_tagged_is_named(server: Server) -> None:
    one, two = old(server, 1), old(server, 2)
    line = Registry(server.host, NAME, lambda: None)
    line.put_manifest("for-the-demo", opened(server).read(one.digest), MANIFEST_MEDIA_TYPE)
    named = {held.digest: held.is_named for held in opened(server).held()}
    assert named == {one.digest: True, two.digest: False}


def test_a_note_that_cannot_be_read_is_none(server: Server) -> None:
    bundle = old(server)
    opened(server)._put(f"_used.{hex_of(bundle.digest)}", USED_TYPE, b"{}")
    assert [held.age_s for held in opened(server).held()] == [None]
    assert not opened(server).remove(bundle.digest, older_than_s=DAY_S)  # it is counted anew
    assert [held.age_s is None for held in opened(server).held()] == [False]


def test_a_registry_that_removes_nothing_says_where_else(tmp_path: Path) -> None:
    settings = {
        "storage": {
            "filesystem": {"rootdirectory": str(tmp_path / "registry" / "files")},
            "delete": {"enabled": False},
        }
    }
    with registry(tmp_path / "registry", settings) as server:
        bundle: Bundle = old(server)
        with pytest.raises(OutsideError, match="removes nothing by this API") as refused:
            opened(server).remove(bundle.digest, older_than_s=DAY_S)
        assert "docs/stores.md" in (refused.value.hint or "")
        assert [held.digest for held in opened(server).held()] == [Digest(bundle.digest)]
