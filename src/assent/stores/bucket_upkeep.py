"""What is held in a bucket, and how old it is.

Nothing is taken away: a service says when an object was written and not when it was last used, and
few can remove an object on the condition that nobody has used it since. So what nothing refers to
is listed, and a person removes it, or a rule of the bucket.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

from assent.core.bundle import begins_bundle
from assent.core.digest import Digest, is_digest
from assent.errors import OutsideError
from assent.ports import Held
from assent.stores import layout
from assent.stores.buckets import Bucket, Listed
from assent.stores.parallel import Transfers

_BLOBS = f"{layout.BLOBS}/sha256"
_HEAD_BYTES = 64
_MAX_MANIFEST_BYTES = 64 << 20
_CONNECTIONS = 16


class BucketUpkeep(ABC):
    """What a store in a bucket is looked through by."""

    _bucket: Bucket

    @property
    def lists_blobs(self) -> bool:
        """See `Upkeep.lists_blobs`."""
        return True

    def held(self) -> Iterator[Held]:
        """See `Upkeep.held`. Of each blob no larger than a manifest the beginning is read."""
        blobs = [
            blob for blob in self._bucket.listing(_BLOBS) if is_digest(f"sha256:{_last(blob)}")
        ]
        now = datetime.now(UTC)
        kinds = Transfers().run(self._may_be_bundle, blobs, _CONNECTIONS, most=_CONNECTIONS)
        for blob, may_be_bundle in zip(blobs, kinds, strict=True):
            yield Held(
                digest=Digest(f"sha256:{_last(blob)}"),
                size_bytes=blob.size,
                age_s=max(0.0, (now - blob.written).total_seconds()),
                may_be_bundle=may_be_bundle,
            )

    def renew(self, digests: Sequence[Digest]) -> None:
        """See `Upkeep.renew`: nothing is taken away, so nothing has to stay young."""
        del digests

    def remove(self, digest: Digest, *, older_than_s: float) -> bool:
        """See `Upkeep.remove`."""
        del older_than_s
        raise OutsideError(
            f"removing {digest} from {self._bucket.address}",
            "Assent takes nothing away from buckets: nobody can tell whether somebody has used it "
            "just now",
            hint="`assent store gc --json` lists what nothing refers to: remove those objects "
            "while nothing is trained",
        )

    def forget(self, bundles: Collection[Digest]) -> None:
        """See `Upkeep.forget`."""
        if not bundles:
            return
        for name in self._hint_names():
            if self._hint(name) in bundles:
                self._bucket.remove(name)

    def sweep(self, *, older_than_s: float) -> int:
        """See `Upkeep.sweep`: what was not sent whole is never seen."""
        del older_than_s
        return 0

    def _may_be_bundle(self, blob: Listed) -> bool:
        if blob.size > _MAX_MANIFEST_BYTES:
            return False
        found = self._bucket.read(blob.name, _HEAD_BYTES)
        return found is not None and begins_bundle(found[0])

    @abstractmethod
    def _hint_names(self) -> list[str]:
        """The names of the objects that are hints, of all models."""

    @abstractmethod
    def _hint(self, name: str) -> Digest | None:
        """The bundle that a hint names."""


def _last(blob: Listed) -> str:
    return blob.name.rpartition("/")[2]
