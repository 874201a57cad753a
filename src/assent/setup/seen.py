"""What was seen in a repository, and why it was taken for what it is. All of it are values."""

from __future__ import annotations

from typing import Literal

import msgspec

Certainty = Literal["stated", "read", "guessed"]
"""A file that is made for it says so; it follows from what a script does; the name suggests it."""

Kind = Literal["model", "metrics", "predictions", "plots", "data", "params", "other"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was seen."""

    value: str
    why: str
    certainty: Certainty = "read"


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a step reads or writes. `path` may hold `*` where a part is not known before it
    runs. `by` is the script or the command that does it, where that is known, and `call` what the
    script calls for it. `names` are the figures or columns in it, as far as the script says them.
    `is_added_to`: it is kept, and lines are added to it.
    """

    path: str
    kind: Kind
    why: str
    by: str = ""
    call: str = ""
    names: tuple[str, ...] = ()
    is_added_to: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A command of the team's, and the files that it reads and writes. `scripts` are the team's own
    files that it runs or imports; `hints` are figures that go nowhere a file could be read from;
    `notes` are what a person has to know before the command is used. `is_unread`: a part of it is
    in a language that is not parsed. `is_of_ci`: it is a line of a job, and not made to be run by
    people.
    """

    name: str
    command: str
    why: str
    certainty: Certainty = "read"
    scripts: tuple[str, ...] = ()
    reads: tuple[Trace, ...] = ()
    writes: tuple[Trace, ...] = ()
    hints: tuple[Hint, ...] = ()
    notes: tuple[str, ...] = ()
    is_unread: bool = False
    is_of_ci: bool = False
    learns: bool = False
    """Whether something is fitted in its own script, as far as the words in it show."""

    def written(self, *kinds: Kind) -> list[Trace]:
        """The files of these kinds that it writes."""
        return [trace for trace in self.writes if trace.kind in kinds]


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """Figures that a script shows to somebody else: it prints them, or gives them to MLflow.
    `values` are their expressions by name. With `fitted` it is a model instead: the expression that
    was fitted, or given to a store. `lost` is a line that keeps a model in a place that only the
    run knows.
    """

    where: Literal["printed", "mlflow", "wandb", "fitted", "lost"]
    script: str
    line: int
    values: dict[str, str] = {}
    fitted: str | None = None


class Predictions(msgspec.Struct, frozen=True, kw_only=True):
    """A file of predictions and its columns."""

    path: str
    id: str
    label: str
    prediction: str | None
    score: str | None
    why: str


class ModelSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One model: what was taken, what else could have been, and what a person has to add.
    `others` are the candidates that were not taken, by key. `keys` are the columns that name a row
    of a data set, by its name; `gates` are figures whose direction is known.
    """

    name: str
    train: Seen | None = None
    evaluate: Seen | None = None
    model: Seen | None = None
    inputs: tuple[Seen, ...] = ()
    left_out: tuple[Seen, ...] = ()
    params: tuple[Seen, ...] = ()
    metrics: tuple[Seen, ...] = ()
    predictions: Predictions | None = None
    data: dict[str, Seen] = {}
    keys: dict[str, str] = {}
    plots: tuple[Seen, ...] = ()
    gates: tuple[str, ...] = ()
    others: dict[str, tuple[Seen, ...]] = {}
    advice: tuple[str, ...] = ()
    is_unread: bool = False


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that gets an `assent.yaml`, and the models in it. `store` is where machines of the
    forge reach what is stored; empty where nobody knows such a place.
    """

    folder: str
    models: tuple[ModelSeen, ...]
    notes: tuple[str, ...] = ()
    store: str = ""


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A whole repository. `forge` is github or gitlab where the remote says so."""

    projects: tuple[Project, ...]
    forge: str | None = None
