"""Values against JSON schemas in which an unknown key is an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

Json = dict[str, Any]

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


@FORMATS.checks("uri")
def _is_address(value: object) -> bool:
    # Where there is no address forges write an empty text; templates (`…{/sha}`) count as one.
    if not isinstance(value, str) or not value:
        return True
    return bool(urlsplit(value).scheme) and " " not in value


_extend: Any = extend  # its stubs leave it untyped


def validator_of(schemas: Json) -> Callable[[Json, object], list[str]]:
    """What finds the errors of a value. It remembers sound values by schema: the same account
    stands in an answer a hundred times.
    """
    seen: set[tuple[str, str]] = set()

    def checked_once(
        validator: Any, reference: str, instance: object, schema: Json
    ) -> Iterator[ValidationError]:
        key = (reference, json.dumps(instance, sort_keys=True))
        if key in seen:
            return
        ordinary = Draft202012Validator.VALIDATORS["$ref"]
        errors = list(ordinary(validator, reference, instance, schema))
        if not errors:
            if len(seen) > 50_000:
                seen.clear()
            seen.add(key)
        yield from errors

    validator = _extend(Draft202012Validator, {"$ref": checked_once})

    def errors(schema: Json, value: object) -> list[str]:
        found = validator({**schema, "schemas": schemas}, format_checker=FORMATS)
        return [f"{one.json_path}: {deepest(one)}" for one in found.iter_errors(value)]

    return errors


def deepest(error: ValidationError) -> str:
    """The error itself; of alternatives the reasons why none fits."""
    reasons = [f"{one.json_path}: {one.message[:300]}" for one in (error.context or [])[:6]]
    return "; ".join([error.message[:300], *reasons])


def closed(schema: Any, *, is_part: bool = False) -> Any:
    """The schema with no other keys than the described ones: a stand-in must not invent any, and
    forges ignore what they do not know, so that a misspelt key would do nothing.
    """
    if isinstance(schema, list):
        return [closed(one, is_part=is_part) for one in schema]
    if not isinstance(schema, dict):
        return schema
    alternatives = [key for key in ("oneOf", "anyOf") if key in schema]
    with_more = "properties" in schema and bool(alternatives)
    shut: Json = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties"):
            shut[key] = {name: closed(one) for name, one in value.items()}
        elif key == "allOf":
            shut[key] = closed(value, is_part=True)
        elif key in ("oneOf", "anyOf"):
            shut[key] = closed(value, is_part=is_part or with_more)
        elif key in ("items", "not"):
            shut[key] = closed(value)
        else:
            shut[key] = value
    if is_part:
        if shut.get("additionalProperties") is True:
            del shut["additionalProperties"]
    elif "allOf" in shut or with_more:
        shut["unevaluatedProperties"] = False
    elif "properties" in shut:
        shut.setdefault("additionalProperties", False)
    return shut
