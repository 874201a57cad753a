"""An inspection that is kept beside the bundle it is of, so that nobody has to fetch its files
again to look into them. It proves nothing by itself: the entry of the ledger that registered the
bundle names its digest.

It is an OCI artifact of one layer, for whatever a registry has nothing to keep by is cleaned up.
"""

from __future__ import annotations

import msgspec

from assent.core.bundle import Descriptor, Manifest
from assent.core.digest import Digest, canonical_json, digest_of
from assent.core.inspection import Inspection

FORMAT = "assent/inspection/1"
MEDIA_TYPE = "application/vnd.assent.inspection.v1+json"
EMPTY, EMPTY_MEDIA_TYPE = b"{}", "application/vnd.oci.empty.v1+json"
"""What an artifact has that needs no configuration (OCI image specification 1.1)."""
MAX_BYTES = 16 << 20
"""Larger ones are not kept: there the model is read again."""


class KeptInspection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the files of `model_digest` say to the code `by`."""

    by: Digest
    model_digest: Digest
    inspection: Inspection
    format: str = FORMAT


def is_complete(inspection: Inspection) -> bool:
    """Whether it says the same at any time: what could not be read may be read another time."""
    return bool(inspection.parts) and all(part.problem is None for part in inspection.parts)


def encode(kept: KeptInspection) -> bytes:
    """Its bytes: same inspection, same bytes."""
    return canonical_json(kept)


def manifest_of(content: bytes) -> bytes:
    """The manifest of the artifact whose layer is `content`."""
    layer = Descriptor(media_type=MEDIA_TYPE, digest=digest_of(content), size=len(content))
    config = Descriptor(media_type=EMPTY_MEDIA_TYPE, digest=digest_of(EMPTY), size=len(EMPTY))
    return canonical_json(Manifest(artifact_type=MEDIA_TYPE, config=config, layers=(layer,)))


def layer_of(manifest: bytes) -> Digest | None:
    """The digest of the layer of such a manifest; None if it is none."""
    try:
        document = msgspec.json.decode(manifest, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if document.artifact_type != MEDIA_TYPE or len(document.layers) != 1:
        return None
    return document.layers[0].digest if document.layers[0].size <= MAX_BYTES else None


def decode(content: bytes, *, by: Digest, model_digest: Digest) -> Inspection | None:
    """The inspection if it is what this code says of these files; None if other code has said it,
    or of others.
    """
    try:
        kept = msgspec.json.decode(content, type=KeptInspection)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    is_of = (kept.format, kept.by, kept.model_digest) == (FORMAT, by, model_digest)
    return kept.inspection if is_of else None
