"""A bundle: model files and evidence under one digest, as an OCI 1.1 image manifest.

Sources: the OCI image specification 1.1 (manifest, descriptor, `artifactType`,
`org.opencontainers.image.title`) and the CNCF ModelPack model specification
(media types of weights, `org.cncf.model.filepath`, the shape of the config).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from assent.core.digest import Digest, canonical_json, digest_of, digest_of_value, is_digest
from assent.core.evidence import Attachment
from assent.errors import IntegrityError

MANIFEST_MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
ARTIFACT_TYPE = "application/vnd.assent.bundle.v1+json"
CONFIG_MEDIA_TYPE = "application/vnd.cncf.model.config.v1+json"
WEIGHT_MEDIA_TYPE = "application/vnd.cncf.model.weight.v1.raw"
EVIDENCE_MEDIA_TYPE = "application/vnd.assent.evidence.v1+json"
ATTACHMENT_MEDIA_TYPE = "application/vnd.assent.evidence.attachment.v1"

TITLE = "org.opencontainers.image.title"
FILE_PATH = "org.cncf.model.filepath"
MODEL_NAME = "dev.assent.model.name"
MODEL_DIGEST = "dev.assent.model.digest"
EXECUTABLE = "dev.assent.model.executable"

EVIDENCE_TITLE = "evidence.json"
ATTACHED = "evidence/"
"""What the title of an attachment begins with."""

HANDED_OVER_BYTES = 20 * 2**30
"""How large a bundle may be that a job of a change hands over, where nobody has said otherwise."""
TOO_LARGE = "`max_bundle_size` of the base branch's assent.yaml says how large a bundle may be"

_BEGINNING = b'{"annotations":{'
"""Of every manifest that is written here: canonical JSON has its keys in order."""

_LATER = "if a later release of Assent has written it, upgrade; else do not trust who made it"

_LONGEST_PATH, _LONGEST_PART = 1024, 255

MAX_FILES = 100_000
"""The most files of a bundle, attachments included."""


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the model. `path` is relative to the model's folder, with `/`; for a model
    that is one file it is the file's name. `is_executable` is kept in the manifest and no part of
    the model digest, which is of bytes: there are file systems that know no such thing.
    """

    path: str
    digest: Digest
    size_bytes: int
    is_executable: bool = False


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An OCI content descriptor."""

    media_type: str
    digest: Digest
    size: int
    annotations: dict[str, str] = {}


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An OCI image manifest."""

    schema_version: int = 2
    media_type: str = MANIFEST_MEDIA_TYPE
    artifact_type: str = ARTIFACT_TYPE
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: dict[str, str] = {}


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed manifest: what it holds, and the digest of its bytes."""

    digest: Digest
    model: str
    model_digest: Digest
    files: tuple[ModelFile, ...]
    evidence: Descriptor
    config: Descriptor
    attachments: tuple[Descriptor, ...] = ()

    @property
    def size_bytes(self) -> int:
        """The size of the model's files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def blobs(self) -> tuple[Digest, ...]:
        """Every blob that the bundle needs, its own manifest last."""
        files = tuple(file.digest for file in self.files)
        attached = tuple(descriptor.digest for descriptor in self.attachments)
        return (*files, *attached, self.config.digest, self.evidence.digest, self.digest)


def model_digest(files: Iterable[ModelFile]) -> Digest:
    """The digest of the served files alone: of their paths, digests and sizes, sorted by path."""
    ordered = sorted(files, key=lambda file: file.path)
    return digest_of_value([[file.path, file.digest, file.size_bytes] for file in ordered])


def config_blob(model: str, files: Iterable[ModelFile]) -> bytes:
    """The ModelPack configuration of the model. It names no version and no time: a bundle does
    not know which number it will get, and the same content must give the same digest.
    """
    diff_ids = [file.digest for file in sorted(files, key=lambda file: file.path)]
    return canonical_json(
        {
            "descriptor": {"name": model},
            "config": {},
            "modelfs": {"type": "layers", "diffIds": diff_ids},
        }
    )


def manifest_blob(
    model: str,
    files: Iterable[ModelFile],
    config: bytes,
    evidence: bytes,
    attachments: Iterable[Attachment] = (),
) -> bytes:
    """The manifest's bytes; `digest_of` them is the bundle's identity."""
    attached = [
        Descriptor(
            media_type=ATTACHMENT_MEDIA_TYPE,
            digest=attachment.digest,
            size=attachment.size_bytes,
            annotations={TITLE: f"{ATTACHED}{attachment.path}"},
        )
        for attachment in attachments
    ]
    described = Descriptor(
        media_type=EVIDENCE_MEDIA_TYPE,
        digest=digest_of(evidence),
        size=len(evidence),
        annotations={TITLE: EVIDENCE_TITLE},
    )
    listed = tuple(files)
    return _laid_out(model, model_digest(listed), listed, config, described, attached)


def _laid_out(
    model: str,
    digest: Digest,
    files: Iterable[ModelFile],
    config: bytes,
    evidence: Descriptor,
    attachments: Iterable[Descriptor],
) -> bytes:
    """The one manifest of these parts."""
    ordered = sorted(files, key=lambda file: file.path)
    layers = [
        Descriptor(
            media_type=WEIGHT_MEDIA_TYPE,
            digest=file.digest,
            size=file.size_bytes,
            annotations={
                TITLE: f"model/{file.path}",
                FILE_PATH: file.path,
                **({EXECUTABLE: "true"} if file.is_executable else {}),
            },
        )
        for file in ordered
    ]
    layers += sorted(attachments, key=_title)
    manifest = Manifest(
        config=Descriptor(media_type=CONFIG_MEDIA_TYPE, digest=digest_of(config), size=len(config)),
        layers=(*layers, evidence),
        annotations={MODEL_NAME: model, MODEL_DIGEST: digest},
    )
    return canonical_json(manifest)


def _title(descriptor: Descriptor) -> str:
    return descriptor.annotations.get(TITLE, "")


def _titled(descriptor: Descriptor, title: str) -> Descriptor:
    return msgspec.structs.replace(descriptor, annotations={TITLE: title})


def too_large(count: int, manifest_bytes: int, evidence_bytes: int, limit_bytes: int) -> str | None:
    """Why a bundle of so many files could not be read again from a store that takes manifests and
    evidence of `limit_bytes`; None if it could.
    """
    if count > MAX_FILES:
        return f"it has {count:,} files, and a bundle takes {MAX_FILES:,}"
    for what, size in (
        (f"the manifest of {count:,} files", manifest_bytes),
        ("the evidence", evidence_bytes),
    ):
        if size > limit_bytes:
            return f"{what} has {size:,} bytes, and the store takes {limit_bytes:,}"
    return None


def manifest_size(
    model: str, files: Iterable[ModelFile], evidence: bytes, attachments: Iterable[Attachment] = ()
) -> int:
    """How many bytes the manifest has, whatever the digests of the files are."""
    listed = tuple(files)
    return len(manifest_blob(model, listed, config_blob(model, listed), evidence, attachments))


def begins_bundle(head: bytes) -> bool:
    """Whether a blob that begins so may be the manifest of a bundle."""
    return head.startswith(_BEGINNING)


def read_manifest(content: bytes) -> Bundle:
    """Parse a manifest and check what it says of itself.

    Raises `IntegrityError` if it is not one of ours, if a path would leave the folder it is
    written to, if the model digest is not that of the files listed, or if it is not byte for byte
    what is written of such a bundle: other tools go by other fields, and would serve something
    else under its digest.
    """
    digest = digest_of(content)
    doing = f"reading bundle {digest}"
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError(doing, f"not a manifest ({error})") from None
    if manifest.artifact_type != ARTIFACT_TYPE:
        raise IntegrityError(doing, f"not a bundle but {manifest.artifact_type!r}")
    blobs = (manifest.config, *manifest.layers)
    for blob in blobs:
        if not is_digest(blob.digest) or blob.size < 0:
            raise IntegrityError(doing, f"impossible descriptor {blob.digest!r}")
    sizes = {blob.digest: blob.size for blob in blobs}
    if any(sizes[blob.digest] != blob.size for blob in blobs):
        raise IntegrityError(doing, "it gives one blob two sizes")
    files: list[ModelFile] = []
    attachments: list[Descriptor] = []
    evidence: Descriptor | None = None
    for layer in manifest.layers:
        if layer.media_type == ATTACHMENT_MEDIA_TYPE:
            attachments.append(_titled(layer, _title(layer)))
        elif layer.media_type == EVIDENCE_MEDIA_TYPE:
            if evidence is not None:
                raise IntegrityError(doing, "it holds evidence twice")
            evidence = _titled(layer, EVIDENCE_TITLE)
        else:
            path = layer.annotations.get(FILE_PATH, "")
            if not is_safe_path(path):
                raise IntegrityError(doing, f"the path {path!r} leaves the model's folder")
            files.append(
                ModelFile(
                    path=path,
                    digest=layer.digest,
                    size_bytes=layer.size,
                    is_executable=layer.annotations.get(EXECUTABLE) == "true",
                )
            )
    if evidence is None:
        raise IntegrityError(doing, "it holds no evidence")
    paths = {file.path for file in files}
    if len(paths) != len(files):
        raise IntegrityError(doing, "it holds one path twice")
    if not paths.isdisjoint(_folders(paths)):
        raise IntegrityError(doing, "one path in it is of a file and of a folder")
    titles = {_title(attachment) for attachment in attachments}
    if len(titles) != len(attachments):
        raise IntegrityError(doing, "two attachments have one name")
    for title in titles:
        if not title.startswith(ATTACHED) or not is_safe_path(title):
            raise IntegrityError(doing, f"the name {title!r} is none of an attachment")
    stated = manifest.annotations.get(MODEL_DIGEST, "")
    if stated != model_digest(files):
        raise IntegrityError(doing, f"it states the model digest {stated}, its files have another")
    model = manifest.annotations.get(MODEL_NAME, "")
    config = config_blob(model, files)
    if content != _laid_out(model, Digest(stated), files, config, evidence, attachments):
        raise IntegrityError(
            doing,
            "it is not written as bundles are, so that other tools may read another model in it",
            hint=_LATER,
        )
    return Bundle(
        digest=digest,
        model=model,
        model_digest=Digest(stated),
        files=tuple(files),
        evidence=evidence,
        config=manifest.config,
        attachments=tuple(attachments),
    )


def _folders(paths: Iterable[str]) -> set[str]:
    """The folders in which these files lie."""
    folders: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return folders


def is_safe_path(path: str) -> bool:
    """Whether a path stays inside the folder it is joined to, and can be there: relative, no `..`,
    no back-slash, no control character, no part that is longer than file systems take, and
    nothing of a repository: its settings name programs, which Git runs.
    """
    parts = path.split("/")
    return (
        bool(path)
        and all(part not in ("", ".", "..") for part in parts)
        and ".git" not in path.casefold().split("/")
        and len(path) <= _LONGEST_PATH
        and "\\" not in path
        and path.isprintable()
        and all(len(part.encode()) <= _LONGEST_PART for part in parts)
    )
