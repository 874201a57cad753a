"""Makes the picture that the README shows of a comment: `python -m tests.report.pictures`. It
needs a browser and a font with emoji. `test_pictures.py` says when the picture has become old.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from assent.core.approval import Approvals
from assent.report.markdown import to_markdown
from tests.browser import opened
from tests.report import panel
from tests.report.rendered import html

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs/images"
PICTURE, SOURCE = IMAGES / "comment.png", IMAGES / "comment.txt"
WIDTH = 780
"""Of a comment on GitHub, in a wide window."""
STYLE = """
body { font: 14px/1.5 "Noto Sans", "Helvetica Neue", Arial, sans-serif; color: #1f2328; margin: 0 }
main { border: 1px solid #d1d9e0; border-radius: 6px; padding: 4px 16px 12px; margin: 12px }
h2 { font-size: 21px; border-bottom: 1px solid #d1d9e0b3; padding-bottom: 5px }
table { border-collapse: collapse } th, td { border: 1px solid #d1d9e0; padding: 6px 13px }
code { font-size: 85%; background: #818b981f; padding: 2px 5px; border-radius: 6px }
blockquote { color: #59636e; border-left: 4px solid #d1d9e0; padding: 0 1em; margin: 0 0 16px }
summary { cursor: pointer } a { color: #0969da }
"""


def comment() -> str:
    """The comment on a candidate that is worse in every metric while every gate has passed."""
    asked = Approvals(required=1, of=("alice", "@acme/ml"))  # as its gate says
    return to_markdown(msgspec.structs.replace(panel.all_worse(), approvals=asked))


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    SOURCE.write_text(comment())
    head = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>"
    with opened() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": 100}, device_scale_factor=2)
        page.set_content(f"{head}<main>{html(comment())}</main>")
        fold = page.locator("details").first.bounding_box()
        assert fold is not None
        page.set_viewport_size({"width": WIDTH, "height": round(fold["y"])})
        page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
