"""What tags of a registry name: artifacts of our own types or, where a registry takes none, plain
images that say the same.

    artifact    the manifest of a bundle itself; for pointers and hints one of a single layer
    image       for a bundle: layers are its manifest, its config and its layers, so that all of it
                is kept and copied with the tag; for pointers and hints the same single layer

Sources: the OCI image specification 1.1 (manifest, `artifactType`, image config), and the list of
media types that the registry of GitLab takes (docs/spec/gitlab/supported-media-types.md there),
which has all that an image of ours names. Nothing here depends on time or chance: the same bundle
has the same image, wherever it is written.
"""

from __future__ import annotations

import msgspec

from assent.core.bundle import ARTIFACT_TYPE, MANIFEST_MEDIA_TYPE, TITLE
from assent.core.digest import Digest, canonical_json, digest_of, is_digest

EMPTY_MEDIA_TYPE = "application/vnd.oci.empty.v1+json"
CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_MEDIA_TYPE = "application/octet-stream"
"""Not that of a layer of files: tools compress such layers while copying, and so change them."""
KIND = "dev.assent.kind"
"""The annotation of an image that says what its artifact type would be."""
CONTENT = "dev.assent.content"
"""The annotation with the one layer itself, so that it takes one request to read."""
EMPTY = b"{}"


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest, and the blobs that have to be there before."""

    manifest: bytes
    blobs: tuple[bytes, ...] = ()

    @property
    def digest(self) -> Digest:
        """The digest of the manifest."""
        return digest_of(self.manifest)


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest says that it is: a bundle by its digest, or a layer of `kind`, whose bytes
    are at hand if they are stated.
    """

    kind: str
    digest: Digest
    content: bytes | None = None


class _Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    media_type: str
    digest: Digest
    size: int
    annotations: dict[str, str] = {}


class _Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    config: _Descriptor
    layers: tuple[_Descriptor, ...]
    artifact_type: str = ""
    annotations: dict[str, str] = {}


def artifact(kind: str, content: bytes) -> Written:
    """An artifact of one layer."""
    layer = _blob(content, EMPTY_MEDIA_TYPE if content == EMPTY else kind)
    config = _blob(EMPTY, EMPTY_MEDIA_TYPE)
    made = _Manifest(
        config=config, layers=(layer,), artifact_type=kind, annotations=_stated(content)
    )
    return Written(manifest=_bytes(made), blobs=tuple(dict.fromkeys((EMPTY, content))))


def image(kind: str, content: bytes) -> Written:
    """The same as an image."""
    return _image(kind, (_blob(content, LAYER_MEDIA_TYPE),), content, _stated(content))


def image_of_bundle(manifest: bytes) -> Written | None:
    """The image around a bundle; None if that is no manifest."""
    bundle = _read(manifest)
    if bundle is None:
        return None
    layers = (
        _layer(_blob(manifest, LAYER_MEDIA_TYPE), "manifest.json"),
        _layer(bundle.config, "config.json"),
        *(_layer(layer, layer.annotations.get(TITLE, "")) for layer in bundle.layers),
    )
    return _image(ARTIFACT_TYPE, layers, manifest, {})


def named(manifest: bytes) -> Named | None:
    """What a manifest of ours says, whichever form it has; None for one of others."""
    stated = _read(manifest)
    if stated is None:
        return None
    if stated.artifact_type == ARTIFACT_TYPE:
        return Named(kind=ARTIFACT_TYPE, digest=digest_of(manifest))
    kind = stated.artifact_type or stated.annotations.get(KIND, "")
    if not kind or not stated.layers or not is_digest(stated.layers[0].digest):
        return None
    digest = stated.layers[0].digest
    content = stated.annotations.get(CONTENT, "").encode()
    is_stated = digest_of(content) == digest
    return Named(kind=kind, digest=digest, content=content if is_stated else None)


def _image(
    kind: str, layers: tuple[_Descriptor, ...], content: bytes, annotations: dict[str, str]
) -> Written:
    """An image that says its kind. Tools, and the clean-up of registries, read the config."""
    config = canonical_json(
        {
            "architecture": "unknown",
            "os": "unknown",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        }
    )
    made = _Manifest(
        config=_blob(config, CONFIG_MEDIA_TYPE),
        layers=layers,
        annotations={KIND: kind, **annotations},
    )
    return Written(manifest=_bytes(made), blobs=(config, content))


def _stated(content: bytes) -> dict[str, str]:
    return {CONTENT: content.decode()}


def _blob(content: bytes, media_type: str) -> _Descriptor:
    return _Descriptor(media_type=media_type, digest=digest_of(content), size=len(content))


def _layer(layer: _Descriptor, title: str) -> _Descriptor:
    """The same bytes as a layer of an image, under the name that tools give the file."""
    annotations = {TITLE: title} if title else {}
    return _Descriptor(
        media_type=LAYER_MEDIA_TYPE, digest=layer.digest, size=layer.size, annotations=annotations
    )


def _bytes(manifest: _Manifest) -> bytes:
    return canonical_json(
        {"schemaVersion": 2, "mediaType": MANIFEST_MEDIA_TYPE, **msgspec.to_builtins(manifest)}
    )


def _read(manifest: bytes) -> _Manifest | None:
    try:
        return msgspec.json.decode(manifest, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
