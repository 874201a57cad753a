"""Bundles that a registry keeps by a tag: which there are, how old, and taking them away.

    _bundle.<hex>    keeps a bundle
    _used.<hex>      since when its age is counted

A registry says of nothing when it was written. So the first clean-up that meets a bundle notes the
time, whoever uses the bundle later writes a new note, and only what was noted long ago is removed.
Blobs are not listed by registries, nor shared out by us: a registry clears away by itself what no
manifest names, which its administrator may have to start.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from functools import partial

from assent.core.bundle import read_manifest
from assent.core.digest import Digest, canonical_json, hex_of, is_digest
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.ports import BUNDLE_AGAIN, Held, NotInStoreError
from assent.stores import wrapping
from assent.stores.age_notes import FRESH_S, Note, note_of_now, read_note
from assent.stores.folder_upkeep import named_by_others
from assent.stores.local_files import bundle_of
from assent.stores.parallel import Transfers
from assent.stores.registry import CONNECTIONS, RefusedError, Registry
from assent.stores.wrapping import Written

HINT_TYPE = "application/vnd.assent.hint.v1"
USED_TYPE = "application/vnd.assent.used.v1+json"
BUNDLE, USED, HINT = "_bundle.", "_used.", "_hint."
POINTER, HEAD = "_pointer.", "_head."
_MAX_MANIFEST_BYTES = 64 << 20


class RegistryUpkeep(ABC):
    """What a store in a registry is kept up by."""

    _registry: Registry

    @property
    def lists_blobs(self) -> bool:
        """See `Upkeep.lists_blobs`."""
        return False

    def held(self) -> Iterator[Held]:
        """See `Upkeep.held`: the bundles that have our tag. Whatever else names one keeps it."""
        tags = self._registry.tags(("",))
        known = set(tags)
        strange = self._needed_by([tag for tag in tags if not _is_ours(tag, known)])
        bundles = [digest for tag in tags if (digest := digest_in(tag, BUNDLE)) is not None]
        noted = {digest for tag in tags if (digest := digest_in(tag, USED)) is not None}

        def look(digest: Digest) -> Held | None:
            try:
                content = self.read(digest)
            except NotInStoreError:
                return None
            except IntegrityError:
                content = b""  # whoever reads it says what is wrong
            standing = self._registry.digest_of_tag(_tag(BUNDLE, digest)) if strange else None
            image = wrapping.image_of_bundle(content)
            note = self._note(digest) if digest in noted else None
            return Held(
                digest=digest,
                size_bytes=len(content),
                age_s=None if note is None else note.age_s,
                may_be_bundle=True,
                is_named=bool(strange & {digest, standing, image and image.digest}),
            )

        answers = Transfers().run(look, bundles, CONNECTIONS, most=CONNECTIONS)
        yield from (answer for answer in answers if answer is not None)

    def renew(self, digests: Sequence[Digest]) -> None:
        """See `Upkeep.renew`. It takes one request where no clean-up has met the bundle."""
        for digest in digests[-1:]:  # the manifest: nothing else is counted here
            self._renew(digest)

    def remove(self, digest: Digest, *, older_than_s: float) -> bool:
        """See `Upkeep.remove`. What was used again while it was taken away is put back. Where the
        tag names anything else than this bundle, somebody has moved it, and nothing is taken.
        """
        before = self._note(digest)
        if before is None and older_than_s > 0:
            self._write_note(digest)
            return False
        if before is not None and before.age_s < older_than_s:
            return False
        forms = self._forms(digest)
        standing = self._registry.digest_of_tag(_tag(BUNDLE, digest))
        kept = next((written for form, written in forms.items() if form == standing), None)
        if kept is None:
            return False
        for form in sorted(forms, key=lambda form: form == standing):
            self._take(form, f"the bundle {digest}")  # the tag last: what is cut off is done again
        if self._note(digest) != before:
            self._put_back(digest, kept)
            return False
        self._unsee(digest)
        for form in forms:
            self._require_gone(form)
        note = self.read_tag(_tag(USED, digest), USED_TYPE)
        if note is not None:  # whoever may push may let the tag name anything else
            self._take(note[0], "a note")
        return True

    def forget(self, bundles: Collection[Digest]) -> None:
        """See `Upkeep.forget`. Hints of one bundle are one manifest, and go together."""
        if not bundles:
            return
        tags = self._registry.tags((HINT,))
        read = partial(self.read_tag, kind=HINT_TYPE)
        hints = Transfers().run(read, tags, CONNECTIONS, most=CONNECTIONS)
        gone = {hint[0] for hint in hints if hint is not None and bundle_of(hint[1]) in bundles}
        for digest in sorted(gone):
            self._take(digest, "a hint")

    def sweep(self, *, older_than_s: float) -> int:
        """See `Upkeep.sweep`: a registry gives up uploads by itself."""
        del older_than_s
        return 0

    # --- notes ------------------------------------------------------------------------------------

    def _renew(self, digest: Digest) -> None:
        """Note that a bundle is used, if its age is counted at all."""
        note = self._note(digest)
        if note is not None and note.age_s < FRESH_S:
            return
        if note is not None:
            self._write_note(digest)
        self._unsee(digest)  # it may have been taken away before

    def _note(self, digest: Digest) -> Note | None:
        return read_note(self._layer(_tag(USED, digest), USED_TYPE), digest)

    def _write_note(self, digest: Digest) -> None:
        self._put(_tag(USED, digest), USED_TYPE, note_of_now(digest))

    def _forms(self, digest: Digest) -> dict[Digest, Written]:
        """The manifests that keep a bundle: its own and that of the image around it."""
        try:
            manifest = self.read(digest)
        except (IntegrityError, NotInStoreError):
            return {digest: Written(manifest=b"")}  # nobody can say which image is around it
        image = wrapping.image_of_bundle(manifest)
        own = Written(manifest=manifest)
        return {digest: own} if image is None else {digest: own, image.digest: image}

    def _put_back(self, digest: Digest, kept: Written) -> None:
        """Write a manifest under its tag again, and all other tags that pointers give it: they went
        with it, and may have been written a moment ago.
        """
        try:
            self._unsee(digest)  # there are registries that take the bytes in an image along
            self._write_one(_tag(BUNDLE, digest), kept)
            with suppress(IntegrityError, UsageError):  # it says what is no name of a model
                self.relist(read_manifest(self.read(digest)).model)
        except OutsideError as error:
            raise OutsideError(
                error.doing,
                f"{error.problem}; the bundle {digest} was taken away, is used again and could not "
                "be put back whole",
                hint=f"`assent verify --repair` puts its tags right; if it says that the bundle is "
                f"missing, {BUNDLE_AGAIN}",
            ) from None

    def _take(self, digest: str, what: str) -> None:
        try:
            self._registry.remove("manifests", digest)
        except RefusedError as error:
            raise OutsideError(
                error.doing,
                f"{self._registry.host} removes nothing by this API ({error.problem})",
                hint="its own API or page does: docs/stores.md says where; there, remove the "
                f"manifest {digest} with all its tags: it is {what}",
            ) from None

    def _require_gone(self, digest: str) -> None:
        """There are registries that answer a removal with "not found" and keep what is there."""
        if self._registry.holds("manifests", digest):
            raise OutsideError(
                f"removing {digest} from {self._registry.address}",
                "the registry has refused nothing, and it is still there",
                hint="remove it with all its tags where the registry is looked after: "
                "docs/stores.md says where",
            )

    def _needed_by(self, tags: Sequence[str]) -> set[str]:
        """What tags name, and what the indexes among that list."""
        digests = Transfers().run(self._registry.digest_of_tag, tags, CONNECTIONS, most=CONNECTIONS)
        named = {digest for digest in digests if digest is not None}
        listed = canonical_json({"manifests": [{"digest": digest} for digest in sorted(named)]})
        return named | named_by_others(listed, self._manifest)

    def _manifest(self, digest: str) -> bytes | None:
        return self._registry.read("manifests", digest, most=_MAX_MANIFEST_BYTES)

    # --- what the store does ----------------------------------------------------------------------

    @abstractmethod
    def read(self, digest: Digest) -> bytes:
        """See `Blobs.read`."""

    @abstractmethod
    def relist(self, model: str, bundles: Collection[Digest] = ()) -> None:
        """See `Pointers.relist`."""

    @abstractmethod
    def _put(self, tag: str, artifact_type: str, content: bytes) -> None:
        """Write an artifact whose one layer is `content`."""

    @abstractmethod
    def _write_one(self, tag: str, written: Written) -> None:
        """Let a tag name this, with the blobs that it needs."""

    @abstractmethod
    def _layer(self, tag: str, artifact_type: str) -> bytes | None:
        """The one layer of an artifact of ours."""

    @abstractmethod
    def read_tag(self, tag: str, kind: str) -> tuple[Digest, bytes] | None:
        """The digest and the one layer of the artifact of ours that a tag names, both as they were
        at one moment; None if it names none of this kind, or it cannot be read.
        """

    @abstractmethod
    def _unsee(self, digest: Digest) -> None:
        """Ask the registry again whether it holds this."""


def _tag(prefix: str, digest: Digest) -> str:
    return f"{prefix}{hex_of(digest)}"


def digest_in(tag: str, prefix: str) -> Digest | None:
    """The digest that a tag with this prefix has in its name."""
    digest = f"sha256:{tag.removeprefix(prefix)}"
    return Digest(digest) if tag.startswith(prefix) and is_digest(digest) else None


def _is_ours(tag: str, tags: Collection[str]) -> bool:
    """Whether a tag is one that Assent writes, or that it has written beside a pointer."""
    return tag.startswith((BUNDLE, USED, HINT, POINTER, HEAD)) or f"{POINTER}{tag}" in tags
