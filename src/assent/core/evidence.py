"""Evidence: what is known about one training result. Small, self-describing, without raw data."""

from __future__ import annotations

from typing import Literal

import msgspec

from assent.core.digest import Digest
from assent.core.identity import Actor
from assent.core.profile import Overlap, RowChanges
from assent.core.scalar import Scalar

FORMAT = "assent/evidence/1"
REDACTED = "[redacted]"
MAX_PRODUCTS = 1_000


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of every record of the evidence: immutable, and strict when it is read back."""


class Step(Struct, frozen=True, kw_only=True):
    """One run of the team's own command: `train` or `evaluate`."""

    command: str
    inputs_digest: Digest
    started_at: str
    wall_s: float
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None


class Code(Struct, frozen=True, kw_only=True):
    """The revision that was trained. `is_dirty`: tracked files differed from the commit before
    anything was run; `changed` are the first of them. What the run itself writes does not count.
    `authors` wrote the commits that lead from the base branch to it, or the commit itself.
    """

    commit: str | None = None
    tree: str | None = None
    branch: str | None = None
    is_dirty: bool = False
    changed: tuple[str, ...] = ()
    authors: tuple[Actor, ...] = ()


PackagesGap = Literal[
    "nothing ran", "not seen", "no answer", "hidden", "elsewhere", "short", "many"
]
"""Why packages are not known, or not all of them: no command ran; no Python was seen to run; the
one that ran does not say what it has; one cannot be asked (another user's, in a container, gone);
something ran in a container or on another machine; most of the work was done by processes too
short to be seen; more interpreters ran than are asked.
"""


class Environment(Struct, frozen=True, kw_only=True):
    """Where the commands ran. `packages_from` names the source of `packages`: a lock file,
    `pip` or `conda`; it is None when none was found. `interpreters` are the installations that
    were asked for them, `packages_gap` says why they are not known, or not all. `gpus` is None
    where nobody can tell. `cuda` is the version of the toolkit or its runtime, `driver` that of
    the GPUs' driver.
    """

    python: str | None = None
    platform: str = ""
    machine: str = ""
    cpu: str | None = None
    cpu_count: int | None = None
    memory_bytes: int | None = None
    gpus: tuple[str, ...] | None = ()
    cuda: str | None = None
    driver: str | None = None
    packages: dict[str, str] = {}
    packages_from: str | None = None
    packages_gap: PackagesGap | None = None
    interpreters: tuple[str, ...] = ()


class DataReference(Struct, frozen=True, kw_only=True):
    """A data set by name. `source` is a path, a glob or an opaque reference such as a table and
    a query; `digest` covers the content, or is None where only `snapshot` identifies it.
    """

    name: str
    source: str
    kind: str
    digest: Digest | None = None
    snapshot: str | None = None
    files: int | None = None
    size_bytes: int | None = None
    rows: int | None = None
    profile: Digest | None = None
    label: str | None = None


class Attachment(Struct, frozen=True, kw_only=True):
    """A file of the evidence that is too large for it, kept beside it in the bundle: a profile,
    compact predictions, a plot. `path` is unique in the bundle (`profiles/train.json.gz`).
    """

    path: str
    digest: Digest
    size_bytes: int
    media_type: str


Task = Literal["binary", "multiclass", "regression", "ranking"]


class Predictions(Struct, frozen=True, kw_only=True):
    """What the attached predictions hold. `attachment` is the digest of a Parquet file with the
    columns `id`, `label`, `prediction`, `score` or `score.<class>`, `group`, `slice.<name>` and
    `shown.<name>`, as far as they are declared. `positive` is the class that a binary score is
    the probability of, `classes` all classes in order.
    """

    attachment: Digest
    task: Task
    rows: int
    positive: str | None = None
    classes: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    examples: int = 10


class Run(Struct, frozen=True, kw_only=True):
    """The CI run that produced the evidence or wrote the entry."""

    system: str
    id: str
    attempt: int = 1
    address: str | None = None


class Problem(Struct, frozen=True, kw_only=True):
    """Evidence that was declared and could not be read."""

    source: str
    problem: str


class Evidence(Struct, frozen=True, kw_only=True):
    """All evidence of one bundle. `inputs_digest` covers commands, declared inputs, parameters
    and data: equal digests mean that training and evaluating again would start from the same.
    `unproven` are outputs that were not shown to be of this run, because they are `incremental`;
    `estranged` are inputs that are not what DVC's pointers to them say; `products` the first
    `MAX_PRODUCTS` files that patterns of inputs cover and that appeared or changed while a command
    ran: they are taken for what it writes, and nobody looked at them. `leftovers` are those that an
    earlier run had left, so that this one may have read them. `reused` says from which revision and
    by whom the model was made, if it was not trained for this evidence.
    `environment` is that of both commands; `trained_in` that of training alone, where evaluating
    ran with other packages.
    """

    model: str
    inputs_digest: Digest
    format: str = FORMAT
    inputs: dict[str, Digest] = {}
    train: Step | None = None
    evaluate: Step | None = None
    trained_by: Actor | None = None
    code: Code = Code()
    params: dict[str, Scalar] = {}
    metrics: dict[str, Scalar] = {}
    series: dict[str, tuple[Scalar, ...]] = {}
    data: tuple[DataReference, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    row_changes: tuple[RowChanges, ...] = ()
    predictions: Predictions | None = None
    attachments: tuple[Attachment, ...] = ()
    environment: Environment = Environment()
    trained_in: Environment | None = None
    run: Run | None = None
    unproven: tuple[str, ...] = ()
    estranged: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    reused: str = ""
    problems: tuple[Problem, ...] = ()
