"""What people keep in the folders of outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.making.keepsakes import Keepsakes, beside_outputs, is_document


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("README.md", True),
        ("model/readme", True),
        ("README_zh-CN.md", True),
        ("LICENSE", True),
        ("LICENSE-MIT.txt", True),
        ("model_card.md", True),
        ("CITATION.cff", True),
        ("weights.txt", False),
        ("vocab.txt", False),
        ("prompts/system.md", False),
        ("readme.bin", False),
        ("README.py", False),
        ("license_plates.csv", False),
        ("notice.json", False),
    ],
)
def test_what_is_for_people(name: str, is_one: bool) -> None:
    assert is_document(name) is is_one


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_what_lies_beside_outputs(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "model/README.md", "model/a/.gitkeep", "model/weights")
    write(tmp_path, "out/.gitkeep", "out/m.json", "out/deep/LICENSE", "plots/.gitignore")
    write(tmp_path, "model/.git/README.md")
    found = beside_outputs(tmp_path, ["model", "out/m.json", "plots/*.png", "new/x", "m.json"])
    assert found == ["model/README.md", "model/a/.gitkeep", "out/.gitkeep", "plots/.gitignore"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.json", []),
        ("out/*.json", ["out/README.md"]),
        ("out/*/*.json", ["out/README.md", "out/a/README.md", "out/a/b/README.md"]),
        ("out/**", ["out/README.md", "out/a/README.md", "out/a/b/README.md"]),
        ("out/*/", ["out/README.md", "out/a/README.md", "out/a/b/README.md"]),
        ("out", ["out/README.md", "out/a/README.md", "out/a/b/README.md"]),
    ],
)
def test_a_glob_of_files_reaches_no_further_than_their_folder(
    tmp_path: Path, pattern: str, found: list[str]
) -> None:
    write(tmp_path, "README.md", "out/README.md", "out/a/README.md", "out/a/b/README.md")
    write(tmp_path, "out/env/pyvenv.cfg", "out/env/lib/LICENSE", "docs/README.md")
    assert beside_outputs(tmp_path, [pattern]) == found


def test_what_a_command_takes_away_comes_back(tmp_path: Path) -> None:
    write(tmp_path, "model/README.md", "model/a/.gitkeep", "model/b/.gitkeep")
    (tmp_path / "model/README.md").chmod(0o755)
    known = Keepsakes(tmp_path, ["model/README.md", "model/a/.gitkeep", "model/b/.gitkeep", "no"])
    (tmp_path / "model/README.md").unlink()
    (tmp_path / "model/a/.gitkeep").unlink()
    (tmp_path / "model/a").rmdir()
    (tmp_path / "model/a").write_text("in the way")
    (tmp_path / "model/b/.gitkeep").write_text("another")
    assert known.restore() == ["model/README.md"]
    assert (tmp_path / "model/README.md").read_text() == "model/README.md"
    assert (tmp_path / "model/README.md").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "model/a").read_text() == "in the way"
    assert (tmp_path / "model/b/.gitkeep").read_text() == "another"
