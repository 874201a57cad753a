"""What a store holds: its blobs, and the bundles that they make."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from assent.core.bundle import Bundle, read_manifest
from assent.core.digest import Digest, is_digest
from assent.errors import IntegrityError
from assent.ports import Held, NotInStoreError, Store
from assent.threads import each

_READERS = 8
_OURS = "application/vnd.assent."


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a store holds by digest. `damaged` may be manifests, and cannot be read: nobody knows
    what they need. `strange` are manifests of ours that are no bundles, such as inspections and
    what a later release has written, with what they name.
    """

    blobs: dict[Digest, Held]
    bundles: dict[Digest, Bundle]
    damaged: tuple[Digest, ...] = ()
    strange: frozenset[Digest] = frozenset()

    def size_of(self, digests: Iterable[Digest]) -> int:
        """How many bytes these blobs have together, each counted once."""
        stated = self._stated_sizes
        return sum(
            self.blobs[digest].size_bytes if digest in self.blobs else stated.get(digest, 0)
            for digest in set(digests)
        )

    def own_blobs(self, bundle: Digest) -> list[Digest]:
        """The blobs that a bundle needs and no other."""
        return [blob for blob in set(self.bundles[bundle].blobs) if self._users[blob] == 1]

    @cached_property
    def _users(self) -> Counter[Digest]:
        return Counter(blob for bundle in self.bundles.values() for blob in set(bundle.blobs))

    @cached_property
    def _stated_sizes(self) -> dict[Digest, int]:
        """By what the manifests say, of blobs that the store does not list."""
        return {
            digest: size for bundle in self.bundles.values() for digest, size in sizes_of(bundle)
        }


def sizes_of(bundle: Bundle) -> list[tuple[Digest, int]]:
    """Every blob of a bundle but its own manifest, with its size."""
    described = (*bundle.attachments, bundle.config, bundle.evidence)
    return [
        *((file.digest, file.size_bytes) for file in bundle.files),
        *((descriptor.digest, descriptor.size) for descriptor in described),
    ]


def look(store: Store) -> Contents:
    """All that a store holds. Raises `OutsideError` where that cannot be listed."""
    blobs = {blob.digest: blob for blob in store.held()}
    may_be = [blob.digest for blob in blobs.values() if blob.may_be_bundle]
    bundles: dict[Digest, Bundle] = {}
    damaged: list[Digest] = []
    strange: set[Digest] = set()

    def read(digest: Digest) -> Bundle | set[Digest] | None:
        """The bundle, what a manifest of another kind names, or nothing for what is damaged."""
        try:
            content = store.read(digest)
        except NotInStoreError:  # taken away since
            return set()
        except IntegrityError:
            return None
        try:
            return read_manifest(content)
        except IntegrityError:
            return _named_in(digest, content)

    for digest, seen in zip(may_be, each(read, may_be, _READERS), strict=True):
        if seen is None:
            damaged.append(digest)
        elif isinstance(seen, Bundle):
            bundles[digest] = seen
        else:
            strange |= seen
    return Contents(
        blobs=blobs, bundles=bundles, damaged=tuple(damaged), strange=frozenset(strange)
    )


def _named_in(digest: Digest, content: bytes) -> set[Digest]:
    """What a manifest of ours names that is no bundle; nothing for any other JSON that only begins
    like one.
    """
    try:
        document = json.loads(content)
        kind = document.get("artifactType")
        named = [document.get("config"), *(document.get("layers") or [])]
    except (ValueError, RecursionError, AttributeError, TypeError):
        return set()
    if not isinstance(kind, str) or not kind.startswith(_OURS):
        return set()
    digests = {
        str(descriptor.get("digest")) for descriptor in named if isinstance(descriptor, dict)
    }
    return {digest, *(Digest(text) for text in digests if is_digest(text))}
