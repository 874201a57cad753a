"""Bytes that come over a network into a file: verified on the way, there whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial

from assent.ports import Progress, Wanted
from assent.stores.local_files import (
    a_writer,
    corrupt,
    digest_of_file,
    hash_and_write,
    is_file_of,
    missing,
    outside,
    scratch,
)
from assent.stores.parallel import Transfers


def _receive(
    wanted: Wanted, transfers: Transfers, pour: Callable[[Callable[[bytes], None]], bool]
) -> None:
    """Let the file be there that is `wanted`: `pour` gives its bytes to what it is called with, and
    says whether there are any. A file that is there and right is left alone.
    """
    doing = f"fetching {wanted.digest} to {wanted.path}"
    advance: Progress = transfers.advance
    with outside(doing):
        if is_file_of(wanted.path, wanted.size_bytes):
            if digest_of_file(wanted.path, advance) == wanted.digest:
                return
            advance = transfers.proceed
        hasher = hashlib.sha256()
        left = wanted.size_bytes
        with (
            scratch(wanted.path.parent, prefix=".assent-") as draft,
            a_writer() as writer,
        ):

            def keep(part: bytes) -> None:
                nonlocal left
                left -= len(part)
                if left < 0:
                    raise corrupt(doing)
                hash_and_write(hasher, draft.target, part, writer)
                advance(len(part))

            if not pour(keep):
                raise missing(doing)
            if left or f"sha256:{hasher.hexdigest()}" != wanted.digest:
                raise corrupt(doing)
            draft.become(wanted.path)


def receive_all(
    wanted: Sequence[Wanted],
    progress: Progress | None,
    pour: Callable[[Wanted, Callable[[bytes], None]], bool],
    *,
    connections: int,
) -> None:
    """The same for several files, over so many connections at once."""
    transfers = Transfers(progress)
    with outside("making the folders to write to"):
        for folder in {blob.path.parent for blob in wanted}:
            folder.mkdir(parents=True, exist_ok=True)

    def fetch(blob: Wanted) -> None:
        _receive(blob, transfers, partial(pour, blob))

    transfers.run(fetch, wanted, connections, most=connections)
