"""Cut what the stand-in needs out of GitHub's own descriptions of its API and of its events.

    npm pack @octokit/openapi @octokit/webhooks-schemas @octokit/webhooks-examples
    python -m tests.github.extract api.github.com.json tests/github/openapi.json
    python -m tests.github.extract --events schema.json index.json tests/github/webhooks.json

All three are published under the MIT licence (LICENSE, beside this file). Structure only:
descriptions, examples and vendor extensions are left out. OpenAPI 3.0 is turned into JSON Schema
on the way, so that an ordinary validator can read it. One line per operation and per schema:
small, and a new release of the description is a readable diff.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

OPERATIONS = """
actions/download-artifact actions/get-github-actions-default-workflow-permissions-repository
actions/get-pending-deployments-for-run actions/get-reviews-for-run actions/get-workflow-run
actions/get-workflow-run-attempt
actions/list-self-hosted-runner-groups-for-org actions/list-self-hosted-runners-for-repo
actions/list-self-hosted-runners-in-group-for-org actions/list-workflow-run-artifacts
checks/create checks/list-for-ref checks/update
git/create-ref git/get-commit git/get-ref
issues/create-comment issues/get-comment issues/list-comments issues/list-events
issues/update-comment
meta/get rate-limit/get
pulls/create pulls/get pulls/list pulls/list-commits pulls/list-files pulls/list-reviews
pulls/update
reactions/create-for-issue-comment
repos/check-collaborator repos/compare-commits repos/create-commit-status repos/create-deployment
repos/create-deployment-status repos/get repos/list-activities
repos/get-all-environments repos/get-branch repos/get-branch-protection repos/get-branch-rules
repos/get-collaborator-permission-level repos/get-combined-status-for-ref repos/get-commit
repos/get-content repos/get-deployment repos/get-environment repos/get-repo-ruleset
repos/get-repo-rulesets repos/list-commit-statuses-for-ref repos/list-deployment-statuses
repos/list-deployment-branch-policies repos/list-deployments
repos/list-pull-requests-associated-with-commit
teams/get-by-name teams/get-membership-for-user-in-org
users/get-authenticated users/get-by-id users/get-by-username
""".split()

EVENTS = {
    "issue_comment": ["created"],
    "merge_group": ["checks_requested"],
    "pull_request": ["opened", "edited", "synchronize", "reopened", "closed"],
    "pull_request_review": ["submitted", "dismissed", "edited"],
    "push": ["event"],
    "workflow_dispatch": ["event"],
    "workflow_run": ["completed", "requested"],
}
"""The events we wake up on, with the actions that the stand-in can write."""

PROSE = {"description", "example", "examples", "summary", "title", "default", "externalDocs"}
PROSE |= {"deprecated", "readOnly", "discriminator", "tsAdditionalProperties", "$id", "$schema"}
BY_NAME = {"properties", "patternProperties", "definitions"}


def structure(node: Any, *, is_map: bool = False) -> Any:
    """`node` as JSON Schema without prose. In a map of names every key stays."""
    if isinstance(node, list):
        return [structure(one) for one in node]
    if not isinstance(node, dict):
        return node
    if is_map:
        return {key: structure(value) for key, value in node.items()}
    kept: Json = {}
    for key, value in node.items():
        if key in PROSE or key.startswith("x-") or key == "nullable":
            continue
        if key == "$ref":
            value = "#/schemas/" + str(value).rsplit("/", 1)[-1]
        if key in ("enum", "required", "const"):
            kept[key] = value
        else:
            kept[key] = structure(value, is_map=key in BY_NAME)
    return or_null(kept) if node.get("nullable") else kept


def or_null(schema: Json) -> Json:
    """OpenAPI 3.0 says `nullable`; JSON Schema lists null beside the type."""
    if "$ref" in schema or "oneOf" in schema or "anyOf" in schema or "allOf" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    if "type" not in schema:
        return schema
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema and None not in schema["enum"]:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(document: Json, node: Json) -> Json:
    """`node`, or what it refers to."""
    if "$ref" not in node:
        return node
    found: Any = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def operation(document: Json, method: str, path: str, found: Json) -> Json:
    query: Json = {}
    in_path: Json = {}
    required = []
    for one in (resolved(document, each) for each in found.get("parameters", [])):
        if one["in"] in ("query", "path"):
            (query if one["in"] == "query" else in_path)[one["name"]] = structure(one["schema"])
            if one["in"] == "query" and one.get("required"):
                required.append(one["name"])
    cut: Json = {"method": method.upper(), "path": path, "in_path": in_path, "query": query}
    if required:
        cut["query_required"] = required
    if "requestBody" in found:
        body = resolved(document, found["requestBody"])
        cut["body"] = structure(body["content"]["application/json"]["schema"])
        cut["body_required"] = bool(body.get("required"))
    cut["responses"] = {}
    for status, answer in sorted(found["responses"].items()):
        content = resolved(document, answer).get("content", {})
        # A file and a folder are answered in one media type of GitHub's own.
        media = content.get("application/json") or next(iter(content.values()), None)
        cut["responses"][status] = structure(media["schema"]) if media else None
    return cut


def with_references(schemas: Json, start: Any) -> Json:
    """The schemas that `start` needs, directly or through others."""
    wanted: Json = {}
    queue = list(references(start))
    while queue:
        name = queue.pop().rsplit("/", 1)[-1]
        if name not in wanted:
            wanted[name] = structure(schemas[name])
            queue += references(wanted[name])
    return wanted


def api(document: Json) -> dict[str, Json]:
    """The operations we use, with the schemas they need."""
    operations = {
        found["operationId"]: operation(document, method, path, found)
        for path, methods in document["paths"].items()
        for method, found in methods.items()
        if isinstance(found, dict) and found.get("operationId") in OPERATIONS
    }
    if missing := set(OPERATIONS) - set(operations):
        raise SystemExit(f"the description has no {', '.join(sorted(missing))}")
    errors = [{"$ref": name} for name in ("basic-error", "validation-error-simple")]
    schemas = with_references(document["components"]["schemas"], [operations, errors])
    return {
        "source": {"title": document["info"]["title"], "version": document["info"]["version"]},
        "operations": operations,
        "schemas": schemas,
    }


def events(document: Json, examples: list[Json]) -> dict[str, Json]:
    """The events we use: their schemas, and one example of GitHub's own for each."""
    names = {f"{event}${action}" for event, actions in EVENTS.items() for action in actions}
    start = {name: structure(document["definitions"][name]) for name in names}
    found: dict[str, list[Json]] = {}
    for one in examples:
        for example in one["examples"]:
            name = f"{one['name']}${example.get('action', 'event')}"
            if name in names:
                found.setdefault(one["name"], []).append(example)
    # They are recordings of many years; the one with the most keys is the youngest.
    youngest = {event: unnamed(max(each, key=key_count)) for event, each in found.items()}
    return {
        "schemas": {**with_references(document["definitions"], start), **start},
        "examples": youngest,
    }


def unnamed(node: Any) -> Any:
    """Without the names and addresses of the people who were recorded."""
    if isinstance(node, list):
        return [unnamed(one) for one in node]
    if not isinstance(node, dict):
        return node
    hidden = {"name": "Somebody", "email": "somebody@example.com", "username": "somebody"}
    is_person = {"name", "email"} <= set(node)
    return {
        key: hidden[key] if is_person and key in hidden else unnamed(value)
        for key, value in node.items()
    }


def key_count(node: Any) -> int:
    """How many different keys there are, repetitions aside."""
    keys: set[str] = set()
    queue = [node]
    while queue:
        one = queue.pop()
        if isinstance(one, dict):
            keys |= set(one)
            queue += one.values()
        elif isinstance(one, list):
            queue += one
    return len(keys)


def write(parts: dict[str, Json], out: Path) -> None:
    """One line per named thing: small files, readable differences."""
    lines = ["{"]
    for at, (part, things) in enumerate(sorted(parts.items()), 1):
        lines.append(f" {json.dumps(part)}: {{")
        for number, (name, thing) in enumerate(sorted(things.items()), 1):
            text = json.dumps(thing, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
            lines.append(f"  {json.dumps(name)}: {text}{',' * (number < len(things))}")
        lines.append(" }" + "," * (at < len(parts)))
    out.write_text("\n".join([*lines, "}", ""]))


def main(arguments: list[str]) -> None:
    match arguments:
        case ["--events", schemas, examples, out]:
            written = events(
                json.loads(Path(schemas).read_text()), json.loads(Path(examples).read_text())
            )
            write(written, Path(out))
        case [description, out]:
            write(api(json.loads(Path(description).read_text())), Path(out))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
