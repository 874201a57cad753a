"""The site as a browser opens it from a folder: on a phone and on a desk, light and dark."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin, urlsplit

import pytest

from assent.core.entry import Kind
from assent.core.evidence import DataReference, Run
from assent.verbs.site import site
from tests import browser as browsers
from tests.report.nasty import TEXTS
from tests.report.site.lives import Life, lived, person
from tests.verbs.place import Place

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page, Request

Scheme = Literal["light", "dark"]
AXE = Path(__file__).parent / "runner/node_modules/axe-core/axe.min.js"
PERSON = f"people/github_3agithub_2ecom_3a{person('grace').id}/index.html"
ADDRESSES = "all => all.map((a) => a.href.baseVal ?? a.href)"
PAGES = (
    *("index.html", "people/index.html", "search.html", PERSON),
    *(
        f"models/churn/{name}.html"
        for name in ("index", "timeline", "timeline-0", "versions", "metrics", "compare", "v18")
    ),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    place = Place(folder / "place")
    life = lived(Life("churn", place.ledger, place.store), 24)
    place.store.lose(life.subjects[5].bundle or "")  # type: ignore[arg-type]  # there is one
    hostile(place)
    site(place.open(), folder / "site")
    return folder / "site"


def hostile(place: Place) -> None:
    """A model of which everything that people and tools write means something to a browser."""
    life = Life("hostile", place.ledger, place.store)
    alarm = "<script>alert(1)</script>"
    texts = [text for text in TEXTS if text and "\ud800" not in text]
    texts += [alarm, f"</script>{alarm}", "<svg onload=alert(1)>", "\u202e" + alarm, "__proto__"]
    attacks = [f"{text}{at}" for at, text in enumerate(texts)]
    for number, text in enumerate((alarm, "\u202e</title>" + alarm), 1):
        subject = life.bundle(
            number,
            metrics={attack: number / (at + 2) for at, attack in enumerate(attacks)},
            params=dict(zip(attacks, attacks, strict=True)),
            data=(DataReference(name=text, source=text, kind="path", snapshot=text, rows=3),),
            run=Run(system=text, id=text, address="javascript:alert(1)"),
        )
        life.approve(subject, text)
        life.register(subject, text)
        life.promote(f"stage {text}", number, reason=text)
    for text in attacks:
        links = {text: "javascript:alert(1)", alarm: f"https://a.example/{number}"}
        life.write(Kind.NOTED, actor=person(text), reason=text, happened="2025-01-01", links=links)
    life.finish()


def watched(browser: Browser, **words: Any) -> tuple[Page, list[str]]:
    """A page, and everything that it should not have done: errors, refusals, requests, dialogs."""
    page = browser.new_context(**words).new_page()
    wrongs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        wrongs.append("dialog")
        dialog.dismiss()

    def look(asked: Request) -> None:
        if not asked.url.startswith("file:"):
            wrongs.append(asked.url)

    page.on("console", lambda told: wrongs.append(f"{told.type}: {told.text}"))
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on("dialog", dismiss)
    page.on("request", look)
    return page, wrongs


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_opens_from_a_folder_without_a_fault(
    browser: Browser, target: Path, width: int, scheme: Scheme
) -> None:
    page, wrongs = watched(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for name in PAGES:
        page.goto((target / name).as_uri())
        assert wrongs == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.evaluate("getComputedStyle(document.body).fontSize") == "15px", name
        shown = page.locator(".picture svg:visible").count()
        assert shown == page.locator(".picture").count(), name
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_stumbles_over_a_page(browser: Browser, target: Path, scheme: Scheme) -> None:
    """Contrast, names, headings, tables and keyboard, by axe-core."""
    # The pages' own policy lets no other script run, so that axe is let in past it.
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    for name in PAGES:
        page.goto((target / name).as_uri())
        page.add_script_tag(content=AXE.read_text())
        told = page.evaluate("axe.run().then((found) => found.violations)")
        faults = [(rule["id"], [node["html"][:200] for node in rule["nodes"][:3]]) for rule in told]
        assert faults == [], name
    context.close()


@pytest.mark.threat(33)
def test_nothing_that_a_hostile_repository_wrote_runs(browser: Browser, target: Path) -> None:
    page, wrongs = watched(browser, viewport={"width": 390, "height": 900})
    names = sorted(path.relative_to(target) for path in target.glob("models/hostile/*.html"))
    assert len(names) > 6
    for name in (*names, *sorted(p.relative_to(target) for p in target.glob("people/*/*.html"))):
        page.goto((target / name).as_uri())
        addresses = page.eval_on_selector_all(
            "a", "all => all.map((a) => a.href.baseVal ?? a.href)"
        )
        schemes = {urlsplit(urljoin(page.url, address)).scheme for address in addresses}
        assert schemes <= {"file", "https"}, name
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        assert page.locator("script:not([src])").count() == 0
        assert wrongs == [], name
    page.goto((target / "models/hostile/compare.html").as_uri() + "#v1-v2")
    page.check("#all")
    page.wait_for_selector("#outcome table")
    page.goto((target / "search.html").as_uri())
    page.fill("#search", "script")
    page.wait_for_selector("#outcome li")
    assert wrongs == []
    page.context.close()


@pytest.mark.threat(33)
def test_no_file_of_the_site_holds_a_sign_that_cannot_be_seen(target: Path) -> None:
    """Or one that turns the text around it, whoever wrote it, wherever it stands."""
    unseen = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff"}
    unseen |= {*"\x00\x07\x1b\x7f\x85\u2028\u2029"}
    for path in target.rglob("*"):
        if path.is_file() and path.suffix in (".html", ".js"):
            assert not unseen & set(path.read_text()), path


def test_two_versions_are_compared_in_the_page(browser: Browser, target: Path) -> None:
    page, wrongs = watched(browser)
    page.goto((target / "models/churn/compare.html").as_uri() + "#v9-v10")
    page.wait_for_selector("#outcome table")
    metrics = page.get_by_role("region", name="Metrics")
    row = metrics.locator("tr", has_text="latency_ms")
    assert row.inner_text().split("\t") == ["latency_ms", "12.2", "12.8", "▲ +0.6 (+4.9%) worse"]
    assert page.locator("tr", has_text="learning_rate").count() == 0
    page.check("#all")
    assert page.locator("tr", has_text="learning_rate").inner_text().endswith("same")
    page.select_option("#old", "3")
    page.wait_for_url("**#v3-v10")
    assert row.inner_text().split("\t") == ["latency_ms", "12.8", "12.8", "same"]
    page.select_option("#old", "5")
    page.wait_for_selector("#outcome .notices")
    told = page.locator("#outcome").inner_text()
    assert "its evidence was not compared" in told
    assert "Not compared: only the second version has it." in told
    assert wrongs == []


def test_what_is_not_known_is_called_neither_the_same_nor_gone(
    browser: Browser, target: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "site"
    shutil.copytree(target, copy)
    one = ["one", "1", 1, None]
    kept = [one, ["nowhere", None, None, None], ["once", None, None, None]]
    sides = {
        9: [["Kept", kept, 0], ["Cut", [one, ["two", "2", 2, None]], 0], ["Half", [one], 0, ""]],
        10: [
            ["Kept", [*kept[:2], ["once", "3", 3, None]], 0],
            ["Cut", [one], 1],
            ["Half", [["two", "2", 2, None]], 0, "packages were not read"],
        ],
    }
    for number, sections in sides.items():
        told = json.dumps([number, ["", sections]])
        (copy / f"models/churn/v{number}.js").write_text(f"assent.version(...{told})")
    page, wrongs = watched(browser)
    page.goto((copy / "models/churn/compare.html").as_uri() + "#v9-v10")
    page.wait_for_selector("#outcome table")
    told = page.locator("#outcome").inner_text()
    assert "0 differ, 1 are the same, 2 were not compared" in told
    assert "0 differ, 1 are the same, 1 were not compared; 1 were left out" in told
    assert "1 differ, 0 are the same, 1 were not compared; packages were not read" in told
    assert "gone" not in told
    assert wrongs == []


def test_what_is_searched_is_there(browser: Browser, target: Path) -> None:
    page, wrongs = watched(browser)
    page.goto((target / "search.html").as_uri())
    page.fill("#search", "churn v18")
    first = page.locator("#outcome li a").first
    assert first.inner_text() == "churn v18"
    first.click()
    assert page.locator("h1").inner_text().startswith("churn v18")
    page.go_back()
    page.fill("#search", f"sha256:{index_digest(target)}")
    assert page.locator("#outcome li a").first.inner_text() == "churn v18"
    page.fill("#search", "complaints north")
    page.locator("#outcome li a").first.click()
    page.wait_for_selector("tr:target")
    assert "Complaints from the north" in page.locator("tr:target").inner_text()
    assert wrongs == []


def index_digest(target: Path) -> str:
    """The digits of the bundle of v18, all of them."""
    html = (target / "models/churn/v18.html").read_text()
    return html.split("<code>sha256:")[1][:64]


def test_without_its_script_a_page_says_so(browser: Browser, target: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    for name in ("search.html", "models/churn/compare.html"):
        page.goto((target / name).as_uri())
        assert "own script, which does not run here" in page.locator("main").inner_text()
    page.goto((target / "models/churn/v18.html").as_uri())
    assert "Gates as they stood" in page.locator("main").inner_text()
