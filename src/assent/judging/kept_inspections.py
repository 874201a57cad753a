"""What was said of a model's files when it was approved or registered, kept and found again.

Only what the ledger names is taken: whoever may write to the store could leave one of their own.
"""

from __future__ import annotations

from assent.compare.bundles import LoadedBundle
from assent.core.bundle import Bundle
from assent.core.digest import Digest
from assent.core.entry import decode_entry
from assent.core.inspection import Inspection
from assent.core.kept_inspection import (
    EMPTY,
    MAX_BYTES,
    KeptInspection,
    decode,
    encode,
    is_complete,
    layer_of,
    manifest_of,
)
from assent.errors import AssentError, OutsideError
from assent.measure.models import inspecting_code
from assent.ports import Source, View
from assent.workspace import Workspace


def kept_inspection(workspace: Workspace, view: View, bundle: Bundle) -> Inspection | None:
    """What trusted code said of the bundle's files when it was approved or registered, if the code
    that is running would say the same; None if nobody knows.
    """
    by = inspecting_code()
    if by is None or not workspace.store.is_elsewhere:
        return None
    for digest in _named(view, bundle):
        content = _content(workspace, digest)
        if content is not None:
            seen = decode(content, by=by, model_digest=bundle.model_digest)
            if seen is not None:
                return seen
    return None


def _content(workspace: Workspace, digest: Digest) -> bytes | None:
    try:
        layer = layer_of(workspace.store.read(digest))
        return None if layer is None else workspace.store.read(layer)
    except AssentError:
        return None  # it is gone, or damaged: the files say the same


def keep_inspection(workspace: Workspace, candidate: LoadedBundle) -> Digest | None:
    """Keep what this run has seen in the files of a bundle, and return by which digest it is found
    again; None where reading the files costs nothing, and where it may not be the same next time.
    """
    by, seen = inspecting_code(), workspace.inspected.get(candidate.bundle.digest)
    if by is None or seen is None or not workspace.store.is_elsewhere or not is_complete(seen):
        return None
    of = candidate.bundle.model_digest
    content = encode(KeptInspection(by=by, model_digest=of, inspection=seen))
    if len(content) > MAX_BYTES:
        return None
    try:
        workspace.store.add([Source(content=EMPTY), Source(content=content)])
        manifest = Source(content=manifest_of(content), is_manifest=True)
        [stored] = workspace.store.add([manifest])
    except OutsideError as error:
        workspace.say(f"{error}: whoever looks into this version will fetch it")
        return None
    return stored.digest


def _named(view: View, bundle: Bundle) -> list[Digest]:
    """The digests that the entries name which registered or approved a bundle, the newest first."""
    known = view.record(bundle.digest)
    if known is None:
        return []
    numbers = {opinion.seq for opinion in known.opinions.values()}
    if known.registered is not None:
        numbers.add(known.registered)
    named = [
        decode_entry(view.entry(number)).inspection for number in sorted(numbers, reverse=True)
    ]
    return [digest for digest in dict.fromkeys(named) if digest is not None]
