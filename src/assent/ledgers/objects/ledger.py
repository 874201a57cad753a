"""The ledger in a bucket of an object store: one object per append, created where there is none.

What is derived is written first, under a name that only this append has; then the entries, on the
condition that nobody else has written entries of these numbers. So an append is there whole or not
at all, and whoever was killed in between has left something that nobody is led to. An answer that
was lost is looked for: what stands there is ours, or another's, or it may still arrive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from assent.buckets import Bucket, MovedOnError, UnansweredError, open_bucket, parsed
from assent.core.digest import Digest
from assent.core.entry import Draft, Entry, decode_entry
from assent.core.registry import (
    Record,
    Registry,
    State,
    Step,
    UnlikeError,
    extend,
    follow,
    touched,
)
from assent.errors import AssentError, IntegrityError, OutsideError, UsageError
from assent.ledgers import layout
from assent.ledgers.doubt import in_doubt
from assent.ledgers.index import Index, StepsOf
from assent.ledgers.objects.appends import MOST_BYTES, Appends, append_name, append_of, seq_shown_in
from assent.ledgers.objects.derived import Derived, derived_name, encode
from assent.ledgers.objects.view import SHA256, ObjectView
from assent.ledgers.objects.writing import Writing, rebuilt
from assent.ledgers.queue import turn
from assent.ledgers.seen import Seen
from assent.ports import Copy, MovedError, View

_TRIED = "_tried/create"
"""What is no name of a model."""
_ROUNDS = 5


def open_ledger(
    address: str, environ: Mapping[str, str], home: Path, say: Callable[[str], None]
) -> ObjectLedger:
    """The ledger at `s3://bucket/prefix` and the like. What was seen of it is kept below `home`.
    Raises `UsageError` for what is no such address, or without what talks to object stores.
    """
    bucket = open_bucket(parsed(address, "ledger"), environ, key="ledger")
    key = hashlib.sha256(str(bucket.address).encode()).hexdigest()[:12]
    return ObjectLedger(bucket, home / key, say)


class ObjectLedger:
    """The ledgers in a bucket. Nothing is asked before the first use."""

    def __init__(self, bucket: Bucket, home: Path, say: Callable[[str], None]) -> None:
        self._bucket = bucket
        self._home = home
        self._say = say
        self._is_tried = False

    def models(self) -> list[str]:
        """See `Ledger.models`."""
        names = self._bucket.folders()
        return [name for name in names if layout.ENTRIES in self._bucket.folders(name)]

    def read(self, model: str, *, strict: bool = True, remembered: bool = True) -> ObjectView:
        """See `Ledger.read`."""
        # Read before the bucket: what another process of this clone writes after it is newer.
        seen = Seen(self._home, model) if remembered else None
        newest = Appends(self._bucket, model).newest()
        view = ObjectView.at(self._bucket, model, newest, strict=strict)
        if seen is None:
            return view
        if newest is None:
            seen.expect_nothing()
        elif view.is_proven:
            seen.expect(view)
        else:
            seen.require(view)
        return view

    def append(self, view: View, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        """See `Ledger.append`."""
        view = self._writable(view)

        def steps(records: Mapping[Digest, Record], index: Index) -> Iterator[Step]:
            return extend(view.state, records, view.head, drafts, index.derive)

        return tuple(step.entry for step in self._add(view, drafts, steps))

    def adopt(self, view: View, contents: Sequence[bytes]) -> None:
        """See `Ledger.adopt`."""
        view = self._writable(view)
        entries = [decode_entry(content) for content in contents]

        def steps(records: Mapping[Digest, Record], index: Index) -> Iterator[Step]:
            return follow(view.state, records, view.head, contents, index.derive)

        try:
            self._add(view, entries, steps)
        except UnlikeError:
            if view.last >= 0:
                raise
            view.object_format = SHA256  # they may be those of a repository with such ids
            self._add(view, entries, steps)

    def turn(self, model: str) -> AbstractContextManager[bool]:
        """See `Ledger.turn`."""
        ends: list[int] = []

        def has_moved() -> bool:
            try:
                newest = Appends(self._bucket, model).newest()
            except AssentError:
                return False
            ends.append(-1 if newest is None else newest.last)
            return len(ends) == 1 or ends[-1] != ends[-2]

        def notice() -> None:
            self._say(f"waiting for other writers to the ledger of {model}")

        return turn(str(self._bucket.address), model, has_moved, notice)

    def forget(self, model: str) -> None:
        """See `Ledger.forget`."""
        Seen(self._home, model).forget()

    def copies(self, model: str) -> tuple[Copy, ...]:
        """See `Ledger.copies`: a bucket has one."""
        del model
        return ()

    def rebuild(self, view: View, registry: Registry) -> None:
        """See `Ledger.rebuild`."""
        view = _read_here(view)
        model = registry.state.model
        for key, derived in rebuilt(view, registry).items():
            self._bucket.put(derived_name(model, key), encode(derived))
        self._show(registry.state, is_repair=True)

    def require_writable(self) -> None:
        """See `Ledger.require_writable`."""
        if self._is_tried:
            return
        if not self._bucket.creates(_TRIED):
            raise UsageError(
                f"trying the ledger {str(self._bucket.address)!r}",
                "the service writes over what is there although it was asked to create it alone "
                "(it ignores `If-None-Match: *`): of two who decide at once, the decision of one "
                "would be lost",
                hint="let `ledger` in assent.yaml name a bucket of a service that heeds "
                "conditions, as S3, Google and Azure do, or `git`: docs/stores.md",
            )
        self._is_tried = True

    # --- writing ----------------------------------------------------------------------------------

    def _writable(self, view: View) -> ObjectView:
        view = _read_here(view)
        if view.later_format is not None:
            raise IntegrityError(
                f"writing to the ledger of {view.state.model}",
                f"its newest entry has the format {view.later_format!r}, which this release "
                "cannot write",
                hint="upgrade Assent, then run the verb again",
            )
        self.require_writable()
        return view

    def _add(self, view: ObjectView, drafts: Sequence[Draft], steps_of: StepsOf) -> list[Step]:
        """Write the steps that `steps_of` makes of the records and the index before them."""
        bundles = sorted({bundle for draft in drafts for bundle in touched(view.state, draft)})
        index = view.index(bundles, len(drafts), view.check())
        known = {bundle: view.record(bundle) for bundle in bundles}
        records = {bundle: record for bundle, record in known.items() if record is not None}
        writing, steps = Writing(view, index), list[Step]()
        for step in steps_of(records, index):
            steps.append(step)
            writing.take(step)
        self._write(view.state.model, steps, *writing.derived(steps[-1]))
        Seen(self._home, view.state.model).keep(steps[-1].state.seq, steps[-1].digest)
        return steps

    def _write(self, model: str, steps: Sequence[Step], key: str, derived: Derived) -> None:
        doing = f"writing to the ledger of {model} in {self._bucket.address}"
        name = append_name(model, steps[0].entry.seq)
        content, beside = append_of(steps), encode(derived)
        if max(len(content), len(beside)) > MOST_BYTES:  # nobody would read it again
            raise UsageError(doing, f"what is to be written has more than {MOST_BYTES:,} bytes")
        self._bucket.put(derived_name(model, key), beside)
        try:
            self._bucket.create(name, content)
        except MovedOnError:
            if not self._holds(name, content, doing):
                raise MovedError(doing, "somebody else wrote to it first") from None
        except UnansweredError as error:
            self._after_silence(name, content, doing, error)
        self._show(steps[-1].state)

    def _after_silence(self, name: str, content: bytes, doing: str, error: UnansweredError) -> None:
        """Decide by what stands there now, if somebody says it."""
        try:
            there = self._bucket.read(name, MOST_BYTES)
        except OutsideError:
            there = None
        if there is None:
            raise in_doubt(doing, error.problem) from None
        if there[0] != content:
            raise MovedError(doing, "somebody else wrote to it first") from None

    def _holds(self, name: str, content: bytes, doing: str) -> bool:
        """Whether an object is what we have sent: an answer may have been lost, and the request
        made again. Raises `DoubtError` if nobody says what it is.
        """
        try:
            there = self._bucket.read(name, MOST_BYTES)
        except OutsideError as error:
            raise in_doubt(doing, error.problem) from None
        return there is not None and there[0] == content

    def _show(self, state: State, *, is_repair: bool = False) -> None:
        """Write `registry.yaml`, for people and tools; the next writer does it if it fails."""
        name, content = f"{state.model}/{layout.REGISTRY}", layout.state_file(state)
        try:
            for _ in range(_ROUNDS):
                there = self._bucket.read(name, MOST_BYTES)
                seq = None if there is None else seq_shown_in(there[0])
                if seq is not None and seq > state.seq:
                    newest = Appends(self._bucket, state.model).newest() if is_repair else None
                    if not is_repair or (newest is not None and seq <= newest.last):
                        return  # somebody has written since
                try:
                    if there is None:
                        self._bucket.create(name, content)
                    elif there[0] != content:
                        self._bucket.replace(name, content, there[1])
                except MovedOnError:
                    continue
                return
        except OutsideError as error:
            if is_repair:
                raise
            self._say(
                f"{name} could not be written and shows an older state until the next decision "
                f"of {state.model}: {error.problem}"
            )


def _read_here(view: View) -> ObjectView:
    if not isinstance(view, ObjectView):
        raise TypeError("the view was read from another ledger")
    return view
