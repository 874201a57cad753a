"""The JSON Schema for editors says what the reader accepts."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from assent.config.settings import (
    NAME,
    DataSettings,
    ModelSettings,
    PersonSettings,
    TopFields,
    json_schema,
)
from assent.policy.gates import GATES
from assent.policy.rules import ApprovalRule, OverrideRule, PolicyFields, RollbackRule, StageRule

SCHEMA = json_schema()
PARTS: list[type[msgspec.Struct]] = [
    DataSettings,
    PersonSettings,
    ApprovalRule,
    OverrideRule,
    RollbackRule,
    StageRule,
    *GATES.values(),
]


def keys(*kinds: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_part_is_strict_and_has_the_readers_keys(part: type[msgspec.Struct]) -> None:
    schema = SCHEMA["$defs"][part.__name__]
    assert set(schema["properties"]) == keys(part)
    assert schema["additionalProperties"] is False


def test_a_model_has_its_settings_its_policy_and_its_gates() -> None:
    model = SCHEMA["$defs"]["ModelSettings"]
    assert set(model["properties"]) == keys(ModelSettings, PolicyFields) | {"gates"}
    assert model["additionalProperties"] is False
    assert model["required"] == ["model", "gates"]
    gates = model["properties"]["gates"]
    assert gates["minItems"] == 1
    assert {gate["$ref"] for gate in gates["items"]["anyOf"]} == {
        f"#/$defs/{gate.__name__}" for gate in GATES.values()
    }


def test_the_top_is_strict_and_needs_a_model() -> None:
    assert set(SCHEMA["properties"]) == keys(TopFields)
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["required"] == ["models"]
    models = SCHEMA["properties"]["models"]
    assert models["minProperties"] == 1
    assert models["propertyNames"]["pattern"] == NAME


@pytest.mark.threat(13)
def test_an_empty_list_of_approvers_is_refused_by_the_schema_too() -> None:
    for part in ("ApprovalRule", "OverrideRule"):
        assert SCHEMA["$defs"][part]["properties"]["from"]["minItems"] == 1


def test_a_stage_may_say_nothing() -> None:
    stages = SCHEMA["$defs"]["ModelSettings"]["properties"]["stages"]
    assert {"type": "null"} in stages["additionalProperties"]["anyOf"]


def test_every_reference_leads_somewhere_and_everything_is_used() -> None:
    used = {reference.removeprefix("#/$defs/") for reference in references(SCHEMA)}
    assert used == set(SCHEMA["$defs"])


def test_every_part_is_described() -> None:
    assert all(part.get("description") for part in SCHEMA["$defs"].values())


def test_patterns_are_understood_outside_python() -> None:
    text = msgspec.json.encode(SCHEMA).decode()
    assert not re.search(r"\\\\[AZz]|\(\?[P<]", text)


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for child in value.values() for found in references(child)]
    if isinstance(value, list):
        return [found for child in value for found in references(child)]
    return []
