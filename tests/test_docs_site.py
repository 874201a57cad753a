"""The documents make a site; it is made with what develops Assent, and not with what runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.test_docs import PAGES, ROOT


def test_the_documents_make_a_site_in_which_every_link_leads_somewhere(tmp_path: Path) -> None:
    site = tmp_path / "site"
    build = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--conf-dir", "docs"]
    done = subprocess.run(
        [*build, "--doctree-dir", str(tmp_path / "trees"), ".", str(site)],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "default"},  # of what its own libraries do
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = {path.relative_to(ROOT).with_suffix(".html") for path in PAGES}
    assert {path.relative_to(site) for path in site.rglob("*.html")} >= pages
    assert (site / "index.html").read_bytes() == (site / "README.html").read_bytes()
