"""One entry of the ledger, and the chain that binds each to the one before it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from assent.core.approval import Heard
from assent.core.change import Review, ReviewState
from assent.core.digest import Digest, canonical_json, digest_of
from assent.core.evidence import Run
from assent.core.formats import is_minor_of, require_format
from assent.core.identity import Actor, Resolved
from assent.core.verdict import Outcome, Verdict
from assent.errors import IntegrityError

FORMAT = "assent/entry/1"
LEDGER = "ledger"
"""What the links of an entry about a move name, if it is no store that has moved."""
GENESIS = Digest("sha256:" + "0" * 64)
"""What the first entry names as the one before it."""


class Kind(StrEnum):
    """What an entry records."""

    APPROVED = "approved"
    REJECTED = "rejected"
    REGISTERED = "registered"
    OVERRIDDEN = "overridden"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    CLEARED = "cleared"
    RETIRED = "retired"
    NOTED = "noted"
    PURGED = "purged"
    MOVED = "moved"


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shape of every part of an entry. A field that is not known here makes the bytes of an
    entry of this format not canonical; an entry of a later minor format may have some.
    """


class Subject(Struct, frozen=True, kw_only=True):
    """What the entry is about: a bundle, and its version once it has one. A note may be about
    the model as a whole; then nothing is set.
    """

    version: int | None = None
    bundle: Digest | None = None
    model_digest: Digest | None = None


class ReviewRecord(Struct, frozen=True, kw_only=True):
    """A review in the form that entries keep. `role` is the entry of the policy's list that the
    person matched, `resolved` what that meant at the time; `change` and `head` say where on the
    forge it was given, and `review` is the forge's id of it. What the person said is the kind of
    the entry; `is_withdrawn`: of one that ends an approval, that it was taken back and nobody
    objected.
    """

    person: Actor
    bundle: Digest
    at: str
    role: str
    change: str | None = None
    head: str | None = None
    resolved: Resolved | None = None
    review: str | None = None
    is_withdrawn: bool = False


class RecordedReview(msgspec.Struct, frozen=True, kw_only=True):
    """A review that the ledger holds, and the change it was given in, if that is known."""

    review: Review
    change: str | None


EVIDENCE_LIMIT = 300
"""How many characters of what a rule looked at are kept: a ledger is kept for ever."""


class FindingRecord(Struct, frozen=True, kw_only=True):
    """A finding in short. `evidence` has the figures that were looked at; it is empty where there
    were none, where they are values of the data, which somebody may want purged one day, and in
    entries of releases that did not keep them.
    """

    rule: str
    outcome: Outcome
    reason: str
    evidence: str = ""


class VerdictRecord(Struct, frozen=True, kw_only=True):
    """The verdict a decision rests on, with the digests of the policy and of the evidence."""

    findings: tuple[FindingRecord, ...]
    policy: Digest
    evidence: Digest | None = None


class Draft(Struct, frozen=True, kw_only=True):
    """An entry before it has its place in the chain. `authors` are the people who made the
    bundle and whose own approval may not count. `happened` is when a noted event took place, a day
    or a time in UTC; `at` is when the entry was written. `key` is the same whenever the same is
    asked again because an answer was lost; of what cannot be done twice anyway it is None.
    `inspection` is the digest under which the store keeps what was seen in the model's files. Of a
    store or a ledger that has moved, `links` say from where (`from`) and to where (`to`).
    `required` is how many approvals the policy asked for where something was decided; None where
    nothing was, and in entries of releases that did not keep it. `metrics` are figures that a note
    gives.
    """

    kind: Kind
    at: str
    model: str
    actor: Actor
    subject: Subject = Subject()
    stage: str | None = None
    replaces: int | None = None
    approvals: tuple[ReviewRecord, ...] = ()
    authors: tuple[Actor, ...] = ()
    verdict: VerdictRecord | None = None
    run: Run | None = None
    commit: str | None = None
    reason: str | None = None
    happened: str | None = None
    links: dict[str, str] = {}
    key: str | None = None
    inspection: Digest | None = None
    required: int | None = None
    metrics: dict[str, float] = {}


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """When an entry says that it was written, and whether that is the time of a forge's clock:
    whoever is known by the forge has written by its clock.
    """

    seq: int
    at: str
    is_of_forge: bool


class Entry(Draft, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the ledger. `prev` is the digest of the previous entry's bytes; `state` is the
    digest of who stands where after this entry (`core.registry.State.standing`), which every
    release computes alike. `derived` is the digest of everything that the ledger keeps beside its
    entries after this one, so that a reader of the newest entry can trust what is derived without
    reading the others; None where nothing is kept.
    """

    format: str
    seq: int
    prev: Digest
    state: Digest
    derived: Digest | None = None

    @property
    def dated(self) -> Dated:
        """Its date alone."""
        return Dated(seq=self.seq, at=self.at, is_of_forge=self.actor.proof == "forge")


def recorded(verdict: Verdict, *, policy: Digest, evidence: Digest | None) -> VerdictRecord:
    """The verdict in the short form that entries keep."""
    return VerdictRecord(
        findings=tuple(
            FindingRecord(
                rule=finding.rule,
                outcome=finding.outcome,
                reason=finding.reason,
                evidence="" if finding.names_data is True else _kept(finding.evidence),
            )
            for finding in verdict.findings
        ),
        policy=policy,
        evidence=evidence,
    )


def _kept(evidence: str) -> str:
    cut = len(evidence) - EVIDENCE_LIMIT
    return evidence if cut <= 0 else f"{evidence[:EVIDENCE_LIMIT]}… {cut:,} characters left out"


def review_record(
    heard: Heard, bundle: Digest, *, change: str | None = None, head: str | None = None
) -> ReviewRecord:
    """A review of `bundle` as entries keep it. `head` is that of the change, for a review that
    does not say at which one it was given.
    """
    return ReviewRecord(
        person=heard.person,
        bundle=bundle,
        at=heard.at,
        role=heard.role or "",
        change=change,
        head=heard.head or head,
        resolved=heard.bound_to,
        review=heard.id,
        is_withdrawn=heard.state is ReviewState.DISMISSED,
    )


def reviews_in(entry: Draft) -> tuple[RecordedReview, ...]:
    """The reviews that an entry of a review holds, as they were heard: what `review_record`
    has made of them, the other way round.
    """
    return tuple(
        RecordedReview(review=_review(entry, record), change=record.change)
        for record in entry.approvals
    )


def _review(entry: Draft, kept: ReviewRecord) -> Review:
    state = ReviewState.APPROVED
    if entry.kind is not Kind.APPROVED:
        is_withdrawn = kept.is_withdrawn
        state = ReviewState.DISMISSED if is_withdrawn else ReviewState.CHANGES_REQUESTED
    return Review(
        person=kept.person,
        state=state,
        at=kept.at,
        head=kept.head,
        bundle=kept.bundle,
        reason=entry.reason,
        id=kept.review,
    )


def placed(
    draft: Draft, *, seq: int, prev: Digest, state: Digest, derived: Digest | None = None
) -> Entry:
    """`draft` at its place in the chain."""
    fields = {name: getattr(draft, name) for name in draft.__struct_fields__}
    return Entry(**fields, format=FORMAT, seq=seq, prev=prev, state=state, derived=derived)


def encode_entry(entry: Entry) -> bytes:
    """The entry's bytes: canonical JSON and a newline."""
    return canonical_json(entry) + b"\n"


_decoder = msgspec.json.Decoder(Entry)


def decode_entry(content: bytes) -> Entry:
    """Read an entry's bytes. Raises `IntegrityError` if they are none, or not canonical: two
    byte forms of one entry would have two digests. Of an entry of a later minor format, what is
    known here is read.
    """
    doing = "reading a ledger entry"
    try:
        entry = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        require_format(content, FORMAT, doing)
        raise IntegrityError(doing, f"not an entry ({error})") from None
    if is_minor_of(entry.format, FORMAT):
        canonical = canonical_json(msgspec.json.decode(content)) + b"\n"
    else:
        require_format(content, FORMAT, doing)
        canonical = encode_entry(entry)
    if canonical != content:
        raise IntegrityError(doing, "its bytes are not in canonical form")
    return entry


class _Proof(msgspec.Struct, frozen=True):
    proof: str


class _Date(msgspec.Struct, frozen=True):
    seq: int
    at: str
    actor: _Proof


_dates = msgspec.json.Decoder(_Date)


def dated(content: bytes) -> Dated:
    """The date in the bytes of an entry that is known to be one: many are read."""
    entry = _dates.decode(content)
    return Dated(seq=entry.seq, at=entry.at, is_of_forge=entry.actor.proof == "forge")


def entry_digest(content: bytes) -> Digest:
    """The digest of an entry's bytes: what the next entry names as `prev`."""
    return digest_of(content)


def sentence(entry: Draft) -> str:
    """The entry as a person would say it: `promote v12 to production`. It becomes the commit
    message, so it holds nothing but checked names and numbers.
    """
    subject = entry.subject
    what = f"v{subject.version}" if subject.version is not None else ""
    if not what and subject.bundle is not None:
        what = subject.bundle[:19]
    what = what or entry.model
    match entry.kind:
        case Kind.APPROVED:
            return f"approve {what}"
        case Kind.REJECTED:
            return f"reject {what}"
        case Kind.REGISTERED:
            return f"register {what}"
        case Kind.OVERRIDDEN:
            return f"override the policy for {what}" + (f" in {entry.stage}" if entry.stage else "")
        case Kind.PROMOTED:
            return f"promote {what} to {entry.stage}"
        case Kind.ROLLED_BACK:
            return f"roll back {entry.stage} to {what}"
        case Kind.CLEARED:
            return f"clear {entry.stage}"
        case Kind.RETIRED:
            return f"retire {what}"
        case Kind.NOTED:
            return f"note on {what}"
        case Kind.PURGED:
            return f"purge {what}"
        case Kind.MOVED:
            moved = LEDGER if entry.links.get("what") == LEDGER else "store"
            return f"move the {moved} of {what}"
