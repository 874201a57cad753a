"""Bundles: an OCI manifest whose digest is the candidate's identity."""

from __future__ import annotations

import json
import posixpath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.bundle import (
    ModelFile,
    config_blob,
    is_safe_path,
    manifest_blob,
    manifest_size,
    model_digest,
    read_manifest,
    too_large,
)
from assent.core.digest import canonical_json, digest_of
from assent.core.evidence import Attachment
from assent.errors import IntegrityError
from tests.builders import digest

FILES = (
    ModelFile(path="model.onnx", digest=digest("weights"), size_bytes=7),
    ModelFile(path="vocabulary/words.txt", digest=digest("words"), size_bytes=5),
    ModelFile(path="config.json", digest=digest("config"), size_bytes=2),
)
EVIDENCE = b'{"metrics":{}}'


def manifest_of(*files: ModelFile, model: str = "churn") -> bytes:
    return manifest_blob(model, files, config_blob(model, files), EVIDENCE)


def changed(**fields: Any) -> bytes:
    return canonical_json({**json.loads(manifest_of(*FILES)), **fields})


def layers() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(manifest_of(*FILES))["layers"]
    return found


def test_a_manifest_reads_back_as_the_bundle_it_was_made_of() -> None:
    content = manifest_of(*FILES)
    bundle = read_manifest(content)
    assert bundle.digest == digest_of(content)
    assert bundle.model == "churn"
    assert bundle.model_digest == model_digest(FILES)
    assert set(bundle.files) == set(FILES)
    assert bundle.size_bytes == 14
    assert bundle.evidence.digest == digest_of(EVIDENCE)
    assert bundle.blobs[-1] == bundle.digest
    assert set(bundle.blobs) == {
        *(file.digest for file in FILES),
        digest_of(config_blob("churn", FILES)),
        digest_of(EVIDENCE),
        bundle.digest,
    }


@given(st.permutations(FILES))
def test_the_order_of_files_does_not_matter(files: list[ModelFile]) -> None:
    assert manifest_of(*files) == manifest_of(*FILES)
    assert model_digest(files) == model_digest(FILES)


@pytest.mark.parametrize("field", ["path", "digest", "size_bytes"])
def test_any_difference_in_a_file_gives_another_identity(field: str) -> None:
    values = {"path": "other", "digest": digest("other"), "size_bytes": 8}
    fields = {name: getattr(FILES[0], name) for name in FILES[0].__struct_fields__}
    other = ModelFile(**{**fields, field: values[field]})
    assert model_digest([other, *FILES[1:]]) != model_digest(FILES)
    assert manifest_of(other, *FILES[1:]) != manifest_of(*FILES)


@pytest.mark.threat(3)
@pytest.mark.parametrize("count", [0, 1, 12, 300])
def test_the_size_of_a_manifest_is_known_before_the_digests(count: int) -> None:
    attachments = [
        Attachment(path="p.png", digest=digest("p"), size_bytes=9, media_type="image/png")
    ]
    sizes = [10**number for number in range(6)]
    files, unknown = (
        [
            ModelFile(
                path=f'fold {number}/ü"{number}.bin',
                digest=digest(f"{name}{number}"),
                size_bytes=sizes[number % 6],
                is_executable=number % 3 == 0,
            )
            for number in range(count)
        ]
        for name in ("known", "unknown")
    )
    config = config_blob("churn", files)
    manifest = manifest_blob("churn", files, config, EVIDENCE, attachments)
    assert manifest_size("churn", unknown, EVIDENCE, attachments) == len(manifest)


@pytest.mark.parametrize(
    ("sizes", "problem"),
    [
        ((100_000, 9, 9, 9), None),
        ((100_001, 9, 9, 9), "it has 100,001 files, and a bundle takes 100,000"),
        ((2, 10, 9, 9), "the manifest of 2 files has 10 bytes, and the store takes 9"),
        ((2, 9, 10, 9), "the evidence has 10 bytes, and the store takes 9"),
    ],
)
def test_what_could_not_be_read_again(
    sizes: tuple[int, int, int, int], problem: str | None
) -> None:
    assert too_large(*sizes) == problem


def test_other_evidence_for_the_same_files_is_another_bundle_of_the_same_model() -> None:
    config = config_blob("churn", FILES)
    one = read_manifest(manifest_blob("churn", FILES, config, b'{"seed":1}'))
    other = read_manifest(manifest_blob("churn", FILES, config, b'{"seed":2}'))
    assert one.digest != other.digest
    assert one.model_digest == other.model_digest


def test_container_tools_find_the_fields_they_know() -> None:
    manifest = json.loads(manifest_of(*FILES))
    assert manifest["schemaVersion"] == 2
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["artifactType"] == "application/vnd.assent.bundle.v1+json"
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.model.config.v1+json"
    assert [layer["mediaType"] for layer in manifest["layers"]] == [
        *["application/vnd.cncf.model.weight.v1.raw"] * 3,
        "application/vnd.assent.evidence.v1+json",
    ]
    assert manifest["layers"][0]["annotations"] == {
        "org.opencontainers.image.title": "model/config.json",
        "org.cncf.model.filepath": "config.json",
    }
    assert all(
        set(blob) <= {"mediaType", "digest", "size", "annotations"}
        for blob in [manifest["config"], *manifest["layers"]]
    )


def test_the_config_is_that_of_modelpack() -> None:
    config = json.loads(config_blob("churn", FILES))
    assert config["descriptor"] == {"name": "churn"}
    assert config["modelfs"] == {
        "type": "layers",
        "diffIds": [digest("config"), digest("weights"), digest("words")],
    }


def test_nothing_in_manifest_and_config_depends_on_time() -> None:
    text = (manifest_of(*FILES) + config_blob("churn", FILES)).decode().lower()
    assert not [word for word in ("created", "time", "date", '"at"') if word in text]


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../model.onnx",
        "a/../../b",
        "a/./b",
        "a//b",
        "a/",
        "..",
        "a\\..\\b",
        "a\nb",
        "a\0b",
        "a\u202eb",
        ".git/config",
        "a/.Git/hooks/post-checkout",
        "a" * 256,
        "ä" * 128,
        "a/" * 512 + "b",
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    assert not is_safe_path(path)
    evil = ModelFile(path=path, digest=digest("evil"), size_bytes=1)
    with pytest.raises(IntegrityError, match="leaves the model's folder"):
        read_manifest(manifest_of(evil))


@pytest.mark.threat(39)
@given(st.text(alphabet="ab./\\\n é", max_size=12))
def test_a_safe_path_stays_inside_and_is_written_in_one_way(path: str) -> None:
    if is_safe_path(path):
        assert posixpath.normpath(path) == path
        assert posixpath.join("/model", path).startswith("/model/")
        assert ".." not in path.split("/")


def test_ordinary_paths_are_safe() -> None:
    ordinary = ("a", "a/b.c", "..a", "a b", "größe/x", ".hidden", ".gitkeep", "a" * 255)
    assert all(map(is_safe_path, ordinary))


@pytest.mark.threat(39)
@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b/c/d", "a/b"), ("x", "a/b/c", "a/b/d", "a")])
def test_what_nobody_could_write_to_a_disk_is_refused(paths: tuple[str, ...]) -> None:
    files = [ModelFile(path=path, digest=digest(path), size_bytes=1) for path in paths]
    with pytest.raises(IntegrityError, match="of a file and of a folder"):
        read_manifest(manifest_of(*files))


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not a manifest"),
        (b"\xff\xfe{}", "not a manifest"),
        (b'{"artifactType":"\xff"}', "not a manifest"),
        (b"[" * 100_000, "not a manifest"),
        (b"{}", "not a manifest"),
        (changed(artifactType="application/vnd.oci.empty.v1+json"), "not a bundle"),
        (changed(layers=[]), "holds no evidence"),
        (changed(layers=layers()[:-1]), "holds no evidence"),
        (changed(layers=[*layers(), layers()[-1]]), "holds evidence twice"),
        (changed(layers=[layers()[0], *layers()]), "holds one path twice"),
        (changed(layers=layers()[1:]), "its files have another"),
        (changed(layers=[{**layers()[0], "size": 9}, *layers()[1:]]), "its files have another"),
        (changed(annotations={}), "its files have another"),
        (changed(annotations={"dev.assent.model.digest": digest("x")}), "its files have another"),
        (changed(layers=[{**layers()[0], "size": -1}, *layers()[1:]]), "impossible descriptor"),
        (changed(layers=[{**layers()[0], "digest": "sha256:../../x"}]), "impossible descriptor"),
        (
            changed(config={"mediaType": "x", "digest": "sha256:../../x", "size": 1}),
            "impossible descriptor",
        ),
        (changed(layers=[{**layers()[0], "annotations": {}}]), "leaves the model's folder"),
        (changed(layers=[{**layers()[0], "size": 9}, *layers()]), "one blob two sizes"),
        (changed(layers=[*layers(), {**layers()[0], "size": 9}]), "one blob two sizes"),
        (
            changed(config={"mediaType": "x", "digest": layers()[0]["digest"], "size": 9}),
            "one blob two sizes",
        ),
    ],
)
def test_a_manifest_that_is_wrong_about_itself_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(IntegrityError, match=problem):
        read_manifest(content)


CONFIG: dict[str, Any] = json.loads(manifest_of(*FILES))["config"]
TITLE = "org.opencontainers.image.title"


def retitled(title: str) -> dict[str, Any]:
    return {**layers()[0], "annotations": {**layers()[0]["annotations"], TITLE: title}}


@pytest.mark.threat(60)
@pytest.mark.threat(17)
@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "content",
    [
        b" " + manifest_of(*FILES),
        manifest_of(*FILES)[:-1] + b',"LAYERS":[]}',
        b'{"layers":[],' + manifest_of(*FILES)[1:],
        changed(layers=[retitled("model/model.onnx"), *layers()[1:]]),
        changed(layers=[retitled("../../config.json"), *layers()[1:]]),
        changed(layers=[{**layers()[0], "urls": ["https://example.com/x"]}, *layers()[1:]]),
        changed(layers=[{**layers()[0], "mediaType": "application/x-tar"}, *layers()[1:]]),
        changed(layers=list(reversed(layers()))),
        changed(mediaType="application/vnd.oci.image.index.v1+json"),
        changed(manifests=[CONFIG]),
        changed(subject=CONFIG),
        changed(config={**CONFIG, "digest": digest("another")}),
    ],
)
def test_what_other_tools_may_read_otherwise_is_refused(content: bytes) -> None:
    """They go by titles, media types, and the last of several keys, whatever case it is in."""
    with pytest.raises(IntegrityError, match="other tools may read another model in it"):
        read_manifest(content)


@pytest.mark.threat(39)
@pytest.mark.parametrize("path", ["../a.png", "", "a\\b"])
def test_the_name_of_an_attachment_stays_in_its_folder(path: str) -> None:
    named = Attachment(path=path, digest=digest("a"), size_bytes=1, media_type="image/png")
    config = config_blob("churn", FILES)
    with pytest.raises(IntegrityError, match="none of an attachment"):
        read_manifest(manifest_blob("churn", FILES, config, EVIDENCE, [named]))


def test_two_attachments_have_two_names() -> None:
    named = Attachment(path="a.png", digest=digest("a"), size_bytes=1, media_type="image/png")
    config = config_blob("churn", FILES)
    with pytest.raises(IntegrityError, match="one name"):
        read_manifest(manifest_blob("churn", FILES, config, EVIDENCE, [named, named]))
