"""Scripts in languages that are not parsed: what their plain calls name, and that it is not all."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from assent.setup.file_kinds import kind_of, model_score
from assent.setup.seen import Kind, Step, Trace
from assent.setup.tree import Tree

LANGUAGES = {".r": "R", ".rmd": "R", ".jl": "Julia"}
LOCKS = {
    "R": ("renv.lock", "packrat/packrat.lock", "DESCRIPTION"),
    "Julia": ("Manifest.toml", "Project.toml"),
}
MAX_FOUND = 50

_TEXT = r"[\"']([^\"'\n$]{1,300})[\"']"
_SOURCES = re.compile(rf"\b(?:source|sys\.source|include)\(\s*{_TEXT}")
_READS = re.compile(
    r"\b(?:read\.(?:csv2?|table|delim)|read_(?:csv2?|tsv|delim|rds|excel|parquet|feather|json)|"
    r"fread|readRDS|load|fromJSON|read_yaml|yaml\.load_file|readLines|vroom|CSV\.File|CSV\.read|"
    rf"readdlm|JSON\.parsefile|YAML\.load_file|BSON\.load|deserialize)\(\s*(?:file\s*=\s*)?{_TEXT}"
)
_SAVES = re.compile(
    rf"\b(?:saveRDS|write_rds|qsave|xgb\.save)\([^\n]{{0,200}}?{_TEXT}|\bBSON\.@save\s*\(?\s*{_TEXT}|"
    rf"\bserialize\(\s*{_TEXT}|\b(?:jldsave|JLD2\.@save|@save)\s*\(?\s*{_TEXT}"
)
_WRITES = re.compile(
    r"\b(?:write\.(?:csv2?|table)|write_(?:csv2?|tsv|json|yaml|parquet)|fwrite|ggsave|writeLines|"
    rf"CSV\.write|JSON\.print|png|pdf)\((?:[^\n\"']{{0,200}}?)?{_TEXT}"
)


def language_of(path: str) -> str | None:
    """The language of a script that is not parsed; None for any other."""
    return LANGUAGES.get(posixpath.splitext(path)[1].lower())


def foreign_step(tree: Tree, path: str, folder: str = "") -> Step:
    """What the plain calls of a script and of those that it includes name, if it runs there."""
    language = language_of(path) or posixpath.splitext(path)[1].lstrip(".")
    scripts = list(_included(tree, path, folder))
    reads: dict[str, Trace] = {}
    writes: dict[str, Trace] = {}
    for script in scripts:
        text = tree.text(script)
        for kind, name in _named(text):
            where = _below(folder, name)
            if where is None:
                continue
            if kind == "read":
                trace = Trace(path=where, kind=kind_of(where), why=f"{script} reads it", by=script)
                reads.setdefault(where, trace)
            else:
                is_model = kind == "model" and model_score(where) >= 0
                its: Kind = "model" if is_model else kind_of(where)
                writes.setdefault(
                    where, Trace(path=where, kind=its, why=f"{script} writes it", by=script)
                )
    homes = dict.fromkeys(["", folder, posixpath.dirname(path)])
    locks = [
        where
        for home in homes
        for name in LOCKS.get(language, ())
        if tree.is_file(where := posixpath.join(home, name))
    ]
    return Step(
        name=posixpath.splitext(posixpath.basename(path))[0],
        command="",
        why=path,
        scripts=tuple(scripts),
        reads=(
            *reads.values(),
            *(Trace(path=lock, kind="data", why="the packages") for lock in locks),
        ),
        writes=tuple(writes.values()),
        notes=(not_read(language, path),),
        is_unread=True,
    )


def not_read(language: str, path: str) -> str:
    """What a person has to do where a script is in a language that is not parsed."""
    return f"{language} is not read: list under `inputs` every file that {path} reads"


def _included(tree: Tree, path: str, folder: str) -> Iterator[str]:
    """The script and all that it includes, as far as it names them and they are there."""
    seen: dict[str, None] = {path: None}
    waiting = [path]
    while waiting and len(seen) <= MAX_FOUND:
        here = waiting.pop()
        for match in _SOURCES.finditer(tree.text(here)):
            places = (folder, posixpath.dirname(here))
            wheres = [_below(place, match[1]) for place in places]
            there = next((place for place in wheres if place and tree.is_file(place)), None)
            if there is not None and there not in seen:
                seen[there] = None
                waiting.append(there)
    return iter(seen)


def _named(text: str) -> Iterator[tuple[str, str]]:
    for kind, pattern in (("read", _READS), ("model", _SAVES), ("write", _WRITES)):
        for _, match in zip(range(MAX_FOUND), pattern.finditer(text), strict=False):
            yield kind, next(name for name in match.groups() if name)


def _below(folder: str, name: str) -> str | None:
    if name.startswith(("/", "~")) or "://" in name or "\\" in name:
        return None
    path = posixpath.normpath(posixpath.join(folder, name))
    return None if path.startswith("..") or path == "." else path
