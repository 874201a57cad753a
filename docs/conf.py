"""How Sphinx makes the site of the documents (`script/docs`). The pages are those that people read
in the repository, in their places, so that every link leads where it leads there; what links to
nothing ends the build.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sphinx.application import Sphinx

project = "Assent"
project_copyright = "the authors of Assent"
root_doc = "README"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/*.md",
    "docs/*/*.md",
]
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "Assent"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
nitpicky = True

CHAPTERS = {
    "For you": [
        *("docs/roles/data-scientist", "docs/roles/reviewer", "docs/roles/release-manager"),
        *("docs/audit", "docs/roles/platform-engineer"),
    ],
    "Set up": ["docs/github", "docs/gitlab", "docs/forges", "docs/layouts", "docs/stores"],
    "How to": [
        *("docs/how-to/README", "docs/recipes/README", "docs/site", "docs/troubleshooting"),
        "docs/faq",
    ],
    "Reference": [
        *("docs/cli", "docs/configuration", "docs/diffs", "docs/statistics", "docs/actions"),
        *("docs/templates", "docs/api", "docs/formats", "docs/stability"),
    ],
    "Why": [
        *("docs/comparison", "docs/threats", "docs/benchmarks", "docs/decisions/README"),
        *("CONTRIBUTING", "CHANGELOG", "SECURITY"),
    ],
}
"""The contents, by chapter. A page that is in none of them ends the build."""

BELOW = ("docs/how-to/README", "docs/recipes/README", "docs/decisions/README")
"""Pages that list what lies beside them."""


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Give the first page the contents, and lists of pages what they list."""
    if page == root_doc:
        for title, pages in CHAPTERS.items():
            source[0] += _toctree(pages, f":caption: {title}\n:maxdepth: 1\n")
    elif page in BELOW:
        folder = Path(page).parent
        beside = sorted(path.stem for path in (Path(app.srcdir) / folder).glob("*.md"))
        source[0] += _toctree([name for name in beside if name != "README"])


def add_beginning(app: Sphinx, error: Exception | None) -> None:
    """Begin where whoever opens the folder begins."""
    if error is None:
        shutil.copyfile(Path(app.outdir) / f"{root_doc}.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> None:
    """See Sphinx: what it calls first."""
    app.connect("source-read", add_contents)
    app.connect("build-finished", add_beginning)


def _toctree(pages: list[str], options: str = "") -> str:
    return "\n\n```{toctree}\n:hidden:\n" + options + "\n" + "\n".join(pages) + "\n```\n"
