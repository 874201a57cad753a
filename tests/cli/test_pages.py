"""Pages that hints name are there for whoever reads the hint."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from assent.cli import pages
from assent.cli.pages import with_pages
from tests.builders import new_repository

ROOT = Path(__file__).parents[2]


def test_a_page_is_named_by_where_it_lies() -> None:
    told = with_pages("log in: docs/stores.md says how")
    page = Path(told.removeprefix("log in: ").removesuffix(" says how"))
    assert page.is_absolute()
    assert page.read_bytes() == (ROOT / "docs/stores.md").read_bytes()


def test_beside_the_package_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stores.md").write_text("x")
    monkeypatch.setattr(pages, "FOLDERS", (tmp_path, *pages.FOLDERS))
    assert with_pages("docs/stores.md") == str(tmp_path / "stores.md")


@pytest.mark.parametrize("text", ["docs/nothing.md", "my/docs/stores.md", "docs/../stores.md", ""])
def test_what_is_no_page_stays(text: str) -> None:
    assert with_pages(text) == text


def test_every_page_that_a_message_names_is_one() -> None:
    named = {
        page
        for path in (ROOT / "src/assent").rglob("*.py")
        for page in re.findall(r"(?<![\w/.])docs/([a-z]+\.md)", path.read_text())
        if "measure/models/formats" not in str(path)
    }
    assert len(named) > 3
    assert sorted(page for page in named if not (ROOT / "docs" / page).is_file()) == []


def test_the_hint_of_an_error_names_a_page_that_is_there(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "work")
    (folder / "assent.yaml").write_text("modles: {}\n")
    command = [sys.executable, "-m", "assent", "status"]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    match = re.search(r"hint: (\S+) describes every key", told.stderr)
    assert match is not None, told.stderr
    assert Path(match[1]).is_file()
