"""Lock files, requirements and conda environments as packages with their versions.

Only what is pinned has a version here: a range says what may be installed, not what was.
Sources: the Python packaging specifications (version specifiers, dependency specifiers,
`pylock.toml`), pip's requirements file format, conda's explicit and `environment.yml` files, and
the lock files of uv, Poetry, Pipenv and conda-lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from assent import parsing
from assent.measure.redaction import redact_text
from assent.parsing import ParseError

Include = Callable[[str], bytes | None]
"""Gives a file that another one names, relative to the folder of the first; None: not there."""
Pins = Iterator[tuple[Any, Any]]
"""Name and version, as the file has them."""

MAX_INCLUDED = 100
MAX_LINES = 200_000

_PINNED = re.compile(
    r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?\s*===?\s*([^\s;,#*\\()]+)\s*\)?\s*"
    r"(?:$|[;#\\]|--|\s-)"
)
_DIRECT = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*@\s*(\S+)")
_INCLUDED = re.compile(r"(?:-r|--requirement)(?:\s+|=|(?<=-r))(\S+)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)(\S+)")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][\w.-]*)")
_WHEEL = re.compile(r"/([A-Za-z0-9][\w.]*)-([\w.!+]+)-[\w.]+-[\w.]+-[\w.]+\.whl(?:#.*)?$")
_CONDA = re.compile(r"(?:[^:\s]+::)?([\w.-]+)\s*==?\s*([\w.!+]+)(?:[=\s].*)?")


def normalised(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def by_name(packages: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Versions by normalised name, sorted. A lock file may hold several versions of a package,
    for several platforms: all are named.
    """
    versions: dict[str, list[str]] = {}
    for name, version in packages:
        if isinstance(name, str) and isinstance(version, str):
            known = versions.setdefault(normalised(name), [])
            if version not in known:
                known.append(version)
    return {name: ", ".join(versions[name]) for name in sorted(versions)}


def reader_of(name: str) -> Callable[[bytes, Include], Pins] | None:
    """What reads the packages of a file of this name; None if it is no file of packages."""
    plain = PurePosixPath(name).name.lower()
    if plain in _READERS:
        return _READERS[plain]
    for pattern, read in _PATTERNS:
        if pattern.fullmatch(plain):
            return read
    return None


def pins(name: str, content: bytes, include: Include | None = None) -> dict[str, str]:
    """The pinned packages of a file of packages. Raises `ParseError` for one that is none."""
    read = reader_of(name)
    try:
        return {} if read is None else by_name(read(content, include or _nothing))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, ParseError):
            raise
        raise ParseError("it is not laid out as a file of packages of this name is") from None


def _nothing(name: str) -> None:
    del name


def _lock(content: bytes, include: Include) -> Pins:
    """`uv.lock` and `poetry.lock`."""
    del include
    for package in parsing.parse_toml(content)["package"]:
        yield package["name"], package.get("version")


def _pylock(content: bytes, include: Include) -> Pins:
    del include
    for package in parsing.parse_toml(content)["packages"]:
        yield package["name"], package.get("version")


def _pipfile(content: bytes, include: Include) -> Pins:
    del include
    for name, package in parsing.parse_json(content)["default"].items():
        yield name, str(package.get("version", "")).removeprefix("==") or None


def _conda_lock(content: bytes, include: Include) -> Pins:
    """`conda-lock.yml`: one entry for each platform."""
    del include
    for package in parsing.parse_yaml(content)["package"]:
        yield package["name"], str(package["version"])


def _requirements(content: bytes, include: Include) -> Pins:
    """Pinned lines (`name==version`), those with an address, and files that are included."""
    waiting = [content]
    seen: set[str] = set()
    while waiting:
        for line in _lines(waiting.pop()):
            if (match := _INCLUDED.match(line)) and match[1] not in seen:
                seen.add(match[1])
                more = include(match[1]) if len(seen) <= MAX_INCLUDED else None
                waiting += [] if more is None else [more]
            elif archive := _conda_archive(line):
                yield archive
            else:
                yield from _requirement(line)


def _lines(content: bytes) -> Iterator[str]:
    """Logical lines without comments: a backslash at the end joins the next one."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"not UTF-8 text (byte {error.start})") from None
    if text.count("\n") > MAX_LINES:
        raise ParseError(f"more than {MAX_LINES:,} lines")
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        # One space at most: patterns that meet long white space take the cube of its length.
        bare = " ".join(re.sub(r"(?:^|\s)#.*$", "", line).split())
        if bare:
            yield bare


def _conda_archive(line: str) -> tuple[str, str] | None:
    """Name and version of an address in conda's explicit list: `…/name-version-build.conda`."""
    address, _, _ = line.partition("#")
    if "://" not in address or not address.endswith((".conda", ".tar.bz2")):
        return None
    parts = address.rsplit("/", 1)[-1].rsplit("-", 2)
    return (parts[0], parts[1]) if len(parts) == 3 else None


def _requirement(line: str) -> Pins:
    if match := _PINNED.match(line):
        yield match[1], match[2]
    elif match := _EDITABLE.match(line):
        if name := _EGG.search(match[1]):
            yield name[1], _address(match[1])
    elif match := _DIRECT.match(line):
        wheel = _WHEEL.search(match[2])
        yield match[1], wheel[2] if wheel else _address(match[2])


def _address(text: str) -> str:
    return redact_text(re.sub(r"//[^/@\s]*@", "//", text))[:200]


def _conda_environment(content: bytes, include: Include) -> Pins:
    """`environment.yml`: `name=version=build`, and pip's own list inside."""
    for line in parsing.parse_yaml(content)["dependencies"]:
        if isinstance(line, dict):
            lines = "\n".join(map(str, line.get("pip", ()))).encode()
            yield from _requirements(lines, include)
        elif match := _CONDA.fullmatch(" ".join(str(line).split())):
            yield match[1], match[2]


def _python_environment(content: bytes, include: Include) -> Pins:
    """`python_env.yaml` of MLflow."""
    environment = parsing.parse_yaml(content)
    yield "python", environment.get("python")
    for key in ("build_dependencies", "dependencies"):
        yield from _requirements("\n".join(map(str, environment.get(key) or ())).encode(), include)


_READERS: dict[str, Callable[[bytes, Include], Pins]] = {
    "uv.lock": _lock,
    "poetry.lock": _lock,
    "pylock.toml": _pylock,
    "pipfile.lock": _pipfile,
    "conda-lock.yml": _conda_lock,
    "conda-lock.yaml": _conda_lock,
    "python_env.yaml": _python_environment,
    "requirements.lock": _requirements,
    "requirements.txt": _requirements,
    "requirements.freeze": _requirements,
}
_PATTERNS = (
    (re.compile(r"pylock\.[^.]+\.toml"), _pylock),
    (re.compile(r"(?:requirements|constraints)[\w.-]*\.(?:txt|lock|in)"), _requirements),
    (re.compile(r"[\w.-]*(?:requirements|freeze)\.txt"), _requirements),
    (re.compile(r"conda[\w.-]*\.(?:lock|txt)"), _requirements),
    (re.compile(r"(?:conda|environment)[\w.-]*\.ya?ml"), _conda_environment),
)
