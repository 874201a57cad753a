"""The full report as a browser opens it, and the comment as a forge shows it: what is seen first,
on a phone and on a desk, light and dark.
"""

from __future__ import annotations

import html as markup
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from assent.report.html import to_html
from assent.report.markdown import to_markdown
from assent.report.review import ReviewReport
from tests import browser as browsers

from . import charted, samples
from .nasty import TEXTS
from .panel import PANEL
from .rendered import html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page, ViewportSize

Scheme = Literal["light", "dark"]
AXE = Path(__file__).parent / "site/runner/node_modules/axe-core/axe.min.js"
PHONE: ViewportSize = {"width": 390, "height": 844}
SCREENS = 2
REPORTS: dict[str, Callable[[], ReviewReport]] = {**PANEL, "charted": charted.rich}
FORGE = """<!DOCTYPE html><meta name="viewport" content="width=device-width"><style>
body { margin: 0; padding: 16px; font: 14px/1.5 "Noto Sans", Helvetica, Arial, sans-serif; }
body { overflow-wrap: break-word; }
h2 { font-size: 1.5em; line-height: 1.25; margin: 24px 0 16px; padding-bottom: .3em; }
h2 { border-bottom: 1px solid; }
h3 { font-size: 1.25em; line-height: 1.25; margin: 24px 0 16px; }
p, ul, table, details { margin: 0 0 16px; } ul { padding-left: 2em; } li + li { margin-top: .25em; }
code { font: 85%/1.5 monospace; padding: .2em .4em; white-space: break-spaces; }
table { display: block; width: max-content; max-width: 100%; overflow: auto; }
table { border-collapse: collapse; }
th, td { padding: 6px 13px; border: 1px solid; }
</style>"""
"""What GitHub does to a comment, as far as it decides how much of it a screen holds."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.opened() as opened:
        yield opened


def opened(browser: Browser, content: str, **words: Any) -> tuple[Page, list[str]]:
    """A page with some content, and everything that it should not have done."""
    page = browser.new_context(**words).new_page()
    wrongs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        wrongs.append("dialog")
        dialog.dismiss()

    page.on("console", lambda told: wrongs.append(f"{told.type}: {told.text}"))
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on("request", lambda asked: wrongs.append(asked.url))
    page.on("dialog", dismiss)
    page.set_content(content)
    wrongs[:] = [wrong for wrong in wrongs if not wrong.startswith(("about:", "data:"))]
    return page, wrongs


@pytest.mark.parametrize("name", PANEL)
def test_a_comment_is_two_screens_of_a_phone_before_anything_is_folded(
    browser: Browser, name: str
) -> None:
    page, _ = opened(browser, FORGE + html(to_markdown(PANEL[name]())), viewport=PHONE)
    fold = page.locator("details").first.bounding_box()
    assert fold is not None
    assert fold["y"] <= SCREENS * PHONE["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_no_report_is_wider_than_its_screen_or_does_what_it_should_not(
    browser: Browser, width: int, scheme: Scheme
) -> None:
    for name, make in REPORTS.items():
        page, wrongs = opened(
            browser,
            to_html(make()),
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert wrongs == [], name
        page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["all worse", "blocked by five", "crowded and blocked", "charted"])
def test_nobody_stumbles_over_a_report(browser: Browser, name: str, scheme: Scheme) -> None:
    """Contrast, names, headings, tables and keyboard, by axe-core."""
    page, _ = opened(
        browser, to_html(REPORTS[name]()), color_scheme=scheme, bypass_csp=True,
        viewport={"width": 1440, "height": 900},
    )  # fmt: skip
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.add_script_tag(content=AXE.read_text())
    told = page.evaluate("axe.run().then((outcome) => outcome.violations)")
    faults = [(rule["id"], [node["html"][:200] for node in rule["nodes"][:3]]) for rule in told]
    assert faults == []
    page.context.close()


def test_a_table_is_filtered_and_sorted_with_the_rows_that_stand_in_none(browser: Browser) -> None:
    content = to_html(samples.big(metrics=1_000, slices=49, params=0))
    assert len(content.encode()) <= 1_500_000
    page, wrongs = opened(browser, content)
    page.locator("summary", has_text="Slices: 49,000 metrics").click()
    region = page.get_by_role("region", name="Slices: 49,000 metrics")
    field = page.get_by_role("searchbox", name="Filter Slices: 49,000 metrics")
    assert region.locator("tbody tr").count() == 200
    field.fill("r48 metric_777")
    assert region.locator("tbody tr").count() == 1
    assert "metric_777" in region.locator("tbody tr").inner_text()
    field.fill("")
    metrics = page.get_by_role("region", name="Metrics", exact=True)
    change = metrics.get_by_role("button", name="Change")
    change.click()
    assert metrics.locator("th[aria-sort=ascending]").count() == 1
    first = metrics.locator("tbody tr").first
    assert "metric_1\t" in first.inner_text()
    change.press("Enter")
    assert "metric_999" in metrics.locator("tbody tr").first.inner_text()
    assert wrongs == []
    page.context.close()


def test_a_report_is_whole_without_its_script(browser: Browser) -> None:
    page, _ = opened(browser, to_html(PANEL["all worse"]()), java_script_enabled=False)
    assert page.get_by_role("region", name="Metrics", exact=True).locator("tbody tr").count() == 2
    page.context.close()


def test_the_contents_lead_to_every_section(browser: Browser) -> None:
    page, _ = opened(browser, to_html(charted.rich()))
    links = page.locator("nav.contents a")
    addresses = links.evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert len(addresses) == page.locator("section").count() > 8
    assert all(page.locator(f"section{address}").count() == 1 for address in addresses)
    page.context.close()


@pytest.mark.threat(33)
def test_nothing_hostile_runs_in_a_report_or_in_a_row_behind_its_filter(browser: Browser) -> None:
    attacks = dict.fromkeys((text for text in TEXTS if set(text) & set('<&:`"')), 8)
    attacks |= dict.fromkeys(("<script>alert(1)</script>", "</script><img src=x onerror=a()>"), 300)
    for text, many in attacks.items():
        page, wrongs = opened(browser, to_html(samples.hostile(text, many)))
        for field in page.get_by_role("searchbox").all():
            if field.is_visible():
                field.fill(text[:3])
        assert page.locator("script").count() == page.locator("script.rest").count() + 1
        schemes = page.eval_on_selector_all("a", "all => all.map((one) => one.protocol)")
        assert set(schemes) <= {"https:", "http:", "about:"}, markup.escape(text)
        assert wrongs == [], text
        page.context.close()
