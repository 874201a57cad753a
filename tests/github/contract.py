"""GitHub's own description of its API, as a judge of every request and of every answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.standin.judging import closed, validator_of

Json = dict[str, Any]

EXTRACT = Path(__file__).with_name("openapi.json")
WITH_SLASHES = {"path": ".*", "ref": ".+", "branch": ".+", "base": ".+", "head": ".+"}
"""Parameters that may hold slashes, though the description cannot say so; the root has no path."""

LEGACY = {"/repos/{owner}/{repo}/statuses/{ref}": "repos/list-commit-statuses-for-ref"}
"""Older paths that GitHub's prose names beside the described ones, and that PyGithub asks for."""

GENERIC = {401, 403, 404, 409, 422, 429}
"""Refusals that any operation can answer with, listed or not: a message says why."""

ERRORS = ("basic-error", "validation-error", "validation-error-simple")

NULL_IN_TRUTH = (
    ("pull-request", "head", "repo"),
    ("pull-request-simple", "head", "repo"),
)
"""Where GitHub answers null against its own description: the repository of a deleted fork."""

MORE_IN_TRUTH: dict[str, Json] = {"environment": {"can_admins_bypass": {"type": "boolean"}}}
"""What GitHub sends beyond its own description."""


@dataclass(frozen=True)
class Operation:
    """One operation of the description."""

    id: str
    method: str
    path: str
    in_path: Mapping[str, Json]
    query: Mapping[str, Json]
    query_required: tuple[str, ...]
    body: Json | None
    body_required: bool
    responses: Mapping[str, Json | None]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        def part(match: re.Match[str]) -> str:
            name = match.group(1)
            return f"(?P<{name}>{WITH_SLASHES.get(name, '[^/]+')})"

        return re.compile(re.sub(r"\\{(\w+)\\}", part, re.escape(self.path)))

    @property
    def plainness(self) -> int:
        """The more of a path is fixed, the earlier it is tried."""
        return len(re.sub(r"{\w+}", "", self.path))


class Contract:
    """The extract, read once."""

    def __init__(self, extract: Path = EXTRACT) -> None:
        self.file = extract
        document = json.loads(extract.read_text())
        self._schemas = document["schemas"]
        for place in NULL_IN_TRUTH:
            admit_null(self._schemas, place)
        for name, more in MORE_IN_TRUTH.items():
            self._schemas[name]["properties"] |= more
        open_ones = set(parts_of_a_whole(document))
        for name, schema in self._schemas.items():
            self._schemas[name] = closed(schema, is_part=name in open_ones)
        self._find = validator_of(self._schemas)
        self.operations = {
            name: Operation(
                id=name,
                method=found["method"],
                path=found["path"],
                in_path=found["in_path"],
                query=found["query"],
                query_required=tuple(found.get("query_required", ())),
                body=closed(found["body"]) if "body" in found else None,
                body_required=found.get("body_required", False),
                responses={
                    status: schema and closed(schema)
                    for status, schema in found["responses"].items()
                },
            )
            for name, found in document["operations"].items()
        }
        older = [replace(self.operations[name], path=path) for path, name in LEGACY.items()]
        every = [*self.operations.values(), *older]
        self._ordered = sorted(every, key=lambda one: -one.plainness)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation behind a request, and the parameters in its path, unquoted."""
        for one in self._ordered:
            if one.method == method and (match := one.pattern.fullmatch(path)):
                return one, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def request_errors(
        self,
        operation: Operation,
        in_path: Mapping[str, str],
        query: Mapping[str, str],
        body: object,
    ) -> list[str]:
        """What is wrong with a request. A parameter that the description does not know is."""
        errors = []
        for name, value in in_path.items():
            errors += self._text_errors(f"{{{name}}} in the path", operation.in_path[name], value)
        for name, value in query.items():
            if name not in operation.query:
                errors.append(f"unknown query parameter {name!r}")
            else:
                errors += self._text_errors(f"?{name}=", operation.query[name], value)
        errors += [
            f"no query parameter {one!r}" for one in operation.query_required if one not in query
        ]
        if operation.body is None:
            if body is not None:
                errors.append("a body where none is expected")
        elif body is not None or operation.body_required:
            errors += self._errors("body", operation.body, body)
        return errors

    def answer_errors(self, operation: Operation, status: int, body: object) -> list[str]:
        """What is wrong with an answer of the stand-in."""
        described = operation.responses.get(str(status))
        if status >= 400:
            return self._refusal_errors(operation, status, body, described)
        if str(status) not in operation.responses:
            return [f"status {status} is not described"]
        if described is None:
            return [f"a body with status {status}, which has none"] if body is not None else []
        return self._errors(f"answer {status}", described, body)

    def _refusal_errors(
        self, operation: Operation, status: int, body: object, described: Json | None
    ) -> list[str]:
        """The forms of an error are described more carefully than they are sent: any of them will
        do, and each says its status.
        """
        if str(status) not in operation.responses and status not in GENERIC:
            return [f"status {status} is not described"]
        forms: list[Json] = [{"$ref": f"#/schemas/{name}"} for name in ERRORS]
        forms += [described] if described else []
        said = body
        if isinstance(body, dict):
            said = {key: value for key, value in body.items() if key != "status"}
        return self._errors(f"answer {status}", {"anyOf": forms}, said)

    def _text_errors(self, where: str, schema: Json, text: str) -> list[str]:
        value: object = text
        if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text):
            value = int(text)
        elif schema.get("type") == "boolean" and text in ("true", "false"):
            value = text == "true"
        return self._errors(where, schema, value)

    def _errors(self, where: str, schema: Json, value: object) -> list[str]:
        return [f"{where}: {one}" for one in self._find(schema, value)]


def admit_null(schemas: Json, place: tuple[str, ...]) -> None:
    node = schemas[place[0]]
    for name in place[1:-1]:
        node = node["properties"][name]
    found = node["properties"][place[-1]]
    node["properties"][place[-1]] = {"anyOf": [found, {"type": "null"}]}


def parts_of_a_whole(node: Any, *, is_part: bool = False) -> Iterator[str]:
    """Names of the schemas that are only a part of an object: other parts add their own keys."""
    if isinstance(node, list):
        for one in node:
            yield from parts_of_a_whole(one, is_part=is_part)
    elif isinstance(node, dict):
        if is_part and "$ref" in node:
            yield str(node["$ref"]).rsplit("/", 1)[-1]
        for key, value in node.items():
            beside = key in ("oneOf", "anyOf") and "properties" in node
            yield from parts_of_a_whole(value, is_part=key == "allOf" or beside)
