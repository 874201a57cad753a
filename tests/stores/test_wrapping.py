"""A registry that takes no types but those it knows holds a store all the same, as plain images.

GitLab itself was not asked: in front of Docker's registry stands what refuses what GitLab is
documented to refuse.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assent.core.bundle import ARTIFACT_TYPE, MANIFEST_MEDIA_TYPE
from assent.core.digest import digest_of
from assent.errors import OutsideError
from assent.ports import BlobState, Source
from assent.stores import wrapping
from assent.stores.oci import VACANT_TYPE
from assent.stores.registry import Registry
from assent.stores.registry_upkeep import HINT_TYPE
from tests.builders import digest
from tests.stores.proxies import GITLAB_TYPES, Line, proxied, unknown_to_gitlab
from tests.stores.registries import Server, registry
from tests.stores.test_oci import opened, pointer, require_whole, stored

NAME = "acme/churn/assent"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with registry(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture
def gitlab(server: Server) -> Iterator[Line]:
    with proxied(server.host, refuses=unknown_to_gitlab) as line:
        yield line


def manifest_of(server: Server, name: str, tag: str) -> dict[str, Any]:
    content = Registry(server.host, name, lambda: None).read("manifests", tag, most=1 << 20)
    assert content is not None
    found: dict[str, Any] = json.loads(content)
    return found


def test_a_store_is_whole_for_whoever_comes_later(
    server: Server, gitlab: Line, tmp_path: Path
) -> None:
    bundle = stored(opened(gitlab.host, NAME), tmp_path)
    require_whole(gitlab.host, NAME, bundle, tmp_path)
    assert opened(gitlab.host, NAME).confirm([bundle]) == {bundle: BlobState.SOUND}
    with proxied(server.host) as other:  # the same store, whoever asks what
        require_whole(other.host, NAME, bundle, tmp_path)


def test_a_tag_keeps_all_that_its_bundle_needs(
    server: Server, gitlab: Line, tmp_path: Path
) -> None:
    bundle = stored(opened(gitlab.host, "acme/kept"), tmp_path)
    tags = (f"_bundle.{bundle.removeprefix('sha256:')}", "churn-production")
    first, second = (manifest_of(server, "acme/kept", tag) for tag in tags)
    assert first == second
    held = opened(gitlab.host, "acme/kept").read(bundle)
    inner = json.loads(held)
    named = [one["digest"] for one in first["layers"]]
    assert named == [bundle, inner["config"]["digest"], *(one["digest"] for one in inner["layers"])]
    assert "artifactType" not in first
    assert {one["mediaType"] for one in first["layers"]} <= GITLAB_TYPES
    titles = [one["annotations"]["org.opencontainers.image.title"] for one in first["layers"]]
    assert titles == ["manifest.json", "config.json", "model/weights.bin", "evidence.json"]


def test_the_config_of_an_image_is_one(server: Server, gitlab: Line, tmp_path: Path) -> None:
    """Registries show and clean up by it (OCI image specification 1.1, image configuration)."""
    stored(opened(gitlab.host, "acme/config"), tmp_path)
    for tag in ("churn-production", "_pointer.churn-production", "_hint.inputs.churn-3f2a"):
        image = manifest_of(server, "acme/config", tag)
        config = json.loads(server.blob(image["config"]["digest"]).read_bytes())
        assert image["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
        assert config["rootfs"]["type"] == "layers"
        assert config["rootfs"]["diff_ids"] == [one["digest"] for one in image["layers"]]
        assert [config["architecture"], config["os"]] == ["unknown", "unknown"]
        assert "created" not in config  # or the same bundle would not be the same image


def test_what_the_registry_takes_is_asked_once(gitlab: Line, tmp_path: Path) -> None:
    store = opened(gitlab.host, "acme/once")
    bundle = stored(store, tmp_path)
    store.point("churn/versions/1", pointer(bundle))
    written = [one.split()[1] for one in gitlab.asked if one.startswith("PUT") and "/manif" in one]
    assert len(written) - len(set(written)) == 1


def test_nothing_is_written_twice(gitlab: Line, tmp_path: Path) -> None:
    stored(opened(gitlab.host, "acme/twice"), tmp_path)
    gitlab.asked.clear()
    stored(opened(gitlab.host, "acme/twice"), tmp_path)
    assert {one.split()[0] for one in gitlab.asked} <= {"GET", "HEAD"}


def test_a_stage_is_emptied_and_a_tag_put_right(
    server: Server, gitlab: Line, tmp_path: Path
) -> None:
    store = opened(gitlab.host, "acme/stages")
    stored(store, tmp_path)
    line = Registry(server.host, "acme/stages", lambda: None)
    image = line.read("manifests", "churn-production", most=1 << 20)
    assert image is not None
    forged = json.loads(image)
    forged["layers"] = forged["layers"][:1]  # it says the bundle, and keeps nothing of it
    for tag, content in (("churn-production", json.dumps(forged).encode()), ("churn-v7", image)):
        line.put_manifest(tag, content, MANIFEST_MEDIA_TYPE)
    assert store.astray("churn") == ("churn-production", "churn-v7")
    opened(gitlab.host, "acme/stages").relist("churn")
    assert store.astray("churn") == ()
    assert line.digest_of_tag("churn-production") == digest_of(image)
    vacant = line.digest_of_tag("churn-v7")
    assert vacant == wrapping.image(VACANT_TYPE, b"{}").digest


def test_a_manifest_that_the_registry_has_lost_is_written_again(
    server: Server, gitlab: Line, tmp_path: Path
) -> None:
    bundle = stored(opened(gitlab.host, "acme/lost"), tmp_path)
    server.blob(bundle).unlink()
    assert opened(gitlab.host, "acme/lost").check([bundle]) == {bundle: BlobState.MISSING}
    stored(opened(gitlab.host, "acme/lost"), tmp_path)
    require_whole(gitlab.host, "acme/lost", bundle, tmp_path)


def test_skopeo_copies_it_to_a_registry_that_takes_everything(
    server: Server, gitlab: Line, tmp_path: Path
) -> None:
    """Where it is gone on with, and both forms lie beside each other."""
    bundle = stored(opened(gitlab.host, "acme/moved"), tmp_path)
    before = manifest_of(server, "acme/moved", "churn-production")
    with registry(tmp_path / "other") as other:
        subprocess.run(
            ["skopeo", "sync", "--all", "--src", "docker", "--dest", "docker",
             "--src-tls-verify=false", "--dest-tls-verify=false",
             f"{server.host}/acme/moved", f"{other.host}/copied"],
            check=True, capture_output=True,
        )  # fmt: skip
        assert manifest_of(other, "copied/moved", "churn-production") == before
        require_whole(other.host, "copied/moved", bundle, tmp_path)
        store = opened(other.host, "copied/moved")
        store.point("churn/versions/1", pointer(bundle))
        assert manifest_of(other, "copied/moved", "churn-v1")["artifactType"] == ARTIFACT_TYPE
        assert opened(other.host, "copied/moved").astray("churn") == ()
        require_whole(other.host, "copied/moved", bundle, tmp_path)


def test_a_refusal_of_another_kind_is_said(server: Server, tmp_path: Path) -> None:
    with (
        proxied(server.host, refuses=lambda _: "too many layers") as line,
        pytest.raises(OutsideError, match="MANIFEST_INVALID manifest invalid too many layers"),
    ):
        stored(opened(line.host, "acme/refused"), tmp_path)
    with proxied(server.host, refuses=unknown_to_gitlab) as line:
        content = b"no manifest of a bundle"
        with pytest.raises(OutsideError, match="MANIFEST_INVALID"):
            opened(line.host, "acme/refused").add([Source(content=content, is_manifest=True)])


@pytest.mark.parametrize("made", [wrapping.artifact, wrapping.image])
def test_both_forms_say_the_same(made: Any) -> None:
    content = digest("b1").encode()
    said = wrapping.named(made(HINT_TYPE, content).manifest)
    assert said == wrapping.Named(kind=HINT_TYPE, digest=digest_of(content), content=content)


def test_what_an_image_states_is_no_proof() -> None:
    manifest = wrapping.image(HINT_TYPE, b"one").manifest.replace(b'"one"', b'"two"')
    said = wrapping.named(manifest)
    assert said == wrapping.Named(kind=HINT_TYPE, digest=digest_of(b"one"), content=None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"config":{"mediaType":"x","digest":"sha256:1","size":1},"layers":[]}',
        wrapping.image(HINT_TYPE, b"x").manifest.replace(b"dev.assent.kind", b"dev.others.kind"),
        wrapping.image(HINT_TYPE, b"x").manifest.replace(b"sha256:", b"sha257:"),
    ],
)
def test_what_is_not_ours_says_nothing(content: bytes) -> None:
    assert wrapping.named(content) is None
