"""`site`: pages of what the ledgers and the store say, and of what they could not say."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import msgspec
import pytest

from assent.core.digest import Digest
from assent.core.entry import Kind
from assent.core.evidence import DataReference
from assent.errors import ExitCode, UsageError
from assent.ports import NoAccessError
from assent.publishing.folder import LIST
from assent.testing.store import MemoryStore
from assent.verbs.site import SiteResult, site
from assent.workspace import Workspace
from tests.builders import digest
from tests.effort import more_in_soak
from tests.report.site.lives import Life, bundle_of, lived, person
from tests.verbs.place import Place


def lives_in(place: Place, models: dict[str, int]) -> dict[str, Life]:
    return {
        model: lived(Life(model, place.ledger, place.store), versions)
        for model, versions in models.items()
    }


def built(place: Place, **changes: object) -> tuple[SiteResult, Path]:
    target = place.folder.parent / "site"
    return site(place.open(**changes), target), target


def read(target: Path, name: str) -> str:
    """A page, with its names as if they were plain words."""
    return re.sub(r"</?(bdi|code|a|span)\b[^>]*>", "", (target / name).read_text())


def later(workspace: Workspace, **words: object) -> Workspace:
    """The same an hour later."""
    at = workspace.start.at.replace(hour=23)
    start = msgspec.structs.replace(workspace.start, at=at)
    return dataclasses.replace(workspace, start=start, **words)  # type: ignore[arg-type]  # by name


class Links(HTMLParser):
    """All that a page refers to, and the names that it has for links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.to: list[str] = []
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.to.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


def test_every_link_leads_to_a_page_and_a_place_on_it(place: Place) -> None:
    lives_in(place, {"churn": 9, "fraud": 3})
    _, target = built(place)
    pages = {path: Links(path.read_text()) for path in target.rglob("*.html")}
    assert len(pages) > 30
    for path, links in pages.items():
        for link in links.to:
            if link.startswith("https://"):
                continue
            place_of, anchor = urldefrag(link)
            file = path if not place_of else (path.parent / unquote(place_of)).resolve()
            assert file.is_file(), (path, link)
            if anchor and "compare" not in link:
                assert anchor in pages[file].anchors, (path, link)


def test_it_says_what_is_where_who_approved_and_on_what(place: Place) -> None:
    life = lives_in(place, {"churn": 9})["churn"]
    result, target = built(place)
    assert result.exit_code == ExitCode.DONE
    overview = read(target, "index.html")
    assert "churn" in overview
    assert "9 versions" in overview
    version = read(target, "models/churn/v6.html")
    assert bundle_of(life, 6) in version
    assert "Gates as they stood when it was registered" in version
    assert "roc_auc min 0.75" in version
    assert "its bundle was approved by" in version
    assert f"git checkout {6:040x}" in version
    assert "data/train.parquet" in version
    assert "as since" in version
    grace = read(target, f"people/github_3agithub_2ecom_3a{person('grace').id}/index.html")
    assert "Approved" in grace
    assert "@acme/reviewers" in grace


def test_data_that_went_and_came_back_has_begun_anew(place: Place) -> None:
    life = Life("churn", place.ledger, place.store)
    for number, content in enumerate(("a", "b", "a", "a"), 1):
        data = DataReference(name="train", source="t.csv", kind="path", digest=digest(content))
        life.register(life.bundle(number, data=(data,)))
    life.finish()
    _, target = built(place)
    assert "new here" in read(target, "models/churn/v3.html")
    assert "as since v3" in read(target, "models/churn/v4.html")


def test_a_second_run_writes_what_has_changed_and_nothing_else(place: Place) -> None:
    life = lives_in(place, {"churn": 9, "fraud": 9})["churn"]
    first, target = built(place)
    stamps = {path: path.stat().st_ino for path in target.rglob("*.html")}
    again = site(later(place.open()), target)
    assert again.written == ("index.html",)  # it says when it was made
    assert again.unchanged == len(first.written) - 1
    life.write(Kind.NOTED, life.subjects[4], actor=person("dan"), reason="seen again")
    life.finish()
    third = site(later(place.open()), target)
    assert "models/churn/v4.html" in third.written
    assert "seen again" in read(target, "models/churn/v4.html")
    touched = {
        path.relative_to(target).as_posix()
        for path, inode in stamps.items()
        if path.stat().st_ino != inode
    }
    assert touched == {name for name in third.written if name.endswith(".html")} | {"index.html"}
    assert not any(name.startswith("models/fraud/") for name in third.written)
    assert "models/churn/v5.html" not in third.written


def test_a_date_in_the_future_makes_no_page_another_one_each_time(place: Place) -> None:
    life = Life("churn", place.ledger, place.store)
    life.at = life.at.replace(year=2126)
    lived(life, 3)
    _, target = built(place)
    assert "it was in the future when this page was made" in read(target, "models/churn/v1.html")
    assert site(later(place.open()), target).written == ("index.html",)


def test_the_same_is_the_same_to_the_byte(place: Place, tmp_path: Path) -> None:
    lives_in(place, {"churn": 9})
    sites = [tmp_path / "one", tmp_path / "two"]
    for target in sites:
        site(place.open(), target)
    files = [
        {path.relative_to(one): path.read_bytes() for path in one.rglob("*") if path.is_file()}
        for one in sites
    ]
    assert files[0] == files[1]


def test_evidence_that_cannot_be_read_is_said_on_every_page_that_lacks_it(place: Place) -> None:
    life = lives_in(place, {"churn": 9})["churn"]
    place.store.corrupt(bundle_of(life, 3))
    result, target = built(place)
    assert [(model.model, model.unread) for model in result.models] == [("churn", 1)]
    assert result.exit_code == ExitCode.DONE
    version = read(target, "models/churn/v3.html")
    assert "is not shown here: reading sha256:" in version
    assert "its bytes are not those of its digest" in version
    assert "evidence not read" in read(target, "models/churn/versions.html")
    assert "1 version without evidence" in read(target, "index.html")
    assert "not read" in read(target, "models/churn/metrics.html")
    assert "its bytes are not those" in read(target, "models/churn/v3.js")


def test_evidence_of_a_later_format_is_said(place: Place) -> None:
    life = Life("churn", place.ledger, place.store)
    life.register(life.bundle(1, format="assent/evidence/2"))
    life.finish()
    _, target = built(place)
    assert "unknown format" in read(target, "models/churn/v1.html")


def test_a_purged_version_says_by_which_entry(place: Place) -> None:
    life = lives_in(place, {"churn": 9})["churn"]
    life.write(Kind.PURGED, life.subjects[4], reason="a person asked to be forgotten")
    life.finish()
    place.store.lose(bundle_of(life, 4))
    _, target = built(place)
    version = read(target, "models/churn/v4.html")
    assert "taken away on purpose" in version
    assert "a person asked to be forgotten" in version
    assert "it was purged by entry" in version


class Shut(MemoryStore):
    """A store that lets nobody in, and counts who asks."""

    asked = 0

    def read(self, digest: Digest) -> bytes:
        self.asked += 1
        raise NoAccessError(f"reading {digest}", "the registry answered 401")


def test_a_store_that_lets_nobody_in_is_asked_once_and_the_ledger_is_told(place: Place) -> None:
    lives_in(place, {"churn": 9, "fraud": 9})
    shut = Shut()
    result, target = built(place, store=shut)
    assert shut.asked == 1
    assert {model.unread for model in result.models} == {9}
    assert "the registry answered 401" in read(target, "models/fraud/v5.html")
    assert "Gates as they stood" in read(target, "models/fraud/v5.html")
    assert "9 versions without evidence" in read(target, "index.html")


class Far(MemoryStore):
    """A store over a network."""

    is_elsewhere = True


def test_what_is_read_over_a_network_gives_the_same_pages(place: Place, tmp_path: Path) -> None:
    life = lives_in(place, {"churn": 30})["churn"]
    place.store.corrupt(bundle_of(life, 7))
    far = Far()
    far.blobs = place.store.blobs
    sites = [tmp_path / "near", tmp_path / "far"]
    site(place.open(), sites[0])
    site(place.open(store=far), sites[1])
    near, same = (
        {path.relative_to(one): path.read_bytes() for path in one.rglob("*") if path.is_file()}
        for one in sites
    )
    assert near == same


def test_a_model_that_left_the_configuration_is_still_there(place: Place) -> None:
    lives_in(place, {"old": 2})
    result, target = built(place)
    assert [model.model for model in result.models] == ["churn", "old"]
    assert "old is not in assent.yaml any more" in read(target, "models/old/index.html")
    assert "nothing was recorded yet" in read(target, "models/churn/index.html")


def test_a_ledger_that_does_not_verify_hides_no_other_and_takes_no_page_away(place: Place) -> None:
    lives_in(place, {"churn": 2, "fraud": 2})
    _, target = built(place)
    before = read(target, "models/churn/v1.html")
    contents = place.ledger.contents["churn"]
    contents[1] = contents[1].replace(b"release-bot", b"release-bug")
    result, target = built(place)
    assert result.exit_code == ExitCode.INTEGRITY
    assert read(target, "models/churn/v1.html") == before
    assert not [path for path in result.removed if path.startswith("models/")]
    problems = {model.model: model.problem for model in result.models}
    assert problems["fraud"] is None
    assert "verifying the ledger of churn" in (problems["churn"] or "")
    assert "Cannot be read: verifying the ledger of churn" in read(target, "index.html")
    assert "2 versions" in read(target, "models/fraud/index.html")


def test_pages_that_are_none_any_more_go_and_nothing_else(place: Place) -> None:
    lives_in(place, {"churn": 2, "fraud": 2})
    _, target = built(place)
    (target / "CNAME").write_text("models.example")
    del place.ledger.contents["fraud"]
    result = site(place.open(), target)
    assert "models/fraud/v1.html" in result.removed
    assert not (target / "models/fraud/v1.html").exists()
    assert (target / "CNAME").read_text() == "models.example"


def test_a_folder_with_something_else_in_it_is_left_alone(place: Place, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "secret.txt").write_text("x")
    with pytest.raises(UsageError, match="holds something else"):
        site(place.open(), target)
    assert [path.name for path in target.iterdir()] == ["secret.txt"]
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="no folder"):
        site(place.open(), file)


def test_a_run_that_did_not_end_is_gone_on_with(place: Place) -> None:
    lives_in(place, {"churn": 3})
    _, target = built(place)
    (target / LIST).write_bytes(b'{"pages":{},"format":"assent/site/1"}')
    (target / "models/churn/v2.html").write_text("half")
    (target / "models/churn/.v2.html.tmp").write_text("half")
    site(place.open(), target)
    assert read(target, "models/churn/v2.html").endswith("</html>")
    (target / LIST).write_bytes(b"{")
    with pytest.raises(UsageError, match="nobody knows which are old"):
        site(place.open(), target)


class Stopped(MemoryStore):
    """A store that loses all, and where somebody presses Ctrl-C in the middle."""

    left = 14

    def read(self, digest: Digest) -> bytes:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return super().read(digest)


def test_what_a_run_that_was_stopped_has_written_is_taken_for_nothing_else(place: Place) -> None:
    """It could not read the evidence, and said so on the pages that it came to."""
    lives_in(place, {"churn": 9})
    _, target = built(place)
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    with pytest.raises(KeyboardInterrupt):
        site(place.open(store=Stopped()), target)
    assert "the store does not hold it" in read(target, "models/churn/v1.html")
    site(place.open(), target)
    assert before == {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}


@pytest.mark.threat(33)
def test_no_link_of_the_folder_leads_what_is_written_elsewhere(
    place: Place, tmp_path: Path
) -> None:
    lives_in(place, {"churn": 2})
    _, target = built(place)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "v1.html").write_text("theirs")
    for path in (target / "models/churn").iterdir():
        path.unlink()
    (target / "models/churn").rmdir()
    (target / "models/churn").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="link to somewhere else"):
        site(place.open(), target)
    assert [path.name for path in elsewhere.iterdir()] == ["v1.html"]
    (target / LIST).write_bytes(b'{"pages":{"../elsewhere/v1.html":"x"},"format":"assent/site/1"}')
    (target / "models/churn").unlink()
    site(place.open(), target)
    assert (elsewhere / "v1.html").read_text() == "theirs"


@pytest.mark.threat(33)
def test_a_file_that_became_a_link_is_written_anew(place: Place, tmp_path: Path) -> None:
    lives_in(place, {"churn": 2})
    _, target = built(place)
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    page = target / "models/churn/v1.html"
    page.unlink()
    page.symlink_to(theirs)
    site(place.open(), target)
    assert theirs.read_text() == "theirs"
    assert not page.is_symlink()


@pytest.mark.parametrize(("models", "versions"), [(3, 60), *more_in_soak((20, 500))])
def test_the_first_view_is_small_however_many_versions_there_are(
    place: Place, models: int, versions: int
) -> None:
    lives_in(place, {f"model-{number}": versions for number in range(models)})
    result, target = built(place)
    view = [target / name for name in ("index.html", "style.css")]
    assert sum(path.stat().st_size for path in view) < 300_000
    assert max(path.stat().st_size for path in target.rglob("*.html")) < 600_000
    assert len(result.written) > 2 * models * versions
    again = site(later(place.open()), target)
    assert again.written == ("index.html",)


def test_an_empty_configuration_has_a_site_too(place: Place) -> None:
    result, target = built(place)
    assert result.exit_code == ExitCode.DONE
    assert "nothing is in it" not in read(target, "index.html")
    assert "none is registered yet" in read(target, "models/churn/versions.html")
    assert "There are no versions" not in read(target, "models/churn/compare.html")
