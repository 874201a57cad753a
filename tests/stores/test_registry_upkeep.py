"""Cleaning up a registry beside writers, and beside what a team has put there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assent.core.bundle import ARTIFACT_TYPE, MANIFEST_MEDIA_TYPE, Bundle
from assent.core.digest import Digest, canonical_json, digest_of, hex_of
from assent.errors import OutsideError
from assent.ports import BlobState, NotInStoreError, Pointer
from assent.stores.age_notes import Note
from assent.stores.layout import INDEX_MEDIA_TYPE
from assent.stores.oci import OciStore, open_store
from assent.stores.registry import Registry
from assent.stores.registry_upkeep import USED_TYPE, RegistryUpkeep
from assent.stores.wrapping import image_of_bundle
from tests.builders import digest
from tests.contracts.test_store import keep_bundle
from tests.stores.proxies import proxied, unknown_to_gitlab
from tests.stores.registries import Server, registry

DAY_S = 86_400.0
NAME = "team/models"


Opened = Callable[[], OciStore]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with registry(tmp_path / "registry") as started:
        yield started


def opened(server: Server) -> OciStore:
    return open_store(f"oci://{server.host}/{NAME}", {"DOCKER_CONFIG": "/nonexistent"})


@pytest.fixture(params=["artifacts", "images"])
def reopen(request: pytest.FixtureRequest, server: Server) -> Iterator[Opened]:
    """The store in either form."""
    refuses = unknown_to_gitlab if request.param == "images" else lambda _: None
    with proxied(server.host, refuses=refuses) as line:
        yield lambda: open_store(f"oci://{line.host}/{NAME}", {"DOCKER_CONFIG": "/nonexistent"})


def old(server: Server, seed: int = 1) -> Bundle:
    """A bundle whose age has been counted for two months."""
    return old_in(opened(server), seed)


def old_in(store: OciStore, seed: int = 1) -> Bundle:
    bundle = keep_bundle(store, seed)
    at = (datetime.now(UTC) - timedelta(days=60)).isoformat()
    note = canonical_json(Note(at=at, of=bundle.digest))
    store._put(f"_used.{hex_of(bundle.digest)}", USED_TYPE, note)
    return bundle


def version_of(bundle: Bundle, version: int = 1) -> Pointer:
    return Pointer(
        seq=version,
        entry=digest(f"e{version}"),
        version=version,
        bundle=bundle.digest,
        model_digest=digest(f"m{version}"),
    )


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


@pytest.mark.threat(25)
def test_a_tag_that_was_moved_takes_nothing_else_away(server: Server, reopen: Opened) -> None:
    """Whoever may push moves tags; that must not let them have production removed."""
    expired, production = old_in(reopen(), 1), keep_bundle(reopen(), 2)
    reopen().point("churn/versions/1", version_of(production))
    line = Registry(server.host, NAME, lambda: None)
    content = line.read("manifests", "churn-v1", most=1 << 20)
    assert content is not None
    line.put_manifest(f"_bundle.{hex_of(expired.digest)}", content, MANIFEST_MEDIA_TYPE)
    assert not reopen().remove(expired.digest, older_than_s=DAY_S)
    assert not reopen().remove(expired.digest, older_than_s=0.0)
    assert line.digest_of_tag("churn-v1") == digest_of(content)
    assert set(reopen().check(production.blobs).values()) == {BlobState.SOUND}


@pytest.mark.threat(25)
def test_a_note_that_was_moved_takes_nothing_else_away(server: Server, reopen: Opened) -> None:
    """What is purged has no note, or an old one. A tag of that name may name production by now."""
    purged, production = keep_bundle(reopen(), 1), keep_bundle(reopen(), 2)
    reopen().point("churn/versions/1", version_of(production))
    line = Registry(server.host, NAME, lambda: None)
    content = line.read("manifests", "churn-v1", most=1 << 20)
    assert content is not None
    line.put_manifest(f"_used.{hex_of(purged.digest)}", content, MANIFEST_MEDIA_TYPE)
    assert reopen().remove(purged.digest, older_than_s=0.0)
    assert line.digest_of_tag("churn-v1") == digest_of(content)
    assert set(reopen().check(production.blobs).values()) == {BlobState.SOUND}


@pytest.mark.threat(25)
def test_a_hint_that_is_moved_meanwhile_takes_nothing_else_away(
    server: Server, reopen: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, production = keep_bundle(reopen(), 1), keep_bundle(reopen(), 2)
    reopen().point("churn/versions/1", version_of(production))
    reopen().remember("churn/inputs/3f2a", gone.digest)
    line = Registry(server.host, NAME, lambda: None)
    content = line.read("manifests", "churn-v1", most=1 << 20)
    assert content is not None
    read = OciStore.read_tag

    def moved(self: OciStore, tag: str, kind: str) -> Any:
        answer = read(self, tag, kind)
        line.put_manifest(tag, content, MANIFEST_MEDIA_TYPE)
        return answer

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(OciStore, "read_tag", moved)
        reopen().forget([gone.digest])
    assert line.digest_of_tag("churn-v1") == digest_of(content)
    assert set(reopen().check(production.blobs).values()) == {BlobState.SOUND}


def as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of Docker takes blobs for manifests if they look like one, and others do not."""
    holds, remove = Registry.holds, Registry.remove

    def is_blob(self: Registry, kind: str, reference: str) -> bool:
        return kind == "manifests" and holds(self, "blobs", reference)

    monkeypatch.setattr(Registry, "holds", lambda *args: not is_blob(*args) and holds(*args))
    monkeypatch.setattr(Registry, "remove", lambda *args: None if is_blob(*args) else remove(*args))


@pytest.mark.parametrize("is_dockers", [True, False])
def test_what_was_purged_gets_no_tag_again(
    server: Server, reopen: Opened, monkeypatch: pytest.MonkeyPatch, is_dockers: bool
) -> None:
    if not is_dockers:
        as_others(monkeypatch)
    bundle = keep_bundle(reopen(), 1)
    reopen().point("churn/versions/1", version_of(bundle))
    manifest = reopen().read(bundle.digest)
    assert reopen().remove(bundle.digest, older_than_s=0.0)
    with pytest.raises(NotInStoreError):
        reopen().flush(bundle.blobs)
    assert reopen().check([bundle.digest]) == {bundle.digest: BlobState.MISSING}
    for _ in range(2):
        reopen().relist("churn")
        assert reopen().astray("churn") == ()
    assert [held.digest for held in reopen().held()] == []
    line = Registry(server.host, NAME, lambda: None)
    tags = {tag: line.digest_of_tag(tag) for tag in line.tags(("churn-", "_bundle."))}
    kept = {bundle.digest, *map(made_around, [manifest])}
    assert not kept & {*tags.values()}


def made_around(manifest: bytes) -> str:
    image = image_of_bundle(manifest)
    assert image is not None
    return image.digest


@pytest.mark.threat(25)
def test_both_forms_of_a_bundle_are_taken_away(server: Server) -> None:
    bundle = keep_bundle(opened(server), 1)
    with proxied(server.host, refuses=unknown_to_gitlab) as line:
        other = open_store(f"oci://{line.host}/{NAME}", {"DOCKER_CONFIG": "/nonexistent"})
        other.point("churn/versions/1", version_of(bundle))
    at = Registry(server.host, NAME, lambda: None)
    image = made_around(opened(server).read(bundle.digest))
    at.put_manifest("copied", opened(server).read(bundle.digest), MANIFEST_MEDIA_TYPE)
    assert opened(server).remove(bundle.digest, older_than_s=0.0)
    assert [at.holds("manifests", form) for form in (bundle.digest, image)] == [False, False]


def test_a_removal_that_did_nothing_is_no_removal(
    server: Server, reopen: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that does not know the request may answer that there is no such thing."""
    bundle = old_in(reopen(), 1)
    monkeypatch.setattr(Registry, "remove", lambda *_: None)
    with pytest.raises(OutsideError, match="it is still there"):
        reopen().remove(bundle.digest, older_than_s=DAY_S)
    assert [held.digest for held in reopen().held()] == [bundle.digest]


@pytest.mark.threat(25)
def test_what_is_put_back_has_all_its_tags_again(
    server: Server, reopen: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = old_in(reopen(), 1)

    def register() -> None:
        store = reopen()
        store.flush(bundle.blobs)
        store.point("churn/versions/1", version_of(bundle))

    between(monkeypatch, "_take", register)
    assert not reopen().remove(bundle.digest, older_than_s=DAY_S)
    assert reopen().astray("churn") == ()
    line = Registry(server.host, NAME, lambda: None)
    assert line.digest_of_tag("churn-v1") == line.digest_of_tag(f"_bundle.{hex_of(bundle.digest)}")


@pytest.mark.parametrize("is_moved", [True, False])
@pytest.mark.parametrize("is_version", [True, False])
def test_what_is_referred_to_gets_the_tag_again_that_keeps_it(
    server: Server, reopen: Opened, is_moved: bool, is_version: bool
) -> None:
    """A version by its pointer, and a candidate by what the ledger says."""
    bundle, other = keep_bundle(reopen(), 1), keep_bundle(reopen(), 2)
    candidates = [] if is_version else [bundle.digest]
    if is_version:
        reopen().point("churn/versions/1", version_of(bundle))
    line = Registry(server.host, NAME, lambda: None)
    tag = f"_bundle.{hex_of(bundle.digest)}"
    kept = line.digest_of_tag(tag)
    if is_moved:
        content = line.read("manifests", f"_bundle.{hex_of(other.digest)}", most=1 << 20)
        line.put_manifest(tag, content or b"", MANIFEST_MEDIA_TYPE)
    else:
        tags = server.root / "docker/registry/v2/repositories" / NAME / "_manifests/tags"
        shutil.rmtree(tags / tag)
    assert reopen().astray("churn", candidates) == (tag,)
    reopen().relist("churn", candidates)
    assert reopen().astray("churn", candidates) == ()
    assert line.digest_of_tag(tag) == kept


def test_the_tag_of_what_is_gone_names_nothing_else(server: Server, reopen: Opened) -> None:
    gone, other = keep_bundle(reopen(), 1), keep_bundle(reopen(), 2)
    line = Registry(server.host, NAME, lambda: None)
    tag = f"_bundle.{hex_of(gone.digest)}"
    assert reopen().remove(gone.digest, older_than_s=0.0)
    assert reopen().astray("churn", [gone.digest]) == ()
    content = line.read("manifests", f"_bundle.{hex_of(other.digest)}", most=1 << 20)
    line.put_manifest(tag, content or b"", MANIFEST_MEDIA_TYPE)
    assert reopen().astray("churn", [gone.digest]) == (tag,)
    reopen().relist("churn", [gone.digest])
    assert reopen().astray("churn", [gone.digest]) == ()
    assert [held.digest for held in reopen().held()] == [other.digest]
    keep_bundle(reopen(), 1)
    assert {held.digest for held in reopen().held()} == {gone.digest, other.digest}
    assert reopen().astray("churn", [gone.digest]) == ()


def test_renewing_lists_nothing(server: Server) -> None:
    bundle = old(server)
    with proxied(server.host) as line:
        store = open_store(f"oci://{line.host}/{NAME}", {"DOCKER_CONFIG": "/nonexistent"})
        for _ in range(2):
            store.renew(bundle.blobs)
            store.flush(bundle.blobs)
        assert not [one for one in line.asked if "/tags/list" in one]
    [held] = opened(server).held()
    assert held.age_s is not None
    assert held.age_s < DAY_S


def test_what_cannot_be_put_back_is_named(
    server: Server, reopen: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = old_in(reopen(), 1)

    def fail(*_: object) -> None:
        raise OutsideError("writing", "the line is cut")

    def use() -> None:
        reopen().flush(bundle.blobs)
        monkeypatch.setattr(Registry, "put_manifest", fail)

    between(monkeypatch, "_take", use)
    with pytest.raises(OutsideError, match=f"the line is cut; the bundle {bundle.digest}"):
        reopen().remove(bundle.digest, older_than_s=DAY_S)


def test_what_a_team_has_tagged_is_named(server: Server) -> None:
    one, two = old(server, 1), old(server, 2)
    line = Registry(server.host, NAME, lambda: None)
    line.put_manifest("for-the-demo", opened(server).read(one.digest), MANIFEST_MEDIA_TYPE)
    named = {held.digest: held.is_named for held in opened(server).held()}
    assert named == {one.digest: True, two.digest: False}


def test_what_an_index_of_a_team_lists_is_named(server: Server) -> None:
    one, two = old(server, 1), old(server, 2)
    line = Registry(server.host, NAME, lambda: None)
    content = opened(server).read(one.digest)
    listed = {
        "mediaType": MANIFEST_MEDIA_TYPE,
        "artifactType": ARTIFACT_TYPE,
        "digest": one.digest,
        "size": len(content),
    }
    index = {"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "manifests": [listed]}
    line.put_manifest("for-the-demo", canonical_json(index), INDEX_MEDIA_TYPE)
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
        assert bundle.digest in (refused.value.hint or "")
        assert [held.digest for held in opened(server).held()] == [Digest(bundle.digest)]
