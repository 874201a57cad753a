"""The team's own pipeline, as its files say it: which jobs there are, and what lets them in.

The files are read, never run, and are taken for what anybody may have written: bounded in size,
depth and number, and never read outside the repository. Whatever is not read (a file of another
project, a component, an include with conditions) is named, so that nobody takes it for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from assent.parsing import ParseError, parse_yaml_with_tags

MAX_BYTES = 1024 * 1024
MAX_FILES = 30
MAX_PARENTS = 11
MAX_REFERENCES = 10
STAGES = ("build", "test", "deploy")
"""The stages of a pipeline that names none."""
_GLOBAL = {
    *("after_script", "before_script", "cache", "default", "image", "include", "services"),
    *("spec", "stages", "types", "variables", "workflow"),
}
FILE = ".gitlab-ci.yml"
MOVED = (".gitlab/ci.yml", ".gitlab/own-ci.yml")
"""Where the team's file goes when it is included beside Assent's, the first that is free."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: its condition, whether it keeps out, and whether it asks for more than that
    (`changes`, `exists`), which nobody can know before there is a change.
    """

    condition: str | None = None
    is_never: bool = False
    has_more: bool = False


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """`only` or `except`: the names in it, and whether it asks for more than names."""

    refs: tuple[str, ...] = ()
    has_more: bool = False


class TeamJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job of the team, and what lets it in."""

    name: str
    stage: str = "test"
    rules: tuple[Rule, ...] | None = None
    only: Policy | None = None
    excepted: Policy | None = None
    waits: bool = True
    """Whether it waits for the stages before it, because it has no `needs`."""

    @property
    def is_at_an_end(self) -> bool:
        """Whether its stage is one that makes no pipeline by itself."""
        return self.stage in (".pre", ".post")


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the team's pipeline. `included` are the entries of `include` as they stand
    in the first file, `unread` what was not read and why, `read` the files that were.
    """

    jobs: tuple[TeamJob, ...] = ()
    stages: tuple[str, ...] | None = None
    workflow: tuple[Rule, ...] | None = None
    tags: tuple[str, ...] = ()
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)
    included: tuple[Any, ...] = ()
    unread: tuple[str, ...] = ()
    read: tuple[str, ...] = ()

    @property
    def last_stage(self) -> str:
        """The last stage in which a job makes a pipeline. Where the stages may be named in what was
        not read, one that a job is in: that one is there.
        """
        known = self.stages or STAGES
        if self.stages is None and self.unread:
            used = {job.stage for job in self.jobs}
            known = (*sorted(used - {*STAGES}), *(stage for stage in STAGES if stage in used))
        ordinary = [stage for stage in known if stage not in (".pre", ".post")]
        return ordinary[-1] if ordinary else "test"


class _Reference(msgspec.Struct, frozen=True):
    """`!reference [job, key]`: what stands there."""

    path: tuple[str, ...]


def read_team(folder: Path, name: str, *, ours: Iterable[str] = ()) -> Team:
    """The pipeline of the file `name` below `folder`. Includes that end in one of `ours` are
    Assent's own, and no part of it.
    """
    reading = _Reading(folder, tuple(ours))
    whole = reading.file(name)
    resolved = _Whole(whole)
    jobs = tuple(
        _job(job, resolved.extended(job))
        for job, body in whole.items()
        if isinstance(body, dict) and not job.startswith(".") and job not in _GLOBAL
        if not reading.adds_to_ours(job, body)
    )
    default = whole.get("default")
    default = default if isinstance(default, dict) else {}
    workflow = whole.get("workflow")
    rules = workflow["rules"] if isinstance(workflow, dict) and "rules" in workflow else None
    return Team(
        jobs=jobs,
        stages=_names(whole["stages"]) if isinstance(whole.get("stages"), list) else None,
        workflow=None if rules is None else _rules(resolved.value(rules)),
        tags=_names(resolved.value(default.get("tags", whole.get("tags")))),
        variables=_variables(whole.get("variables")),
        included=tuple(reading.included),
        unread=tuple(reading.unread),
        read=tuple(reading.read),
    )


def bodies(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """Every job of the file `name` below `folder` as it is run: with what it extends, and what the
    pipeline says for all jobs.
    """
    whole = _Reading(folder, ()).file(name)
    resolved = _Whole(whole)
    default = whole.get("default")
    shared = {
        key: resolved.value(value)
        for mapping in (whole, default if isinstance(default, dict) else {})
        for key, value in mapping.items()
        if key in ("before_script", "image", "variables")
    }
    return {
        job: _merged(shared, resolved.extended(job))
        for job, body in whole.items()
        if isinstance(body, dict) and not job.startswith(".") and job not in _GLOBAL
    }


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Where the team's pipeline stands. `is_moved`: beside a file that includes Assent's."""

    name: str
    team: Team
    is_moved: bool


def find_team(folder: Path, *, ours: Iterable[str], is_ours: bool = False) -> Found | None:
    """The team's pipeline below `folder`, None if there is none. `is_ours`: the file that GitLab
    reads is Assent's own.
    """
    if (folder / FILE).exists() and not is_ours:
        team = read_team(folder, FILE, ours=ours)
        beside = [
            name for name in MOVED if any(_is_guarded(entry, name) for entry in team.included)
        ]
        if not beside:
            return Found(name=FILE, team=team, is_moved=False)
    else:
        beside = [name for name in MOVED if (folder / name).exists()]
    if not beside:
        return None
    team = read_team(folder, beside[0], ours=ours)
    return Found(name=beside[0], team=team, is_moved=True)


def _is_guarded(entry: Any, name: str) -> bool:
    return isinstance(entry, dict) and entry.get("local") == name and "rules" in entry


class _Reading:
    """Files of one repository, merged as GitLab does: what includes wins over what is included."""

    def __init__(self, folder: Path, ours: tuple[str, ...]) -> None:
        self._folder = folder.resolve()
        self._ours = ours
        self.included: list[Any] = []
        self.unread: list[str] = []
        self.read: list[str] = []

    def file(self, name: str) -> dict[str, Any]:
        """The text of a file as values, with what it includes."""
        own = self._values(name)
        entries = own.pop("include", None)
        entries = entries if isinstance(entries, list) else [] if entries is None else [entries]
        if len(self.read) == 1 and not self.included:
            self.included = entries
        merged: dict[str, Any] = {}
        for entry in entries:
            merged = _merged(merged, self._entry(entry))
        return _merged(merged, own)

    def _entry(self, entry: Any) -> dict[str, Any]:
        path = entry.get("local") if isinstance(entry, dict) else entry
        if isinstance(entry, dict) and self._is_ours(entry):
            return {}
        is_plain = isinstance(path, str) and "://" not in path and not set(path) & set("$*?[")
        if not is_plain or (isinstance(entry, dict) and "rules" in entry):
            self.unread.append(_shown(entry))
            return {}
        name = str(path).lstrip("/")
        return {} if name in self.read else self.file(name)

    def adds_to_ours(self, job: str, body: Mapping[str, Any]) -> bool:
        """Whether a job only adds to one of Assent's: it is called as that is, and runs nothing."""
        for entry in self.included:
            if "script" not in body and isinstance(entry, dict) and self._is_ours(entry):
                inputs = entry.get("inputs")
                given = inputs.get("job-prefix") if isinstance(inputs, dict) else None
                if job.startswith(f"{given if isinstance(given, str) else 'assent'}-"):
                    return True
        return False

    def _is_ours(self, entry: dict[Any, Any]) -> bool:
        place = next((entry[key] for key in ("local", "file") if key in entry), None)
        return isinstance(place, str) and place.lstrip("/").endswith(self._ours or ("\0",))

    def _values(self, name: str) -> dict[str, Any]:
        try:
            values = parse_yaml_with_tags(self._bytes(name), {"!reference": _reference})
        except ParseError as error:
            self.unread.append(f"{name}: {error}")
            return {}
        if isinstance(values, dict):
            return {str(key): value for key, value in values.items()}
        self.unread += [] if values is None else [f"{name}: not a mapping"]
        return {}

    def _bytes(self, name: str) -> bytes:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise ParseError("outside the repository")
        if len(self.read) >= MAX_FILES:
            raise ParseError(f"more than {MAX_FILES} files")
        self.read.append(name)
        try:
            with path.open("rb") as file:
                text = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ParseError(error.strerror or "cannot be read") from None
        if len(text) > MAX_BYTES:
            raise ParseError(f"larger than {MAX_BYTES // 1024} KiB")
        return text


class _Whole:
    """The merged configuration, to look up what a job extends and refers to."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self._whole = whole

    def extended(self, name: str, depth: int = 0) -> dict[str, Any]:
        """A job with what it extends."""
        own = self._whole.get(name)
        if not isinstance(own, dict) or depth > MAX_PARENTS:
            return {}
        made: dict[str, Any] = {}
        for parent in _names(own.get("extends")):
            made = _merged(made, self.extended(parent, depth + 1))
        return {key: self.value(value) for key, value in _merged(made, own).items()}

    def value(self, value: Any, depth: int = 0) -> Any:
        """A value with what it refers to; lists in lists become one."""
        if isinstance(value, _Reference):
            node: Any = self._whole
            for part in value.path:
                node = node.get(part) if isinstance(node, dict) else None
            return None if depth > MAX_REFERENCES else self.value(node, depth + 1)
        if isinstance(value, list):
            made = [self.value(item, depth) for item in value]
            return [
                entry for item in made for entry in (item if isinstance(item, list) else [item])
            ]
        return value


def _reference(parts: list[Any]) -> _Reference:
    return _Reference(tuple(str(part) for part in parts))


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key, anything else is replaced. Depth is bounded by the reader."""
    made = dict(below)
    for key, value in above.items():
        old = made.get(key)
        is_deeper = isinstance(old, dict) and isinstance(value, dict)
        made[key] = _merged(dict(old or {}), value) if is_deeper else value
    return made


def _job(name: str, body: Mapping[str, Any]) -> TeamJob:
    stage = body.get("stage")
    return TeamJob(
        name=name,
        stage=stage if isinstance(stage, str) else "test",
        rules=_rules(body["rules"]) if "rules" in body else None,
        only=_policy(body["only"]) if "only" in body else None,
        excepted=_policy(body["except"]) if "except" in body else None,
        waits="needs" not in body,
    )


def _rules(value: Any) -> tuple[Rule, ...]:
    return (
        tuple(_rule(rule) for rule in value) if isinstance(value, list) else (Rule(has_more=True),)
    )


def _rule(value: Any) -> Rule:
    if not isinstance(value, dict):
        return Rule(has_more=True)
    condition = value.get("if")
    is_odd = "if" in value and not isinstance(condition, str)
    return Rule(
        condition=condition if isinstance(condition, str) else None,
        is_never=value.get("when") == "never",
        has_more=is_odd or bool({"changes", "exists"} & set(value)),
    )


def _policy(value: Any) -> Policy:
    if isinstance(value, dict):
        more = set(value) - {"refs"}
        return Policy(refs=_names(value.get("refs")), has_more=bool(more))
    return Policy(refs=_names(value))


def _names(value: Any) -> tuple[str, ...]:
    listed: Iterable[Any] = value if isinstance(value, list) else [value]
    return tuple(str(name) for name in listed if isinstance(name, str | int | float))


def _variables(value: Any) -> dict[str, str]:
    return dict(_texts(value)) if isinstance(value, dict) else {}


def _texts(value: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for name, variable in value.items():
        text = variable.get("value") if isinstance(variable, dict) else variable
        if isinstance(name, str) and isinstance(text, str | int | float):
            yield name, str(text)


def _shown(entry: Any) -> str:
    """An include that is not read, in a few words."""
    if not isinstance(entry, dict):
        return f"include {str(entry)[:80]}"
    kind = next((key for key in ("project", "remote", "template", "component") if key in entry), "")
    place = entry.get("local", entry.get(kind, ""))
    return f"include {kind or 'local'} {str(place)[:80]}" + (" with rules" * ("rules" in entry))
