"""The three doors to the world, in our own words: a forge, a store and a ledger.

Every adapter passes the contract suite of its port (`tests/contracts/`); so do the in-memory
ones of `assent.testing`, which is why tests can trust them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec

from assent.core.change import Change, Review, ReviewState
from assent.core.clock import ClockReading
from assent.core.digest import Digest
from assent.core.entry import Draft, Entry
from assent.core.evidence import Run
from assent.core.identity import Actor, Resolved
from assent.core.registry import Record, Registry, State
from assent.core.verdict import Decision
from assent.errors import AssentError, IntegrityError, OutsideError

Progress = Callable[[int], None]
"""Called with the number of bytes done since the last call, from any thread."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of every value that passes through a port."""


# --- forge --------------------------------------------------------------------------------------


class Notice(Struct, frozen=True, kw_only=True):
    """What a review says on the forge: `body` for people to read, the decision and its sentence
    for whoever only looks at the change's list of checks.
    """

    model: str
    bundle: Digest
    body: str
    decision: Decision
    sentence: str = ""


class DeploymentRequest(Struct, frozen=True, kw_only=True):
    """How the deploy button of this run was pressed: by whom, and who let it through.

    `is_guarded`: the forge asks somebody before such a run may go on. `is_of_version`: what the
    run is to ship stood fast when they were asked; else their yes is to the place alone. The
    approvals are for the run, so they name no bundle; `at` is the start of the run where the forge
    does not say when.
    """

    by: Actor | None
    approvals: tuple[Review, ...] = ()
    is_guarded: bool = False
    is_of_version: bool = True

    @property
    def is_bypassed(self) -> bool:
        """Whether the run went on although nobody whom the forge should have asked agreed."""
        return self.is_guarded and not self.approvals


class CommandName(StrEnum):
    """What a slash command asks for."""

    APPROVE = "approve"
    EXPLAIN = "explain"
    HELP = "help"


class Command(Struct, frozen=True, kw_only=True):
    """A slash command. `typed` is the digest of an approval, perhaps only its first digits. It
    means `bundle`, which had been shown at the revision `head` when it was typed; None where no
    such bundle is known.
    """

    word: CommandName
    model: str | None = None
    typed: str | None = None
    bundle: Digest | None = None
    head: str | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """A comment with slash commands, in the order of its lines. `id` is the forge's."""

    id: str
    by: Actor
    at: str
    commands: tuple[Command, ...]


class Deployment(Struct, frozen=True, kw_only=True):
    """What a stage holds now, to be shown on the forge. `environment` is the forge's name for the
    place, `seq` and `entry` the ledger entry that decided it, `address` where that can be read.
    """

    model: str
    stage: str
    environment: str
    version: int
    bundle: Digest
    seq: int
    entry: Digest
    commit: str | None = None
    address: str | None = None
    is_rollback: bool = False


class CommitAuthor(Struct, frozen=True, kw_only=True):
    """Whom a commit of this run names as its author, so that the forge knows the account again."""

    name: str
    email: str


class Proposal(Struct, frozen=True, kw_only=True):
    """A change that Assent asks people to merge: `branch`, which is pushed already, into `base`.
    `title` is plain text, `body` what people read, escaped.
    """

    model: str
    branch: str
    base: str
    title: str
    body: str


class ProtectionState(StrEnum):
    """Whether the forge enforces something."""

    ENFORCED = "enforced"
    MISSING = "missing"
    UNKNOWN = "unknown"  # this token cannot read it, or the forge cannot tell


class Protection(Struct, frozen=True, kw_only=True):
    """Something the forge can enforce, whether it does, and what to do where it does not."""

    name: str
    state: ProtectionState
    reason: str
    remedy: str = ""


class PendingReason(StrEnum):
    """Why an open change waits for a review."""

    BUNDLE = "bundle"  # its CI has left one that nobody was shown yet
    WORD = "word"  # somebody said something since what was shown was reviewed


class Waiting(Protocol):
    """An open change that may wait for a review by a run of the default branch."""

    @property
    def id(self) -> str:
        """The id of the change."""

    @property
    def forge(self) -> Forge:
        """The forge as a run of this change has it."""

    def pending_reason(self) -> PendingReason | None:
        """What it waits with, as the forge says at this moment; None if it does not wait."""

    def fetch(self, folder: Path, *, size_bytes: int | None = None) -> Run:
        """Write the newest bundle that its CI has left to `folder`, which is not there yet, and
        return the run that has left it. What is written is data of code that nobody has reviewed,
        and no more than `size_bytes` (None: `HANDED_OVER_BYTES`).

        Raises `IntegrityError` for an archive that does not hold plain files alone, or too many,
        and `IdleError` if the change has moved on.
        """


class Changes(Protocol):
    """Which change this is, and what has landed."""

    def branch(self) -> str | None:
        """The branch that changes are merged into, as the forge says; None if there is none."""

    def change(self) -> Change | None:
        """The change that this checkout belongs to, landed or not; None without a commit."""

    def change_of(self, name: str) -> Change | None:
        """The change of an id as the ledger names it, as it is today; None if there is none."""

    def tips(self) -> Collection[str]:
        """Commits that the branch which changes are merged into is known to have ended with. The
        forge may know of the newest ones alone, or of none: they tell which side of a merge was
        that branch.
        """


class Opinions(Protocol):
    """What people said of a change, and who they are today."""

    def reviews(self, model: str, bundle: Digest, *, change: str | None = None) -> Sequence[Review]:
        """All reviews of the change that `bundle` was reviewed in, oldest first and complete.

        `change` is the id of that change where it is known (the ledger has it); None: the change
        of this checkout. Raises `OutsideError` rather than return a part of the list.
        """

    def review(
        self,
        model: str,
        bundle: Digest,
        *,
        by: str,
        state: ReviewState,
        at: str,
        reason: str | None,
    ) -> Review:
        """Give a review in the name of `by`. Only the local stand-in can: a forge of people
        raises `UsageError` and says where to approve.
        """

    def withdrawn(self, model: str, review: Review, *, change: str) -> str | None:
        """Why an approval of `model` that was recorded, as given in `change`, does not stand on the
        forge any more: dismissed, deleted, edited, its account gone. None if it stands, or if the
        forge keeps no record that could tell.

        Raises `OutsideError` if that cannot be read.
        """

    def person(self, name: str) -> Actor:
        """The account that `name` (a login, an address) stands for. Raises `UsageError`."""

    def matches(self, person: Actor, who: str) -> Resolved | None:
        """What `who` means, if `person` is that today: a login, a `@group`, or `*` for any account
        that may write to the repository; else None. A login alone needs an account that may write:
        who takes a login that was given up is somebody else. One that is pinned to a number
        (`alice#12`) is that account, whatever it is called, and needs a member who may read.

        Raises `OutsideError` if that cannot be read.
        """


class Announcements(Protocol):
    """What is said on a change: the comment and the status beside it, which are the record of what
    reviewers were shown, and the answers to those who ask.
    """

    def shown(self, model: str) -> Digest | None:
        """The bundle of `model` that was shown last on the change of this checkout; None where
        the forge keeps no record of that.
        """

    def comment(self, notice: Notice) -> str:
        """Show the notice as the one comment of this change and model, then record that its
        bundle was shown; say where it stands.
        """

    def retract(self, model: str, why: str) -> None:
        """Where a bundle of `model` was shown on this change, record that none is shown any more,
        and say why in the place of the verdict. Nothing is done where none was.
        """

    def asked(self) -> Asked | None:
        """What the comment asks that woke this run up, as it stands on the forge. None if there
        is no such comment, or it was edited, is by no person, or has no command.
        """

    def answer(self, asked: Asked, text: str) -> str | None:
        """Answer a comment once, however often it is called; say where, if anywhere."""


class Proposals(Protocol):
    """Changes that Assent opens itself."""

    def commit_author(self) -> CommitAuthor:
        """Whom a commit by the account that this run acts as names."""

    def propose(self, proposal: Proposal) -> str:
        """Have the one open change of the proposal's branch, however often it is called: opened
        now, or brought up to date if it is ours. Says where it stands.
        """


class Deployments(Protocol):
    """The deploy button, and what a stage holds."""

    def deployment_request(self, environment: str) -> DeploymentRequest:
        """How the button of this run was pressed that deploys to `environment`."""

    def deployed(self, deployment: Deployment) -> str | None:
        """Show what a stage holds now, once however often it is called; say where, if anywhere."""


class Runs(Protocol):
    """The run that this is, and what other runs of the CI have left."""

    def clock(self) -> ClockReading | None:
        """What the forge's own clock showed when it first answered in this run; it is asked for
        something if it was not yet. None for a stand-in without a server. Raises `OutsideError`
        if its answers tell no time.
        """

    def whoami(self) -> Actor:
        """The account this run acts as."""

    def started(self, run: Run) -> tuple[Actor, ...]:
        """Everybody who started the run that a bundle says it was made in, or started it again;
        nobody where the forge cannot know. Raises `PolicyError` if it is no run of the change of
        this checkout.
        """

    def fetch(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run | None:
        """Write the bundle that the run of a change which woke this one up has left under `name`
        to `folder`, which is not there yet, and return that run; None where what woke this one up
        leaves none, such as a review. What is written is data of code that nobody has reviewed,
        and no more than `size_bytes` (None: `HANDED_OVER_BYTES`).

        Raises `IntegrityError` for an archive that does not hold plain files alone, or too much,
        and `IdleError` if the change has moved on.
        """

    def fetch_own(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run:
        """The same for an earlier job of this very run. `name` is that of the job or of its
        artifact, as the forge has it. Raises `UsageError` where there is none.
        """


class ReviewQueue(Protocol):
    """Open changes that wait for a run of the default branch to review them. A capability that a
    forge need not have: `lacking` says why nothing ever waits there, and is empty where it may.
    """

    @property
    def lacking(self) -> str:
        """Why nothing ever waits; empty where something may."""

    def waiting(self, model: str, job: str) -> Sequence[Waiting]:
        """The open changes that may wait for a review of `model`, newest first. Their CI leaves
        its bundle in the job called `job`. None where the
        forge lacks such a queue.
        """


class KnownQueue(Struct, frozen=True, kw_only=True):
    """A `ReviewQueue` that is known without asking, such as that of a forge which has none."""

    changes: tuple[Waiting, ...] = ()
    lacking: str = ""

    def waiting(self, model: str, job: str) -> Sequence[Waiting]:
        """See `ReviewQueue.waiting`."""
        del model, job
        return self.changes


class Guards(Protocol):
    """What the forge enforces beside Assent. A capability that a forge need not have: where it
    tells nothing of it, that is what is told (`ProtectionState.UNKNOWN`), and nobody takes for
    enforced what was not looked at.
    """

    def protections(
        self, *, models: Sequence[str], environments: Sequence[str]
    ) -> tuple[Protection, ...]:
        """What the forge enforces here, as far as this account can read it. Changes nothing."""


class KnownGuards(Struct, frozen=True, kw_only=True):
    """`Guards` that are known without asking."""

    found: tuple[Protection, ...]

    def protections(
        self, *, models: Sequence[str], environments: Sequence[str]
    ) -> tuple[Protection, ...]:
        """See `Guards.protections`."""
        del models, environments
        return self.found


class ForgeFiles(Struct, frozen=True, kw_only=True):
    """Which files of a repository mean something to forges, wherever it is. `guarding` are paths of
    files and folders by which forges decide who must review and what runs. A forge reads its rules
    from `folders` and from files of these `names`, whichever folder they are in.
    """

    guarding: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class Forge(Changes, Opinions, Announcements, Proposals, Deployments, Runs, Protocol):
    """Where changes are reviewed: all that a run needs of it. Who needs a part asks for the part.
    What a forge may lack is a value of it.
    """

    @property
    def review_queue(self) -> ReviewQueue:
        """The open changes that wait for a review."""

    @property
    def guards(self) -> Guards:
        """What it enforces."""

    def landed(self, commit: str) -> Forge:
        """The forge as a run of the change has it that became `commit`, which is a commit of the
        branch that changes are merged into. One that came without a change is a change of its own.
        """


# --- store --------------------------------------------------------------------------------------


class Source(Struct, frozen=True, kw_only=True):
    """Bytes to store: a file, or content in memory. What `is_manifest` names other blobs, which are
    stored before it: some stores keep such content elsewhere than bytes. Of a file that
    `is_scratch` the caller alone knows, and nobody writes to it any more.
    """

    path: Path | None = None
    content: bytes | None = None
    is_manifest: bool = False
    is_scratch: bool = False


class Stored(Struct, frozen=True, kw_only=True):
    """What was stored. `is_new` is False if the store held these bytes already."""

    digest: Digest
    size_bytes: int
    is_new: bool


class Wanted(Struct, frozen=True, kw_only=True):
    """A blob to be written to a file. Of one that `is_scratch` the caller alone knows, and nobody
    writes to it afterwards.
    """

    digest: Digest
    size_bytes: int
    path: Path
    is_scratch: bool = False


class BlobState(StrEnum):
    """What a complete reading of a blob found."""

    SOUND = "sound"
    MISSING = "missing"
    CORRUPT = "corrupt"


class Pointer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What serving reads. Without a version the place is empty. `seq` and `entry` name the ledger
    entry that the pointer was derived from; 0-based, and the digest of its bytes. The pointer
    `<model>/head` follows every entry: it is there to be missed by a ledger that lost some.
    """

    seq: int
    entry: Digest
    version: int | None = None
    bundle: Digest | None = None
    model_digest: Digest | None = None


class Credentials(Struct, frozen=True, kw_only=True):
    """A name and its password, or an identity token that a token server takes instead. `origin`
    says where they were found, for people.
    """

    username: str = ""
    password: str = ""
    identity_token: str = ""
    origin: str

    def __repr__(self) -> str:
        """Without what is secret: a traceback may show it."""
        return f"Credentials(origin={self.origin!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """The same for whatever shows tracebacks with values."""
        return [("origin", self.origin)]


class Blobs(Protocol):
    """Content-addressed bytes, each stored once."""

    @property
    def largest_manifest_bytes(self) -> int:
        """The largest manifest that can be stored and read again."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether what is read comes over a network, so that it is read as seldom as can be."""

    @property
    def abilities(self) -> Mapping[str, str]:
        """What the place that the bytes lie in can do, for people, by what it is about. It is found
        by writing something that names nothing. Empty where there is nothing to be tried.
        """

    def add(
        self,
        sources: Sequence[Source],
        progress: Progress | None = None,
        unless: Callable[[Sequence[Digest]], bool] | None = None,
    ) -> list[Stored]:
        """Store every source and return what was stored, in the same order.

        Streams, hashes once while copying, and shows nothing under a digest before all of its
        bytes are there. What is held and damaged is written again, whatever its size; what is held
        and sound is renewed (`Upkeep.renew`). A store elsewhere asks `unless` once the digests are
        known, and nothing is asked or sent for them if that says so.
        """

    def keeps(self, manifest: bytes) -> bool:
        """Whether a bundle lies in a store elsewhere, by its manifest alone, which is stored last
        and is renewed. What that has lost or damaged of it since is not looked for. Any other store
        says no: there each blob is compared while it is added, which asks nobody.
        """

    def read(self, digest: Digest) -> bytes:
        """A small blob (manifest, evidence), verified.

        Raises `NotInStoreError` or `IntegrityError`.
        """

    def fetch(self, wanted: Sequence[Wanted], progress: Progress | None = None) -> None:
        """Write blobs to files, verified while copying; a file appears complete or not at all."""

    def locate(self, digest: Digest) -> Path | None:
        """Where the blob is a file of this machine, to be looked into without copying it; None if
        it is none, or not held. Nothing is verified, and nobody may write there.
        """

    def check(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """Read every blob whole and say what was found."""

    def confirm(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """The same, without reading what the store itself answers for by digest, as a registry
        does: it takes no bytes under the digest of others.
        """

    def flush(self, digests: Sequence[Digest]) -> None:
        """Have these blobs where a loss of power does not take them, before a decision names them,
        and renew them (`Upkeep.renew`). Raises `NotInStoreError`.
        """

    def discard(self, digest: Digest) -> None:
        """Take a corrupt blob away, so that the next `add` of the same bytes writes it again. A
        sound one stays.
        """


class Pointers(Protocol):
    """Small named pointers to bundles: what serving reads. They follow from the ledger."""

    @property
    def lacking(self) -> str:
        """What whoever serves by the pointers has to know, as a clause; empty where two writers at
        once cannot leave the wrong one. It may be found by writing something that names nothing.
        """

    def point(self, name: str, pointer: Pointer) -> bool:
        """Write the pointer under a name such as `churn/stages/production`, `churn/versions/12` or
        `churn/head`, unless one of a later entry stands there; say whether it did.
        """

    def restore(self, name: str, pointer: Pointer, *, instead_of: Pointer | None) -> bool:
        """Write the pointer whatever it replaces, if `instead_of` (None: nothing that can be read)
        still stands there; say whether it did. That is what a repair does.
        """

    def pointer(self, name: str) -> Pointer | None:
        """The pointer under this name; None if there is none, or none that can be read."""

    def pointers(self, model: str) -> dict[str, Pointer | None]:
        """All pointers of `model` by name; None for one that cannot be read."""

    def astray(self, model: str, bundles: Collection[Digest] = ()) -> tuple[str, ...]:
        """The names under which tools that know nothing of Assent find other bundles of `model`
        than its pointers say, or none, or one that no pointer names. Where a store keeps a bundle
        by a name of its own, that of what pointers name and of each of `bundles`, too, if it is
        not there or names something else. A bundle that is gone needs none.
        """

    def relist(self, model: str, bundles: Collection[Digest] = ()) -> None:
        """Let such tools find what the pointers of `model` say, and all that `astray` looks at be
        kept.
        """


class Hints(Protocol):
    """By what a bundle is found again, so that nothing is made twice. They prove nothing."""

    def remember(self, name: str, bundle: Digest) -> None:
        """Leave a hint: the bundle that an inputs digest or a commit gave."""

    def recall(self, name: str) -> Digest | None:
        """The hint under this name. It is no proof: the caller checks the bundle it names."""

    def remembered(self, model: str) -> frozenset[Digest]:
        """The bundles that the hints of a model name."""


class Held(Struct, frozen=True, kw_only=True):
    """A blob that a store holds. `age_s` is how long ago it was added or renewed, by the clock of
    the store; None where that is not known. `may_be_bundle` is False for what is no manifest of a
    bundle, by what can be seen without reading all of it. `is_named`: others than Assent have given
    it a name, or something that needs it.
    """

    digest: Digest
    size_bytes: int
    age_s: float | None
    may_be_bundle: bool = False
    is_named: bool = False


class Upkeep(Protocol):
    """Seeing what is held, and taking away what nothing refers to."""

    @property
    def lists_blobs(self) -> bool:
        """Whether `held` names every blob. If not, it names the manifests of bundles alone: what no
        manifest needs any more, the store clears away itself.
        """

    def held(self) -> Iterator[Held]:
        """What is held, as far as Assent may have written it. Raises `OutsideError` where that
        cannot be listed.
        """

    def renew(self, digests: Sequence[Digest]) -> None:
        """Let blobs be as young as if they were added now, for they are used. What is not held is
        passed over; who has to know asks afterwards, with `confirm`. They are those of one bundle,
        with its manifest last as in `Bundle.blobs`, or some of its blobs.
        """

    def remove(self, digest: Digest, *, older_than_s: float) -> bool:
        """Take away what was neither added nor renewed for so long; say whether it was taken. Where
        its age is not known, it is counted from now on, and nothing is taken. With 0 it is taken
        whatever its age; whoever asks for less than a day must know that nobody is about to use it.

        Safe beside writers: whoever has renewed it and then finds it held keeps it. So `add`, which
        renews what it finds, leaves it held, and `flush` says if it is not. Raises `OutsideError`
        where the store removes nothing.
        """

    def forget(self, bundles: Collection[Digest]) -> None:
        """Take away the hints that name these bundles."""

    def sweep(self, *, older_than_s: float) -> int:
        """Take away what writers have left unfinished that wrote nothing for so long, a day at
        least; the number of bytes.
        """


class Store(Blobs, Pointers, Hints, Upkeep, Protocol):
    """All that a run needs of a store. Who needs a part asks for the part."""


BUNDLE_AGAIN = (
    "`assent bundle --force` where it was trained, or with --from what its job has left, writes it "
    "again; "
    "if nobody has the bytes any more, it has to be trained and reviewed anew"
)
"""What mends a blob that is damaged or missing."""


class NoAccessError(OutsideError):
    """The store does not answer, or does not let us in: nothing is known of what it holds."""


class StaysError(OutsideError):
    """The store cannot take this one blob away; others it can."""


class NotInStoreError(AssentError):
    """The store does not hold what was asked for."""

    exit_code = IntegrityError.exit_code


# --- ledger -------------------------------------------------------------------------------------


class View(Protocol):
    """One consistent reading of a model's ledger."""

    @property
    def state(self) -> State:
        """The current state."""

    @property
    def head(self) -> Digest:
        """The digest of the newest entry's bytes; `GENESIS` for an empty ledger."""

    @property
    def later_format(self) -> str | None:
        """The format of the newest entry, if that is a later minor one than is known here."""

    def record(self, bundle: Digest) -> Record | None:
        """What is known of a bundle."""

    def bundle_of(self, version: int) -> Digest | None:
        """The bundle of a version."""

    def entry(self, seq: int) -> bytes:
        """The bytes of one entry, proven to be a part of what leads to the newest one."""

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """The bytes of the entries from `start` on, oldest first, as they are kept: whoever reads
        them checks the chain (`core.registry.linked`).
        """

    def astray(self, registry: Registry) -> tuple[str, ...] | None:
        """What is kept beside the entries and is not, byte for byte, what `registry`, the fold of
        them, makes of it; also what is missing there, and what does not belong there. None if a
        later minor format has written it, which may keep more. For `verify`: it reads everything.
        """


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of a ledger: the name of the branch that holds it, its commit, and the number and the
    digest of its newest entry.
    """

    name: str
    commit: str
    seq: int
    entry: Digest


class Ledger(Protocol):
    """Append-only entries of each model, and the state derived from them."""

    def models(self) -> list[str]:
        """The models that have a ledger."""

    def read(self, model: str, *, strict: bool = True, remembered: bool = True) -> View:
        """The ledger as it is now, compared with what was seen of it from here unless
        `remembered` is off, which is for those who judge that entries are lost.

        Raises `IntegrityError` if it does not verify as far as one reading can tell, and
        `OutsideError` if it cannot be reached. With `strict` off, a state that does not fit the
        newest entry is taken as it is, for `verify` to say what is wrong.
        """

    def append(self, view: View, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        """Write `drafts` after what `view` saw, all or none.

        Raises `MovedError` if the ledger has grown since; then read, judge and try again. Raises
        `DoubtError` if nobody can say whether they were written.
        """

    def turn(self, model: str) -> AbstractContextManager[bool]:
        """Be the only writer to the ledger, as far as the others on this machine can be known of;
        say whether somebody else had to be waited for, so that what was read before may be old.
        Nothing rests on it but that they do not disturb each other.
        """

    def forget(self, model: str) -> None:
        """Forget which entries of the ledger were seen from here: a person has judged that they
        are lost.
        """

    def copies(self, model: str) -> tuple[Copy, ...]:
        """Other copies of the ledger that are at hand, whatever they hold."""

    def rebuild(self, view: View, registry: Registry) -> None:
        """Write what is derived again, as `registry` (the fold of the entries) has it."""


class DoubtError(OutsideError):
    """The answer to what was written was lost: it may be there, or still arrive, or not."""


class MovedError(AssentError):
    """Somebody else wrote to the ledger since it was read."""

    exit_code = 3


class BusyError(MovedError):
    """Somebody else has the ledger locked, or has left it so."""
