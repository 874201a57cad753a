"""A registry whose line breaks, at every request and within bodies, loses and doubles nothing."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assent.core.bundle import MANIFEST_MEDIA_TYPE, ModelFile, config_blob, manifest_blob
from assent.core.digest import Digest, digest_of
from assent.errors import OutsideError, UsageError
from assent.ports import BlobState, Pointer, Source, Wanted
from assent.stores.line import PATIENCE_S, PAUSES_S
from assent.stores.oci import OciStore, open_store
from assent.stores.registry import Registry
from assent.stores.wrapping import artifact
from tests.builders import digest
from tests.effort import IS_SOAK
from tests.stores.keeping import keeping
from tests.stores.proxies import BREAKS, Fault, proxied
from tests.stores.registries import Server, registry

LARGE = 5 << 20
SECRET = "do-not-show-this"
MODEL = random.Random(7).randbytes(LARGE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with registry(tmp_path_factory.mktemp("registry")) as started:
        yield started


def opened(
    host: str,
    name: str,
    wait: Callable[[float], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> OciStore:
    return OciStore(Registry(host, name, lambda: None, wait=wait, say=say))


def stored(store: OciStore, folder: Path) -> Digest:
    """A bundle and what names it, written as the verbs do; its digest."""
    path = folder / "weights.bin"
    path.write_bytes(MODEL)
    [model] = store.add([Source(path=path)])
    files = [ModelFile(path="weights.bin", digest=model.digest, size_bytes=model.size_bytes)]
    config, evidence = config_blob("churn", files), b'{"evidence": true}'
    manifest = manifest_blob("churn", files, config, evidence)
    store.add([Source(content=config), Source(content=evidence)])
    [bundle] = store.add([Source(content=manifest, is_manifest=True)])
    store.remember("churn/inputs/3f2a", bundle.digest)
    store.flush([model.digest, bundle.digest])
    store.point("churn/stages/production", pointer(bundle.digest))
    return bundle.digest


def pointer(bundle: Digest) -> Pointer:
    return Pointer(seq=3, entry=digest("e3"), version=1, bundle=bundle, model_digest=digest("m1"))


def require_whole(host: str, name: str, bundle: Digest, folder: Path) -> None:
    """Everything is there, soundly, for somebody who has seen nothing of it before."""
    store = opened(host, name)
    place = folder / "fetched.bin"
    store.fetch([Wanted(digest=digest_of(MODEL), size_bytes=LARGE, path=place)])
    assert place.read_bytes() == MODEL
    place.unlink()
    assert store.check([bundle]) == {bundle: BlobState.SOUND}
    assert store.recall("churn/inputs/3f2a") == bundle
    held = store.pointer("churn/stages/production")
    assert held is not None
    assert held.bundle == bundle
    assert store.astray("churn") == ()


def require_sound(host: str, name: str, blob: Digest) -> None:
    assert opened(host, name).check([blob]) == {blob: BlobState.SOUND}


@pytest.fixture(scope="module")
def requests_needed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> int:
    with proxied(server.host, lambda _: None) as line:
        stored(opened(line.host, "team/sound"), tmp_path_factory.mktemp("sound"))
        return len(line.asked)


def some(count: int, seed: int) -> list[int]:
    """Places at which to break: all of them in the soak, else the ends and a sample."""
    places = range(count)
    return [*places] if IS_SOAK else sorted({0, count - 1, *random.Random(seed).sample(places, 3)})


@pytest.mark.threat(27)
@pytest.mark.parametrize("fault", BREAKS)
def test_one_break_is_nothing_that_anybody_notices(
    server: Server, requests_needed: int, tmp_path: Path, fault: Fault
) -> None:
    for place in some(requests_needed, seed=len(fault)):
        name = f"team/{fault.name.lower()}/n{place}"
        with proxied(server.host, {place: fault}.get) as line:
            bundle = stored(opened(line.host, name), tmp_path)
        require_whole(server.host, name, bundle, tmp_path)


@pytest.mark.threat(27)
def test_a_line_that_stays_broken_is_said_and_the_next_run_finishes(
    server: Server, requests_needed: int, tmp_path: Path
) -> None:
    for place in some(requests_needed, seed=1):
        name = f"team/dead/n{place}"
        dead_from(place, server, name, tmp_path)
        bundle = stored(opened(server.host, name), tmp_path)
        require_whole(server.host, name, bundle, tmp_path)


def dead_from(place: int, server: Server, name: str, folder: Path) -> None:
    def plan(number: int) -> Fault | None:
        return Fault.REFUSED if number >= place else None

    with (
        proxied(server.host, plan) as line,
        pytest.raises(OutsideError, match="the registry does not answer") as caught,
    ):
        stored(opened(line.host, name), folder)
    assert caught.value.hint == "run the verb again: what was written stays"


def test_a_registry_that_gives_up_what_broke_gets_all_of_it_again(
    server: Server, tmp_path: Path
) -> None:
    with proxied(server.host, {2: Fault.HALF_SENT}.get) as line:
        kept = sent(line.host, "team/again-from-the-start", tmp_path)
        methods = [one.split()[0] for one in line.asked]
    assert methods == ["HEAD", "POST", "PATCH", "HEAD", "GET", "POST", "PATCH", "PUT"]
    require_sound(server.host, "team/again-from-the-start", kept)


def test_a_registry_that_keeps_what_it_got_gets_the_rest(tmp_path: Path) -> None:
    with keeping() as upstream, proxied(upstream.host, {2: Fault.HALF_SENT}.get) as line:
        kept = sent(line.host, "team/models", tmp_path)
        asked = [one.split() for one in line.asked]
    assert [one[0] for one in asked] == ["HEAD", "POST", "PATCH", "HEAD", "GET", "PATCH", "PUT"]
    assert asked[5][2] == f"{LARGE // 2}-{LARGE - 1}"
    assert upstream.blobs == {kept: MODEL}


def sent(host: str, name: str, folder: Path) -> Digest:
    """A large file in the registry; its progress adds up whatever was sent again."""
    path = folder / "weights.bin"
    path.write_bytes(MODEL)
    done: list[int] = []
    [stored] = opened(host, name).add([Source(path=path)], done.append)
    assert sum(done) == LARGE
    return stored.digest


def test_a_fetch_goes_on_where_it_broke(server: Server, tmp_path: Path) -> None:
    stored(opened(server.host, "team/got"), tmp_path)
    done: list[int] = []
    with proxied(server.host, {0: Fault.HALF_GOT}.get) as line:
        place = tmp_path / "fetched.bin"
        wanted = Wanted(digest=digest_of(MODEL), size_bytes=LARGE, path=place)
        opened(line.host, "team/got").fetch([wanted], done.append)
        assert len(line.asked) == 2
    assert place.read_bytes() == MODEL
    assert sum(done) == LARGE


def test_what_is_there_is_not_sent_again(server: Server, tmp_path: Path) -> None:
    stored(opened(server.host, "team/again"), tmp_path)
    with proxied(server.host, lambda _: None) as line:
        stored(opened(line.host, "team/again"), tmp_path)
        assert not [one for one in line.asked if one.split()[0] not in ("GET", "HEAD")]


def test_a_file_whose_last_answer_was_lost_is_not_sent_again(
    server: Server, tmp_path: Path
) -> None:
    with proxied(server.host, {3: Fault.LOST}.get) as line:
        kept = sent(line.host, "team/lost-answer", tmp_path)
        methods = [one.split()[0] for one in line.asked]
    assert methods == ["HEAD", "POST", "PATCH", "PUT", "HEAD"]
    require_sound(server.host, "team/lost-answer", kept)


def test_what_a_team_keeps_beside_the_store_is_not_touched(server: Server, tmp_path: Path) -> None:
    """An image may be called like a stage of a model."""
    store = opened(server.host, "team/beside")
    stored(store, tmp_path)
    image = artifact("application/vnd.example.image", b"{}").manifest
    line = Registry(server.host, "team/beside", lambda: None)
    line.put_manifest("churn-latest", image, MANIFEST_MEDIA_TYPE)
    assert store.astray("churn") == ()
    store.relist("churn")
    assert line.digest_of_tag("churn-latest") == digest_of(image)


def test_a_bundle_whose_own_tag_was_cleaned_up_gets_it_again(
    server: Server, tmp_path: Path
) -> None:
    bundle = stored(opened(server.host, "team/cleaned"), tmp_path)
    tag = f"_bundle.{bundle.removeprefix('sha256:')}"
    place = server.root / "docker/registry/v2/repositories/team/cleaned/_manifests/tags" / tag
    shutil.rmtree(place)
    line = Registry(server.host, "team/cleaned", lambda: None)
    assert line.digest_of_tag(tag) is None
    stored(opened(server.host, "team/cleaned"), tmp_path)
    assert line.digest_of_tag(tag) == bundle


def test_what_the_registry_has_lost_meanwhile_is_sent_again(server: Server, tmp_path: Path) -> None:
    """It clears away what nothing names, while we still know that it was there."""
    store = opened(server.host, "team/cleared")
    bundle = digest("b1")
    store.remember("churn/inputs/1", bundle)
    server.blob(digest_of(f"{bundle}\n".encode())).unlink()
    with pytest.raises(OutsideError, match="BLOB_UNKNOWN"):
        store.remember("churn/inputs/2", bundle)
    store.remember("churn/inputs/2", bundle)
    assert opened(server.host, "team/cleared").recall("churn/inputs/2") == bundle


def test_a_bundle_is_asked_for_before_it_is_called_kept(server: Server, tmp_path: Path) -> None:
    """Something in between may have written it in other words, which have another digest."""
    with proxied(server.host) as line:
        bundle = stored(opened(line.host, "team/asked"), tmp_path)
        asked = [one.split()[:2] for one in line.asked]
    assert ["HEAD", f"/v2/team/asked/manifests/{bundle}"] in asked


def test_only_what_is_damaged_is_taken_away(server: Server, tmp_path: Path) -> None:
    store = opened(server.host, "team/damaged")
    [held] = store.add([Source(content=b"damaged once")])
    server.blob(held.digest).write_bytes(b"damaged twice")
    with proxied(server.host) as line:
        opened(line.host, "team/damaged").discard(held.digest)
        removed = [one.split()[1] for one in line.asked if one.startswith("DELETE")]
    assert removed == [f"/v2/team/damaged/blobs/{held.digest}"]
    assert store.check([held.digest]) == {held.digest: BlobState.MISSING}


def test_a_registry_that_asks_to_wait_is_waited_for(server: Server, tmp_path: Path) -> None:
    waited: list[float] = []
    said: list[str] = []
    with proxied(server.host, {1: Fault.BUSY, 2: Fault.ILL}.get) as line:
        stored(opened(line.host, "team/busy", waited.append, said.append), tmp_path)
    assert waited == [3.0, PAUSES_S[1]]
    assert ["HTTP 429" in said[0], "once more in 3 s" in said[0]] == [True, True]
    assert ["HTTP 503" in said[1], len(said)] == [True, 2]
    assert PATIENCE_S > 3


def test_skopeo_copies_the_whole_store_to_another_registry(server: Server, tmp_path: Path) -> None:
    bundle = stored(opened(server.host, "team/synced"), tmp_path)
    with registry(tmp_path / "other") as other:
        subprocess.run(
            ["skopeo", "sync", "--all", "--src", "docker", "--dest", "docker",
             "--src-tls-verify=false", "--dest-tls-verify=false",
             f"{server.host}/team/synced", f"{other.host}/copied"],
            check=True, capture_output=True,
        )  # fmt: skip
        require_whole(other.host, "copied/synced", bundle, tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "oci://",
        "oci://ghcr.io",
        "oci://ghcr.io/",
        "oci://ghcr.io/Acme/models",
        "oci://ghcr.io/acme/models:latest",
        "oci://ghcr.io/acme/../models",
        "oci://user:pass@ghcr.io/acme/models",
        "oci://ghcr.io/acme/models?x=1",
        "oci://gh cr.io/acme",
    ],
)
def test_what_is_no_repository_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no address of a repository"):
        open_store(address, {})


@pytest.mark.threat(38)
@pytest.mark.parametrize("address", [f"oci://x:{SECRET}@host/x", f"oci://host/x?token={SECRET}"])
def test_a_login_in_an_address_is_not_shown(address: str) -> None:
    with pytest.raises(UsageError) as told:
        open_store(address, {})
    assert SECRET not in f"{told.value} {told.value.hint}"
