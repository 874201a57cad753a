"""That no code which says something of a model is left out of what stands for that code."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import grimp
import pytest

import assent
from assent.measure.models import inspecting_code
from assent.measure.models.inspector import LIBRARIES, SOURCES, digest_of_code

PACKAGE = Path(assent.__file__).parent
SAYS_NOTHING = (
    *("assent.errors", "assent.git", "assent.measure.lockfiles", "assent.measure.patterns"),
    *("assent.core.evidence", "assent.core.identity", "assent.core.profile"),
)
"""What the readers of models import, or their imports do, for its types or for other work."""


def below(module: str, names: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def test_it_stands_for_all_that_an_inspection_follows_from() -> None:
    graph = grimp.build_graph("assent", include_external_packages=True)
    formats = {one for one in graph.modules if one.startswith("assent.measure.models.formats.")}
    roots = {"assent.measure.models.inspection", *formats}
    used = roots.union(*(graph.find_upstream_modules(one) for one in roots))
    named = tuple(f"assent.{one.removesuffix('.py').replace('/', '.')}" for one in SOURCES)
    ours = {one for one in used if below(one, ("assent",))}
    assert {one for one in ours if not below(one, (*named, *SAYS_NOTHING))} == set()
    imported = {
        other
        for one in ours
        if below(one, named)
        for other in graph.find_modules_directly_imported_by(one)
    }
    assert {
        one
        for one in imported
        if not below(one, ("assent",)) and one not in sys.stdlib_module_names
    } == set(LIBRARIES)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for source in SOURCES:
        place = tmp_path / source
        place.parent.mkdir(parents=True, exist_ok=True)
        if (PACKAGE / source).is_dir():
            shutil.copytree(PACKAGE / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PACKAGE / source, place)
    return tmp_path


@pytest.mark.parametrize("source", SOURCES)
def test_other_code_has_another_digest(copy: Path, source: str) -> None:
    before = digest_of_code(copy)
    assert before == digest_of_code(PACKAGE) == inspecting_code()
    place = copy / source
    if place.is_dir():
        place = place / "formats" / "pickles.py"
    place.write_text(place.read_text() + "\n# as it is tomorrow\n")
    assert digest_of_code(copy) != before


def test_code_that_is_not_at_hand_has_none(tmp_path: Path) -> None:
    assert digest_of_code(tmp_path) is None
