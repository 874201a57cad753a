"""The public description of GitHub's events (octokit/webhooks), as a judge of payloads."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from tests.standin.judging import validator_of

EXTRACT = Path(__file__).with_name("webhooks.json")


@cache
def _extract() -> dict[str, Any]:
    return dict(json.loads(EXTRACT.read_text()))


@cache
def _find() -> Callable[[dict[str, Any], object], list[str]]:
    return validator_of(_extract()["schemas"])


def examples() -> dict[str, Any]:
    """One recorded example of each event."""
    return dict(_extract()["examples"])


def errors(event: str, payload: dict[str, Any]) -> list[str]:
    """What is wrong with a payload."""
    name = f"{event}${payload.get('action', 'event')}"
    schemas = _extract()["schemas"]
    assert name in schemas, name
    return [f"{name}: {one}" for one in _find()({"$ref": f"#/schemas/{name}"}, payload)]


def described() -> list[str]:
    """The names of all schemas; those of an event and action have a dollar sign."""
    return sorted(_extract()["schemas"])
