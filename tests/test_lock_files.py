"""The lock: whole, within the bounds, with hashes, and without any address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
LEFT_OUT = {"torch"}
"""script/setup says why."""

every_file = pytest.mark.parametrize("path", sorted(PLACE.iterdir()), ids=lambda path: path.name)
every_python = pytest.mark.parametrize("python", PYTHONS)


def locked(*names: str, python: str) -> dict[str, Version]:
    """What the files of these names give to a Linux machine with that Python."""
    machine = {
        "python_version": python,
        "python_full_version": f"{python}.5",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "platform_machine": "x86_64",
    }
    found: dict[str, Version] = {}
    for name in names:
        text = (PLACE / f"{name}.txt").read_text().replace("\\\n", "")
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            one = Requirement(line.partition("--hash=")[0])
            [pin] = one.specifier
            assert pin.operator == "=="
            if one.marker is None or one.marker.evaluate(machine):
                key, version = canonicalize_name(one.name), Version(pin.version)
                assert found.setdefault(key, version) == version, f"{key} in {names}"
    return found


def wanted(extra: str) -> list[Requirement]:
    """What an extra asks for, those that it names included."""
    found = []
    for one in map(Requirement, EXTRAS[extra]):
        if one.name == PROJECT["project"]["name"]:
            found += [inner for name in sorted(one.extras) for inner in wanted(name)]
        else:
            found.append(one)
    return found


def test_there_is_one_file_for_assent_and_one_for_each_extra() -> None:
    assert {path.name for path in PLACE.iterdir()} == {
        f"{name}.txt" for name in ("base", "lowest", *EXTRAS)
    }


@every_file
def test_every_requirement_has_hashes(path: Path) -> None:
    text = path.read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line), line[:60]


@every_file
def test_no_address_stands_in_it(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"://|www\.|index-url|find-links|trusted-host|\.(org|com|io|net)\b", text)
    assert text.count("\n-") == 0, "an option of pip"


@every_python
def test_what_assent_needs_is_within_its_bounds(python: str) -> None:
    base = locked("base", python=python)
    build = PROJECT["build-system"]["requires"]
    for one in map(Requirement, [*PROJECT["project"]["dependencies"], *build]):
        assert one.specifier.contains(base[canonicalize_name(one.name)]), one.name


@every_python
@pytest.mark.parametrize("extra", EXTRAS)
def test_what_an_extra_needs_is_within_its_bounds(extra: str, python: str) -> None:
    found = locked("base", extra, python=python)
    for one in wanted(extra):
        if one.name not in LEFT_OUT:
            assert one.specifier.contains(found[canonicalize_name(one.name)]), one.name


@every_python
def test_every_combination_of_extras_is_one_choice(python: str) -> None:
    everything = locked("base", *EXTRAS, python=python)
    assert everything == locked("base", "dev", python=python)


def test_what_is_left_out_is_installed_by_the_setup() -> None:
    everything = locked("base", *EXTRAS, python="3.12")
    assert not [name for name in everything if re.match("torch$|triton|nvidia|cuda", name)]
    assert "install_torch" in (ROOT / "script/setup").read_text()


def test_the_lowest_are_the_lowest() -> None:
    """Each bound is a version that the tests run with, and no number that was once written down."""
    found = locked("lowest", python="3.11")
    extras = [one for name in EXTRAS if name not in ("dev", "spark") for one in wanted(name)]
    for one in [*map(Requirement, PROJECT["project"]["dependencies"]), *extras]:
        [bound] = [Version(pin.version) for pin in one.specifier if pin.operator == ">="]
        lowest = found[canonicalize_name(one.name)]
        assert lowest.release[: len(bound.release)] == bound.release, one.name


@pytest.mark.parametrize(
    "page", ["README.md", "docs/diffs.md", "docs/github.md", "docs/gitlab.md", "docs/actions.md"]
)
def test_every_extra_that_the_documents_name_is_locked(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(r"assent(?:-ml)?\[([a-z,]+)\]", text)
    named += re.findall(r'EXTRAS: "?([a-z,]+)', text)
    for extras in named:
        assert {*extras.split(",")} <= {*EXTRAS}, extras
