"""A store in one repository of a container registry.

    blobs, manifests by digest                what they are in a folder, with the same digests
    _bundle.<hex>                             the tag that keeps a bundle's manifest
    churn-v12, churn-production               the bundles that pointers name, for people and tools
    _pointer.churn-v12, _head.churn           the pointers themselves, and
    _hint.inputs.churn-3f2a…                  hints: artifacts of one layer
    _used.<hex>                               since when the age of a bundle is counted

Where a registry refuses our types, the bundle's manifest is a blob under its digest, and the tags
name images (`wrapping`). Whoever reads takes both, in any mixture.

Sources: the OCI image and distribution specifications 1.1. A registry cannot compare and swap: of
two machines that move a tag at once the last one wins, whatever it says. The ledger decides, and
`verify --repair` writes what it says.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from assent.core.addresses import opening
from assent.core.bundle import ARTIFACT_TYPE, MANIFEST_MEDIA_TYPE
from assent.core.digest import Digest, canonical_json, digest_of, hex_of, is_digest
from assent.core.registries import repository_of
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.ports import (
    BUNDLE_AGAIN,
    BlobState,
    Credentials,
    NotInStoreError,
    Pointer,
    Progress,
    Source,
    Stored,
    Wanted,
)
from assent.stores import layout, wrapping
from assent.stores.credentials import credentials_for, credentials_given
from assent.stores.layout import Place
from assent.stores.local_files import (
    bundle_of,
    corrupt,
    digest_of_file,
    missing,
    outside,
    size_of,
)
from assent.stores.parallel import Transfers
from assent.stores.pointing import LAST_WINS, Pointing
from assent.stores.receiving import receive_all
from assent.stores.registry import CONNECTIONS, Kind, RefusedError, Registry
from assent.stores.registry_upkeep import (
    BUNDLE,
    HEAD,
    HINT,
    HINT_TYPE,
    POINTER,
    RegistryUpkeep,
    digest_in,
)
from assent.stores.wrapping import EMPTY, Written

POINTER_TYPE = "application/vnd.assent.pointer.v1+json"
VACANT_TYPE = "application/vnd.assent.vacant.v1"
MAX_MANIFEST_BYTES = 4 << 20
"""What registries take at least (OCI distribution specification 1.1, pushing manifests)."""

_MAX_READ_BYTES = 64 << 20
_MAX_ARTIFACT_BYTES = 256 << 10
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

_writing: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""One writer of a pointer at a time, of those of this process: by its address."""


def open_store(
    address: str,
    environ: Mapping[str, str],
    say: Callable[[str], None] = lambda _: None,
    *,
    of_job: Callable[[str], Credentials | None] = lambda _: None,
) -> OciStore:
    """The store at `oci://host/path`. Where nobody has logged in on this machine, `of_job` says who
    a job of the CI is to a host; `say` shows that it is waited for. Raises `UsageError` for what is
    no such address.
    """
    repository = repository_of(address)
    if repository is None:
        raise UsageError(
            opening(address),
            "that is no address of a repository in a container registry",
            hint="write it as `oci://ghcr.io/owner/repository`, in lower case, without a tag and "
            "without a login (docs/stores.md says how to log in)",
        )
    host, name = repository

    def login() -> Credentials | None:
        return (
            credentials_for(host, environ, name=name, say=say)
            or of_job(host)
            or credentials_given(host, environ, name=name, say=say)
        )

    return OciStore(Registry(host, name, login, say=say))


class OciStore(Pointing, RegistryUpkeep):
    """The store in a repository of a registry. Nothing is asked before the first use."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._held: set[Digest] = set()  # what this process has seen there
        self._takes_artifacts = True  # until it refuses one and takes the same as an image

    @property
    def largest_manifest_bytes(self) -> int:
        """See `Store.largest_manifest_bytes`."""
        return MAX_MANIFEST_BYTES

    @property
    def is_elsewhere(self) -> bool:
        """See `Store.is_elsewhere`."""
        return True

    @property
    def abilities(self) -> Mapping[str, str]:
        """See `Store.abilities`: what lies beneath is the registry's own."""
        return {}

    # --- blobs ------------------------------------------------------------------------------------

    def add(
        self,
        sources: Sequence[Source],
        progress: Progress | None = None,
        unless: Callable[[Sequence[Digest]], bool] | None = None,
    ) -> list[Stored]:
        """See `Store.add`. Files are hashed before they are sent: what the registry holds is not
        sent again. It answers for what it holds by digest, so a damaged blob is not found here.
        Half of the progress is that of hashing.
        """
        self._registry.expect_writing()
        transfers = Transfers(progress)
        sizes = [size_of(source) for source in sources]
        hashed = partial(_digest_of, lambda: _Half(transfers.advance))
        digests = transfers.run(hashed, sources, CONNECTIONS, most=CONNECTIONS)
        first = {digest: place for place, digest in reversed(list(enumerate(digests)))}
        todo = [] if unless is not None and unless(digests) else sorted(first.values())
        new: dict[int, bool] = {}

        def send(place: int) -> None:
            digest, size = digests[place], sizes[place]
            rest = _Half(transfers.advance, is_second=True)
            new[place] = self._sent(sources[place], digest, size, rest)

        transfers.run(send, todo, CONNECTIONS, most=CONNECTIONS)
        for place, size in enumerate(sizes):
            if place not in new:
                _Half(transfers.advance, is_second=True)(size)
        return [
            Stored(digest=digest, size_bytes=size, is_new=new.get(place, False))
            for place, (digest, size) in enumerate(zip(digests, sizes, strict=True))
        ]

    def keeps(self, manifest: bytes) -> bool:
        """See `Store.keeps`: whether the tag that keeps a bundle names it, or the image around it.
        It takes two requests, where the registry says what a tag names.
        """
        self._registry.expect_writing()
        digest, image = digest_of(manifest), wrapping.image_of_bundle(manifest)
        self._renew(digest)  # and then it is asked for: a clean-up that is at it sees one of both
        standing = self._registry.digest_of_tag(f"{BUNDLE}{hex_of(digest)}")
        return standing is not None and standing in (digest, image and image.digest)

    def read(self, digest: Digest) -> bytes:
        """See `Store.read`; at most 64 MiB."""
        doing = f"reading {digest}"
        content = self._content(digest, _MAX_READ_BYTES)
        if content is None:
            raise missing(doing)
        if len(content) > _MAX_READ_BYTES:
            raise IntegrityError(doing, "it is larger than 64 MiB: no manifest and no evidence is")
        if digest_of(content) != digest:
            raise corrupt(doing)
        return content

    def fetch(self, wanted: Sequence[Wanted], progress: Progress | None = None) -> None:
        """See `Store.fetch`. A file that is there and right is left alone."""

        def pour(blob: Wanted, into: Callable[[bytes], None]) -> bool:
            return self._poured(blob.digest, into)

        receive_all(wanted, progress, pour, connections=CONNECTIONS)

    def locate(self, digest: Digest) -> Path | None:
        """See `Store.locate`: nothing here is a file."""
        del digest
        return None

    def check(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.check`."""
        unique = list(dict.fromkeys(digests))
        states = Transfers().run(self._state, unique, CONNECTIONS, most=CONNECTIONS)
        return dict(zip(unique, states, strict=True))

    def confirm(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.confirm`: whether the registry says that it holds them."""
        unique = list(dict.fromkeys(digests))
        there = Transfers().run(self._holds, unique, CONNECTIONS, most=CONNECTIONS)
        return {
            digest: BlobState.SOUND if is_there else BlobState.MISSING
            for digest, is_there in zip(unique, there, strict=True)
        }

    def flush(self, digests: Sequence[Digest]) -> None:
        """See `Store.flush`: what a registry has taken is its own to keep, so that it has taken it
        is all that can be asked. Of a bundle its manifest is asked for again, whatever was seen of
        it: that alone is taken away by a clean-up, and it keeps all others.
        """
        self.renew(digests)
        states = self.confirm(digests[:-1])
        lacking = [digest for digest, state in states.items() if state is BlobState.MISSING]
        lacking += [digest for digest in digests[-1:] if not self._is_kept(digest)]
        for digest in lacking:
            raise missing(f"asking for {digest} in {self._registry.address}")

    def discard(self, digest: Digest) -> None:
        """See `Store.discard`."""
        if self._state(digest) is not BlobState.CORRUPT:
            return
        with self._lock:
            self._held.discard(digest)
        kinds: tuple[Kind, ...] = ("blobs", "manifests")
        try:
            for kind in kinds:
                if self._registry.holds(kind, digest):
                    self._registry.remove(kind, digest)
        except RefusedError as error:
            raise OutsideError(
                error.doing,
                f"its bytes are damaged, and {self._registry.host} removes nothing "
                f"({error.problem})",
                hint=f"remove it where the registry is looked after; then {BUNDLE_AGAIN}",
            ) from None
        if self._state(digest) is BlobState.CORRUPT:
            raise OutsideError(
                f"removing {digest} from {self._registry.address}",
                "its bytes are damaged, and it is still there",
                hint=f"remove it where the registry is looked after; then {BUNDLE_AGAIN}",
            )

    # --- pointers and hints -----------------------------------------------------------------------

    @property
    def lacking(self) -> str:
        """See `Pointers.lacking`."""
        return LAST_WINS

    def pointer(self, name: str) -> Pointer | None:
        """See `Store.pointer`."""
        return self._pointer(layout.pointer_place(name))

    def pointers(self, model: str) -> dict[str, Pointer | None]:
        """See `Store.pointers`."""
        layout.check_model(model)
        places = sorted(self._places(model), key=lambda place: place.name)
        pointers = Transfers().run(self._pointer, places, CONNECTIONS, most=CONNECTIONS)
        return {place.name: pointer for place, pointer in zip(places, pointers, strict=True)}

    def astray(self, model: str, bundles: Collection[Digest] = ()) -> tuple[str, ...]:
        """See `Store.astray`: the tags that people and tools use, and those that keep bundles."""
        wanted = self._wanted(model, bundles)
        tags = sorted({*self._tags_of_bundles(model), *wanted})
        there = Transfers().run(self._registry.digest_of_tag, tags, CONNECTIONS, most=CONNECTIONS)
        return tuple(
            tag
            for tag, digest in zip(tags, there, strict=True)
            if not self._stands(digest, wanted.get(tag)) and (tag in wanted or self._is_ours(tag))
        )

    def relist(self, model: str, bundles: Collection[Digest] = ()) -> None:
        """See `Store.relist`. What no pointer names any more is vacant, and so is what is to keep a
        bundle that is gone: few registries remove a tag. Each pointer is read again before its tag
        is written: somebody may just move it.
        """
        for tag in self.astray(model, bundles):
            bundle = digest_in(tag, BUNDLE)
            if bundle is not None:
                self._tag(tag, bundle if self._is_kept(bundle) else None)
            place = layout.place_of_tag(tag)
            if place is None:
                continue
            with self._pointing(place.name) as (_, pointer):
                self._tag(tag, None if pointer is None else self._kept(pointer))

    def remember(self, name: str, bundle: Digest) -> None:
        """See `Store.remember`. What is remembered already is not written again: there are
        registries that move no tag, not even to where it is.
        """
        tag = _hint_tag(layout.hint_place(name))
        self._registry.expect_writing()
        if self._hint(tag) != bundle:
            self._put(tag, HINT_TYPE, bundle.encode() + b"\n")

    def recall(self, name: str) -> Digest | None:
        """See `Store.recall`."""
        return self._hint(_hint_tag(layout.hint_place(name)))

    def remembered(self, model: str) -> frozenset[Digest]:
        """See `Store.remembered`."""
        layout.check_model(model)
        tags = [tag for tag in self._registry.tags((HINT,)) if _model_of_hint(tag) == model]
        bundles = Transfers().run(self._hint, tags, CONNECTIONS, most=CONNECTIONS)
        return frozenset(bundle for bundle in bundles if bundle is not None)

    # --- writing ----------------------------------------------------------------------------------

    def _sent(self, source: Source, digest: Digest, size: int, advance: Progress) -> bool:
        """Send what is not there; whether it was not."""
        content = source.content or b""
        if source.is_manifest:
            self._renew(digest)
            tag = f"{BUNDLE}{hex_of(digest)}"
            is_new = self._name_bundle(tag, content, self._registry.digest_of_tag(tag))
            if is_new:  # whoever flushes it asks whether it was taken as it is
                advance(size)
                return True
        else:
            is_new = digest not in self._held and not self._registry.holds("blobs", digest)
            if is_new and source.path is not None:
                self._registry.put_file(digest, source.path, size, advance)
                self._see(digest)
                return True
            if is_new:
                self._registry.put_small(digest, content)
        self._see(digest)
        advance(size)
        return is_new

    def _see(self, digest: Digest) -> None:
        with self._lock:
            self._held.add(digest)

    def _unsee(self, digest: Digest) -> None:
        with self._lock:
            self._held.discard(digest)

    @contextmanager
    def _pointing(self, name: str) -> Iterator[tuple[Place, Pointer | None]]:
        place = layout.pointer_place(name)
        self._registry.expect_writing()
        with _writing[f"{self._registry.address} {name}"]:
            yield place, self._pointer(place)

    def _write_pointer(self, place: Place, pointer: Pointer) -> None:
        self._put(_pointer_tag(place), POINTER_TYPE, canonical_json(pointer) + b"\n")

    def _list(self, place: Place, pointer: Pointer) -> None:
        if place.kind != layout.HEAD:  # which names no bundle
            self._tag(_checked(place.tag), self._kept(pointer))

    def _tag(self, tag: str, bundle: Digest | None) -> None:
        """Let a tag name a bundle, or nothing. One that cannot be read any more gets no tag: that
        is nothing which a pointer can help, and `verify` says it.
        """
        standing = self._registry.digest_of_tag(tag)
        if bundle is None:
            if standing not in (None, *_VACANT):
                self._put(tag, VACANT_TYPE, EMPTY)
        elif standing != bundle:
            with suppress(IntegrityError, NotInStoreError):
                self._name_bundle(tag, self.read(bundle), standing)

    def _name_bundle(self, tag: str, manifest: bytes, standing: str | None) -> bool:
        """Let a tag name a bundle, or the image around it; whether it did not."""
        bundle, image = digest_of(manifest), wrapping.image_of_bundle(manifest)
        if standing == bundle:
            return False
        if image is not None and standing == image.digest and self._holds(bundle):
            return False
        self._write(tag, Written(manifest=manifest), image)
        return True

    def _put(self, tag: str, kind: str, content: bytes) -> None:
        """Write an artifact whose one layer is `content`."""
        self._write(tag, wrapping.artifact(kind, content), wrapping.image(kind, content))

    def _write(self, tag: str, artifact: Written, image: Written | None) -> None:
        """Let a tag name an artifact or, where the registry takes none of its types, the image
        that says the same: it is asked once, and what it has answered is remembered.
        """
        refused = None
        if self._takes_artifacts or image is None:
            try:
                self._write_one(tag, artifact)
                return
            except RefusedError as error:
                if not error.is_of_manifests or image is None:
                    raise
                refused = error
        try:
            self._write_one(tag, image)
        except RefusedError as error:
            raise refused or error from None
        self._takes_artifacts = False

    def _write_one(self, tag: str, written: Written) -> None:
        for blob in written.blobs:
            digest = digest_of(blob)
            if digest not in self._held and not self._registry.holds("blobs", digest):
                self._registry.put_small(digest, blob)
            self._see(digest)
        try:
            self._registry.put_manifest(_checked(tag), written.manifest, MANIFEST_MEDIA_TYPE)
        except RefusedError:
            with self._lock:  # it may have lost what we have seen
                self._held.clear()
            raise

    # --- reading ----------------------------------------------------------------------------------

    def _content(self, digest: Digest, most: int) -> bytes | None:
        """The bytes of a blob or, if there is none, of the manifest."""
        content = self._registry.read("blobs", _named(digest), most=most)
        return self._registry.read("manifests", digest, most=most) if content is None else content

    def _holds(self, digest: Digest) -> bool:
        if digest in self._held:
            return True
        kinds: tuple[Kind, ...] = ("blobs", "manifests")
        is_there = any(self._registry.holds(kind, _named(digest)) for kind in kinds)
        if is_there:
            self._see(digest)
        return is_there

    def _is_kept(self, bundle: Digest) -> bool:
        """Whether a manifest of the registry keeps a bundle. The bytes of one in an image are still
        there when that was taken away, until the registry collects its garbage. What is no manifest
        needs none.
        """
        content = self._registry.read("blobs", _named(bundle), most=MAX_MANIFEST_BYTES)
        if content is not None:
            image = wrapping.image_of_bundle(content) if digest_of(content) == bundle else None
            if image is None or self._registry.holds("manifests", image.digest):
                return True
        return self._registry.holds("manifests", bundle)

    def _state(self, digest: Digest) -> BlobState:
        import hashlib

        hasher, start = hashlib.sha256(), bytearray()

        def take(part: bytes) -> None:
            hasher.update(part)
            if len(start) <= MAX_MANIFEST_BYTES:
                start.extend(part)

        if not self._poured(digest, take):
            return BlobState.MISSING
        if f"sha256:{hasher.hexdigest()}" != digest:
            return BlobState.CORRUPT
        named = wrapping.named(bytes(start))
        is_bundle = named is not None and named.kind == ARTIFACT_TYPE and named.digest == digest
        if is_bundle and not self._is_kept(digest):
            return BlobState.MISSING  # it is there until the registry collects its garbage
        return BlobState.SOUND

    def _poured(self, digest: Digest, into: Callable[[bytes], None]) -> bool:
        kinds: tuple[Kind, ...] = ("blobs", "manifests")
        return any(self._registry.pour(kind, _named(digest), into) for kind in kinds)

    def _pointer(self, place: Place) -> Pointer | None:
        content = self._layer(_pointer_tag(place), POINTER_TYPE)
        return None if content is None else layout.read_pointer(content)

    def _hint(self, tag: str) -> Digest | None:
        return bundle_of(self._layer(tag, HINT_TYPE))

    def _layer(self, tag: str, kind: str) -> bytes | None:
        """The one layer of an artifact of ours; None if there is none, or it cannot be read."""
        named = self.read_tag(tag, kind)
        return None if named is None else named[1]

    def read_tag(self, tag: str, kind: str) -> tuple[Digest, bytes] | None:
        """See `RegistryUpkeep.read_tag`."""
        manifest = self._registry.read("manifests", tag, most=_MAX_ARTIFACT_BYTES) or b""
        artifact = wrapping.named(manifest)
        if artifact is None or artifact.kind != kind:
            return None
        content = artifact.content
        if content is None:
            content = self._registry.read("blobs", artifact.digest, most=_MAX_ARTIFACT_BYTES)
        is_its = content is not None and digest_of(content) == artifact.digest
        return (digest_of(manifest), content) if content is not None and is_its else None

    def _is_ours(self, tag: str) -> bool:
        """Whether a tag names what Assent has written. A team's images may lie beside it."""
        manifest = self._registry.read("manifests", tag, most=MAX_MANIFEST_BYTES)
        artifact = wrapping.named(manifest or b"")
        return artifact is not None and artifact.kind in (ARTIFACT_TYPE, VACANT_TYPE)

    def _stands(self, standing: str | None, bundle: Digest | None) -> bool:
        """Whether a tag names what it should: the bundle or the image around it, or nothing."""
        if bundle is None:
            return standing in (None, *_VACANT)
        if standing in (None, bundle):
            return standing is not None
        try:
            image = wrapping.image_of_bundle(self.read(bundle))
        except (IntegrityError, NotInStoreError):
            return False
        return image is not None and image.digest == standing

    def _places(self, model: str) -> Iterator[Place]:
        """The places of the pointers of a model."""
        head = f"{HEAD}{model}"
        for tag in self._registry.tags((POINTER, head)):
            if tag == head:
                yield Place(model=model, kind=layout.HEAD)
            elif tag.startswith(POINTER):
                place = layout.place_of_tag(tag.removeprefix(POINTER))
                if place is not None and place.model == model:
                    yield place

    def _tags_of_bundles(self, model: str) -> list[str]:
        """The tags of a model that people and tools use."""
        tags = self._registry.tags((f"{layout.in_tag(model)}-",))
        return [tag for tag in tags if layout.model_of_tag(tag) == model]

    def _wanted(self, model: str, bundles: Collection[Digest]) -> dict[str, Digest | None]:
        """The bundle that each pointer gives a tag, and those that their own tags keep: of what
        pointers name and of `bundles`, as far as it is there.
        """
        pointed = {
            layout.pointer_place(name).tag: None if pointer is None else pointer.bundle
            for name, pointer in self.pointers(model).items()
            if layout.pointer_place(name).kind != layout.HEAD
        }
        named = sorted({*bundles, *(bundle for bundle in pointed.values() if bundle is not None)})
        there = Transfers().run(self._is_kept, named, CONNECTIONS, most=CONNECTIONS)
        kept = {bundle for bundle, is_there in zip(named, there, strict=True) if is_there}
        by_tag = {tag: bundle if bundle in kept else None for tag, bundle in pointed.items()}
        return by_tag | {
            f"{BUNDLE}{hex_of(bundle)}": bundle if bundle in kept else None for bundle in named
        }

    def _kept(self, pointer: Pointer) -> Digest | None:
        bundle = pointer.bundle
        return bundle if bundle is not None and self._is_kept(bundle) else None


class _Half:
    """Progress of bytes that are gone through twice: each time half of them are told of, together
    all.
    """

    def __init__(self, advance: Progress, *, is_second: bool = False) -> None:
        self._advance = advance
        self._left = int(is_second)

    def __call__(self, size_bytes: int) -> None:
        """Tell of half of them."""
        told, self._left = divmod(self._left + size_bytes, 2)
        self._advance(told)


def _digest_of(progress: Callable[[], Progress], source: Source) -> Digest:
    advance = progress()
    if source.path is None:
        advance(len(source.content or b""))
        return digest_of(source.content or b"")
    with outside(f"storing {source.path}"):
        return digest_of_file(source.path, advance)


def _named(digest: Digest) -> Digest:
    if not is_digest(digest):  # a pointer moved by hand may hold anything
        raise IntegrityError(f"looking for {digest!r}", "that is no SHA-256 digest")
    return digest


_VACANT = tuple(made(VACANT_TYPE, EMPTY).digest for made in (wrapping.artifact, wrapping.image))
"""What a tag names that names nothing."""


def _pointer_tag(place: Place) -> str:
    if place.kind == layout.HEAD:
        return _checked(f"{HEAD}{place.model}")
    return _checked(f"{POINTER}{place.tag}")


def _hint_tag(place: Place) -> str:
    label = f"{layout.in_tag(place.model)}-{layout.in_tag(place.label)}"
    return _checked(f"{HINT}{place.kind}.{label}")


def _model_of_hint(tag: str) -> str | None:
    return layout.model_of_tag(tag.removeprefix(HINT).partition(".")[2])


def _checked(tag: str) -> str:
    if not _TAG.fullmatch(tag):
        raise UsageError(
            f"naming {tag!r} in a container registry",
            "a tag has at most 128 letters, digits, '.', '_' and '-'",
            hint="give the model or the stage a shorter name",
        )
    return tag
