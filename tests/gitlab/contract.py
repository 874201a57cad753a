"""GitLab's API as far as it is used, as a judge of every request and of every answer.

`things.yaml` and `operations.yaml` are written by hand; here they become JSON schemas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from tests.standin.judging import validator_of

Json = dict[str, Any]

PLAIN: dict[str, Json] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "any": {},
    "bytes": {},
    "sha": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
    "time": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "address": {"type": "string", "format": "uri"},
}
PAGES = {
    "offset": {"page": "integer", "per_page": "integer"},
    "keyset": {
        "page": "integer",
        "per_page": "integer",
        "pagination": "text",
        "cursor": "text",
        "id_after": "integer",
        "order_by": "text",
        "sort": "text",
    },
}
TRUE, FALSE = ("true", "t", "1", "on", "yes"), ("false", "f", "0", "off", "no")
"""What GitLab takes for a boolean, in any case."""
REFUSED = {400, 401, 403, 404, 405, 409, 413, 422, 429, 500}


def schema_of(written: Any) -> Json:
    """The JSON schema of a type as it is written in the tables."""
    if isinstance(written, list):
        return {"type": "array", "items": schema_of(written[0])}
    if isinstance(written, str):
        if written.endswith("?"):
            return {"anyOf": [schema_of(written[:-1]), {"type": "null"}]}
        if written.startswith("["):
            return schema_of([written[1:-1]])
        return PLAIN.get(written) or {"$ref": f"#/schemas/{written}"} if written != "any" else {}
    if set(written) == {"one"}:
        return {"enum": written["one"].split()}
    if set(written) == {"any"}:
        return {"anyOf": [schema_of(name) for name in written["any"].split()]}
    keys = {name.removesuffix("?"): schema_of(kind) for name, kind in written.items()}
    always = {name for name in written if not name.endswith("?")}
    return {
        "type": "object",
        "properties": keys,
        "required": sorted(always),
        "additionalProperties": False,
    }


@dataclass(frozen=True)
class Operation:
    """One operation of the table."""

    id: str
    method: str
    path: str
    query: Mapping[str, Json]
    required: tuple[str, ...]
    body: Json | None
    answers: Mapping[int, Json | None]
    pages: str | None
    is_bytes: bool

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", self.path))

    @property
    def plainness(self) -> int:
        """The more of a path is fixed, the earlier it is tried."""
        return len(re.sub(r":\w+", "", self.path))


def operation_of(name: str, written: Json) -> Operation:
    method, path = written["call"].split()
    pages = written.get("pages")
    query = {**written.get("query", {}), **(PAGES[pages] if pages else {})}
    statuses = {200: "answer", 201: "created", 202: "accepted"}
    answers = {
        status: schema_of(written[key]) for status, key in statuses.items() if key in written
    }
    return Operation(
        id=name,
        method=method,
        path=path,
        query={one: schema_of(kind) for one, kind in query.items()},
        required=tuple(written.get("required", ())),
        body=schema_of(written["body"]) if "body" in written else None,
        answers=answers or {204: None},
        pages=pages,
        is_bytes=written.get("answer") == "bytes",
    )


class Contract:
    """The tables, read once."""

    def __init__(self, folder: Path = Path(__file__).parent) -> None:
        things = _read(folder / "things.yaml")
        schemas = {name: schema_of(written) for name, written in things.items()}
        self._find = validator_of(schemas)
        self.operations = {
            name: operation_of(name, written)
            for name, written in _read(folder / "operations.yaml").items()
        }
        self._ordered = sorted(self.operations.values(), key=lambda one: -one.plainness)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation behind a request, and the parameters in its path, unquoted."""
        for one in self._ordered:
            if one.method == method and (match := one.pattern.fullmatch(path)):
                return one, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def request_errors(
        self, operation: Operation, query: Mapping[str, list[str]], body: object
    ) -> list[str]:
        """What is wrong with a request. GitLab ignores what it does not know; here it is wrong."""
        errors = []
        for name, values in query.items():
            kind = operation.query.get(name.removesuffix("[]"))
            if kind is None or (name.endswith("[]") and kind.get("type") != "array"):
                errors.append(f"unknown query parameter {name!r}")
            else:
                errors += self._errors(f"?{name}=", kind, meant(kind, values))
        errors += [f"no query parameter {one!r}" for one in operation.required if one not in query]
        if operation.body is not None:
            errors += self._errors("body", operation.body, {} if body is None else body)
        elif body not in (None, {}):
            errors.append("a body where none is expected")
        return errors

    def answer_errors(self, operation: Operation, status: int, body: object) -> list[str]:
        """What is wrong with an answer of the stand-in."""
        if status in operation.answers:
            kind = operation.answers[status]
            if kind is None:
                return [f"a body with status {status}"] if body is not None else []
            return [] if operation.is_bytes else self._errors(f"answer {status}", kind, body)
        if status == 302 and operation.is_bytes:  # they are on another host
            return []
        if status in REFUSED:
            return self._errors(f"answer {status}", schema_of("refusal_any"), body)
        return [f"status {status} is not described"]

    def _errors(self, where: str, schema: Json, value: object) -> list[str]:
        return [f"{where}: {one}" for one in self._find(schema, value)]


def meant(kind: Json, values: list[str]) -> object:
    """The text of a parameter as the value that GitLab takes it for."""
    if kind.get("type") == "array":
        return [meant(kind["items"], [one]) for one in values]
    text = values[-1]
    if kind.get("type") == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind.get("type") == "boolean" and text.lower() in (*TRUE, *FALSE):
        return text.lower() in TRUE
    return text


def _read(file: Path) -> Json:
    found: Json = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
    return found
