"""What `assent.yaml` can say, as types. The JSON Schema for editors is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from assent.core.comment_layout import CommentLayout
from assent.core.evidence import Task
from assent.core.ledgers import GIT, PATTERN
from assent.core.units import size_bytes
from assent.policy.gates import GATES
from assent.policy.rules import Policy, PolicyFields

FILE = "assent.yaml"
Text = Annotated[str, Meta(min_length=1)]
NAME = r"^[a-z0-9][a-z0-9._-]*$"
MAX_NAME = 100
Name = Annotated[str, Meta(pattern=NAME, max_length=MAX_NAME)]


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of every part of the file."""


class DataSettings(Struct, frozen=True, kw_only=True):
    """A data set: a file, a folder, a glob, or an opaque reference such as a table and a query
    with the id of the snapshot that was read. `key` is the column, or columns, that name a row;
    `label` the column that is predicted; `previous` an earlier state, to be compared row by row.
    Columns of `leave_out` are not profiled, and with `hash_values` no text is kept, only salted
    hashes of it. Of text files, `missing` are words that stand for no value, `decimal` is what is
    before the decimals, and with `skip_ragged` lines with more or fewer cells than the header are
    left out and counted. `delimiter` is what is between two cells, and `header` says whether the
    first line has the names of the columns, or names them where it has not.
    """

    path: Text
    snapshot: str | None = None
    key: tuple[Text, ...] | Text = ()
    label: Text | None = None
    previous: Text | None = None
    leave_out: tuple[Text, ...] = ()
    hash_values: bool = False
    engine: Literal["duckdb", "spark"] = "duckdb"
    profile: bool = True
    missing: tuple[Text | int | float, ...] = ()
    decimal: Literal[".", ","] = "."
    skip_ragged: bool = False
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] | None = None
    header: bool | Annotated[tuple[Text, ...], Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        """Refuse what Spark does not do: it would be left out in silence. What is between cells is
        no part of them.
        """
        is_set = self.missing or self.decimal != "." or self.skip_ragged or self.delimiter
        if self.engine == "spark" and (is_set or self.header not in (None, True)):
            raise ValueError(
                "`missing`, `decimal`, `skip_ragged`, `delimiter` and `header` are not for the "
                "engine spark"
            )
        if self.engine == "spark" and self.previous is not None:
            raise ValueError("`previous` is not for the engine spark: it compares no rows by key")
        if self.delimiter is not None and self.delimiter in '"\r\n':
            raise ValueError("`delimiter` is no quote and no end of a line")
        names = self.header if isinstance(self.header, tuple) else ()
        if len(set(names)) < len(names):
            raise ValueError("`header` names a column twice")

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key as columns."""
        return (self.key,) if isinstance(self.key, str) else self.key


class PredictionsSettings(Struct, frozen=True, kw_only=True):
    """The file of predictions on the test set, and what its columns are. `score` is the column of
    the probability of the class `positive`, or one column for each class. A row belongs to a
    `group` if rows of one belong together: the query of a ranking, the patient of a visit.
    `shown` are columns that people may see of examples. Without `keep`, the next candidate is not
    compared with this one example by example.
    """

    path: Text
    id: Text
    label: Text
    prediction: Text | None = None
    score: Text | dict[str, Text] | None = None
    positive: str | int | bool | None = None
    task: Task | None = None
    slices: tuple[Text, ...] = ()
    shown: tuple[Text, ...] = ()
    group: Text | None = None
    examples: Annotated[int, Meta(ge=0, le=100)] = 10
    keep: bool = True

    def __post_init__(self) -> None:
        """Refuse predictions of which nothing could be measured."""
        if self.prediction is None and self.score is None:
            raise ValueError("predictions need the column `prediction`, `score`, or both")


class CostSettings(Struct, frozen=True, kw_only=True):
    """What an hour costs, to give training and evaluation a price and an energy. `watts` and
    `gpu_watts` are the power of one busy core and of one GPU.
    """

    currency: Annotated[str, Meta(pattern=r"^[A-Za-z]{3}$")] = "usd"
    hour: Annotated[float, Meta(ge=0)] | None = None
    cpu_hour: Annotated[float, Meta(ge=0)] | None = None
    gpu_hour: Annotated[float, Meta(ge=0)] | None = None
    watts: Annotated[float, Meta(ge=0)] | None = None
    gpu_watts: Annotated[float, Meta(ge=0)] | None = None


class ModelSettings(Struct, frozen=True, kw_only=True):
    """One model: how it is made, where its evidence lies, and its policy. Outputs that fit
    `incremental` are updated by the commands, or left as they are where they are up to date.
    `python` is the interpreter that trains, where that cannot be seen. `max_bundle_size` (`5GB`)
    binds as the base branch has it: no larger bundle is made, or taken from another job; so does
    `comment`, what a comment on a change has.
    """

    model: Text
    train: Text | None = None
    evaluate: Text | None = None
    python: Text | None = None
    inputs: tuple[Text, ...] = ()
    params: tuple[Text, ...] = ()
    metrics: tuple[Text, ...] = ()
    predictions: PredictionsSettings | None = None
    data: dict[str, Text | DataSettings] = {}
    plots: tuple[Text, ...] = ()
    incremental: tuple[Text, ...] = ()
    cost: CostSettings | None = None
    max_bundle_size: str | int | None = None
    comment: CommentLayout = CommentLayout()

    def __post_init__(self) -> None:
        """Refuse a size that is none."""
        if self.max_bundle_size is not None and size_bytes(self.max_bundle_size) <= 0:
            raise ValueError("max_bundle_size must be more than 0")

    @property
    def max_bundle_bytes(self) -> int | None:
        """`max_bundle_size` in bytes."""
        return None if self.max_bundle_size is None else size_bytes(self.max_bundle_size)

    @property
    def data_sets(self) -> dict[str, DataSettings]:
        """The data sets by name, all in the long form."""
        return {
            name: DataSettings(path=given) if isinstance(given, str) else given
            for name, given in self.data.items()
        }


class PersonSettings(Struct, frozen=True, kw_only=True):
    """Somebody whom the local forge knows: a real forge has its own accounts and groups."""

    email: Text
    groups: tuple[Text, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A whole `assent.yaml`."""

    models: dict[str, ModelSettings]
    policies: dict[str, Policy]
    store: str = ".assent/store"
    ledger: str = GIT
    people: dict[str, PersonSettings] = {}


class TopFields(Struct, frozen=True, kw_only=True):
    """The top level of the file, its models apart."""

    models: Annotated[dict[Name, dict[str, Any]], Meta(min_length=1)]
    store: Text = ".assent/store"
    ledger: Annotated[str, Meta(pattern=PATTERN)] = GIT
    people: dict[Text, PersonSettings] = {}


def json_schema() -> dict[str, Any]:
    """A JSON Schema (2020-12) of the file, for editors."""
    parts = (TopFields, ModelSettings, PolicyFields, *GATES.values())
    _, components = msgspec.json.schema_components(parts, ref_template="#/$defs/{name}")
    model = components.pop("ModelSettings")
    policy = components.pop("PolicyFields")
    top = components.pop("TopFields")
    gates = [{"$ref": f"#/$defs/{gate.__name__}"} for gate in GATES.values()]
    model["properties"] |= policy["properties"]
    model["properties"]["gates"] = {"type": "array", "minItems": 1, "items": {"anyOf": gates}}
    model["required"] = ["model", "gates"]
    stage = {"anyOf": [{"$ref": "#/$defs/StageRule"}, {"type": "null"}]}  # `staging:` says nothing
    model["properties"]["stages"]["additionalProperties"] = stage
    top["properties"]["models"]["additionalProperties"] = {"$ref": "#/$defs/ModelSettings"}
    top["title"] = "assent.yaml"
    components["ModelSettings"] = model
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "The configuration of Assent: models, gates, approvals, stages.",
        **{key: value for key, value in top.items() if key != "description"},
        "$defs": dict(sorted(components.items())),
    }
    settled: dict[str, Any] = _settled(schema)
    return settled


def _settled(part: Any, key: str = "") -> Any:
    """A part of a schema as every release of msgspec has it. They differ in how they break the
    lines of a description, and in where `null` stands among alternatives.
    """
    match part:
        case dict():
            return {name: _settled(value, name) for name, value in part.items()}
        case list():
            return sorted(map(_settled, part), key=lambda schema: schema == {"type": "null"})
        case str() if key == "description":
            return " ".join(part.split())
        case _:
            return part
