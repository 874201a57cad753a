"""What `assent.yaml` can say, as types. The JSON Schema for editors is made from them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from assent.policy.gates import GATES
from assent.policy.rules import Policy, PolicyFields

Text = Annotated[str, Meta(min_length=1)]
NAME = r"^[a-z0-9][a-z0-9._-]*$"
MAX_NAME = 100
Name = Annotated[str, Meta(pattern=NAME, max_length=MAX_NAME)]


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of every part of the file."""


class DataSettings(Struct, frozen=True, kw_only=True):
    """A data set: a file, a folder, a glob, or an opaque reference such as a table and a query
    with the id of the snapshot that was read.
    """

    path: Text
    snapshot: str | None = None


class ModelSettings(Struct, frozen=True, kw_only=True):
    """One model: how it is made, where its evidence lies, and its policy."""

    model: Text
    train: Text | None = None
    evaluate: Text | None = None
    inputs: tuple[Text, ...] = ()
    params: tuple[Text, ...] = ()
    metrics: tuple[Text, ...] = ()
    data: dict[str, Text | DataSettings] = {}

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
    ledger: str = "git"
    people: dict[str, PersonSettings] = {}


class TopFields(Struct, frozen=True, kw_only=True):
    """The top level of the file, its models apart."""

    models: Annotated[dict[Name, dict[str, Any]], Meta(min_length=1)]
    store: Text = ".assent/store"
    ledger: Annotated[str, Meta(pattern=r"^git(:[A-Za-z0-9._-]+)?$")] = "git"
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
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "The configuration of Assent: models, gates, approvals, stages.",
        **{key: value for key, value in top.items() if key != "description"},
        "$defs": dict(sorted(components.items())),
    }
