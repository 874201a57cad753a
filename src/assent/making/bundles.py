"""Bundles in the store: read, verified, and left to be found again."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.core.bundle import ATTACHED, TITLE, Bundle, read_manifest
from assent.core.digest import Digest, hex_of, short
from assent.core.evidence import FORMAT, Evidence
from assent.core.formats import decode_document
from assent.errors import AssentError, IntegrityError, OutsideError
from assent.ports import BUNDLE_AGAIN, BlobState, Hints, NoAccessError, NotInStoreError
from assent.workspace import Workspace


def load(workspace: Workspace, model: str, digest: Digest) -> Bundle | None:
    """The bundle of this digest if the store holds it sound and it is one of `model`; else None.

    For hints only: what they name may be gone, and then the work is done again. What is lacking is
    remembered for this run: whoever bundles it then sends it.
    """
    try:
        bundle = read_manifest(workspace.store.read(digest))
        workspace.store.read(bundle.evidence.digest)
    except (NotInStoreError, IntegrityError):
        workspace.lacking.add(digest)
        return None
    held = [file.digest for file in bundle.files] + [
        attachment.digest for attachment in bundle.attachments
    ]
    states = workspace.store.confirm(held)
    lacks = sum(state is not BlobState.SOUND for state in states.values())
    if lacks:
        workspace.lacking.add(digest)
        workspace.say(
            f"the store lacks {lacks:,} of {len(states):,} blobs of bundle {short(digest)}: it is "
            "not reused, and `assent bundle --force` sends them again"
        )
    if bundle.model != model or lacks:
        return None
    renew(workspace, bundle)
    return bundle


def renew(workspace: Workspace, bundle: Bundle) -> None:
    """Keep a bundle from being cleaned up, for it is used and may be decided on. Whoever may only
    read the store cannot, and decides nothing.
    """
    with suppress(OutsideError):
        workspace.store.renew(bundle.blobs)


def reusable(workspace: Workspace, model: str, name: str) -> Digest | None:
    """The bundle that a hint names, for work that is done again without one. Where the store
    does not let us in, as in a job that runs the code of a change, or does not answer, there is
    none, and that is said.

    Whoever may write to the store can leave a hint, and a bundle that says of itself what it likes.
    In the CI of a forge it is of somebody else's change by then, so that only what the ledger knows
    is taken over there.
    """
    try:
        digest = workspace.store.recall(name)
    except NoAccessError as error:
        workspace.say(f"{error.doing}: {error.problem}: nothing of the store is reused here")
        return None
    if digest is None or not workspace.is_in_forge_ci or _is_known(workspace, model, digest):
        return digest
    workspace.say(
        f"the store has bundle {short(digest)} of these inputs, and nobody has decided on it: "
        "whoever can write there may have left it, so that it is not reused here"
    )
    return None


def _is_known(workspace: Workspace, model: str, digest: Digest) -> bool:
    """Whether the ledger names a bundle, as far as it can be asked."""
    try:
        return workspace.ledger.read(model).record(digest) is not None
    except AssentError:
        return False


def remember(
    store: Hints, model: str, evidence: Evidence, digest: Digest, commit: str | None
) -> None:
    """Leave the hints by which this bundle is found again: by inputs, and by its commit. Where the
    last of them names it, all were left before, and nothing is written: what somebody has left
    under the others since is a bundle of the same inputs.
    """
    names = [f"{model}/inputs/{hex_of(evidence.inputs_digest)}"]
    if evidence.train is not None:
        names.append(f"{model}/trained/{hex_of(evidence.train.inputs_digest)}")
    if commit is not None:
        names.append(f"{model}/commits/{commit}")
    if store.recall(names[-1]) == digest:
        return
    for name in names:
        store.remember(name, digest)


def read_bundle(workspace: Workspace, model: str, digest: Digest) -> Bundle:
    """The bundle of this digest. Raises `NotInStoreError` if the store does not hold it, and
    `IntegrityError` if it is damaged or belongs to another model.
    """
    try:
        bundle = read_manifest(workspace.store.read(digest))
    except NotInStoreError as error:
        hint = f"is `store` in assent.yaml the right one? {BUNDLE_AGAIN}"
        raise NotInStoreError(error.doing, error.problem, hint=hint) from None
    if bundle.model != model:
        raise IntegrityError(
            f"reading bundle {short(digest)}", f"it is of {bundle.model!r}, not of {model!r}"
        )
    return bundle


def open_bundle(workspace: Workspace, bundle: Bundle, version: int | None = None) -> LoadedBundle:
    """The bundle with its evidence."""
    evidence = decode_evidence(bundle, workspace.store.read(bundle.evidence.digest))
    return LoadedBundle(bundle=bundle, evidence=evidence, version=version)


def decode_evidence(bundle: Bundle, content: bytes) -> Evidence:
    """The evidence of a bundle from its bytes. Raises `IntegrityError` if it is not its own."""
    doing = f"reading the evidence of bundle {short(bundle.digest)}"
    try:
        evidence = decode_document(content, Evidence, FORMAT, doing)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError(doing, f"it is damaged ({error})") from None
    if len(content) != bundle.evidence.size:
        raise IntegrityError(doing, "the bundle says that it has another size")
    stated = sorted(
        (f"{ATTACHED}{attachment.path}", attachment.digest, attachment.size_bytes)
        for attachment in evidence.attachments
    )
    held = sorted(
        (descriptor.annotations[TITLE], descriptor.digest, descriptor.size)
        for descriptor in bundle.attachments
    )
    if stated != held:
        raise IntegrityError(doing, "it names other attachments than the bundle holds")
    if evidence.model != bundle.model:
        raise IntegrityError(doing, f"it is about {evidence.model!r}, not {bundle.model!r}")
    return evidence


def require_sound(workspace: Workspace, bundle: Bundle, doing: str) -> None:
    """Have the store answer for every blob of the bundle, once in a run: one that cannot is read
    whole. Raises `IntegrityError` naming what is wrong.
    """
    states = workspace.store.confirm([blob for blob in bundle.blobs if blob not in workspace.sound])
    workspace.sound.update(blob for blob, state in states.items() if state is BlobState.SOUND)
    paths = {file.digest: file.path for file in bundle.files}
    for digest, state in states.items():
        if state is not BlobState.SOUND:
            raise IntegrityError(
                doing,
                f"{paths.get(digest, digest)} of bundle {short(bundle.digest)} is {state.value} "
                "in the store",
                hint=BUNDLE_AGAIN,
            )


def require_durable(workspace: Workspace, bundle: Bundle, doing: str) -> None:
    """`require_sound`, and have every blob of the bundle where a loss of power does not take it:
    what was read may have come from memory. Before a decision names the bundle.
    """
    require_sound(workspace, bundle, doing)
    workspace.store.flush(bundle.blobs)


def made_by(evidence: Evidence) -> str:
    """From which revision a bundle was made, and by whom: `made from 0123456789ab by github run
    7`.
    """
    code, run = evidence.code, evidence.run
    source = "no commit" if code.commit is None else code.commit[:12]
    changed = " with uncommitted changes" if code.is_dirty else ""
    person = "" if evidence.trained_by is None else f" by {evidence.trained_by.login}"
    return f"made from {source}{changed}" + (
        person if run is None else f" by {run.system} run {run.id}"
    )
