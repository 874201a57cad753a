"""The site of a real project: its ledger in Git, its store in a folder, its files as they are."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.project import Project


def test_a_colleague_without_a_clone_sees_what_is_where(second: Project, tmp_path: Path) -> None:
    target = tmp_path / "site"
    ran = second.run("site", "--to", str(target))
    assert ran.stdout.splitlines()[-1] == f"open {target / 'index.html'}"
    [model] = [path.name for path in (target / "models").iterdir()]
    version = (target / "models" / model / "v1.html").read_text()
    assert "Gates as they stood when it was registered" in version
    assert "Have it again" in version
    compared = (target / "models" / model / "v2.js").read_text()
    assert compared.startswith("assent.version(2,")
    again = json.loads(second.run("site", "--to", str(target), "--json").stdout)
    assert set(again["written"]) <= {"index.html"}  # it says when it was made
    assert again["code"] == 0


def test_what_cannot_be_written_is_said_with_what_to_do(second: Project, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("x")
    ran = second.run("site", "--to", str(tmp_path / "mine"), code=2)
    assert "holds something else" in ran.stderr
    assert "hint: name a new or empty folder" in ran.stderr
