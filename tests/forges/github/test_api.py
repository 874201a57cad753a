"""The line to GitHub: where a token goes, what is repeated, and what is said when it breaks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from assent.errors import OutsideError, UsageError
from assent.forges.github.api import PATIENCE_S, PAUSES_S, RefusedError, checked_address, segment
from assent.forges.github.forge import GitHubForge
from tests.builders import digest
from tests.forges.github.conftest import Scene, notice

REPOSITORY = "/repos/acme/churn"


@pytest.mark.threat(23)
@pytest.mark.parametrize(
    "address",
    [
        "http://api.github.com",
        "http://192.168.0.7/api/v3",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "https://user:secret@api.github.com",
        "https://token@api.github.com",
        "ftp://api.github.com",
        "api.github.com",
        "",
        "https://",
        "https://api.github.com?x=y",
    ],
)
def test_a_token_is_sent_to_no_such_address(scene: Scene, address: str) -> None:
    with pytest.raises(UsageError, match="reading the address of GitHub's API") as caught:
        scene.forge(api=address)
    assert "secret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "address",
    ["https://api.github.com", "https://ghe.example.com/api/v3/", "http://127.0.0.1:8080"],
)
def test_https_and_this_machine_are_addresses(address: str) -> None:
    assert checked_address(address) == address.rstrip("/")


@pytest.mark.threat(23)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_gets_no_token(scene: Scene, status: int) -> None:
    there = f"{scene.server.elsewhere}/pulls/7"
    scene.faults.redirect("GET", "*/pulls/7", there, status=status)
    with pytest.raises(OutsideError, match="token goes to no other"):
        scene.forge().change()
    assert scene.server.leaks == []
    assert not [one for one in scene.server.requests if one.host != scene.server.host]


@pytest.mark.threat(23)
def test_a_next_page_on_another_host_is_not_asked_for(scene: Scene) -> None:
    """Of the address of the next page only the query is used."""
    scene.review(scene.bob)
    forge = scene.forge()
    forge.change()
    link = f'<{scene.server.elsewhere}/reviews?per_page=100&page=1>; rel="next"'
    scene.faults.answer("GET", "*/pulls/7/reviews", b"[]", headers={"Link": link})
    assert len(forge.reviews("churn", digest("b"))) == 1
    assert {one.host for one in scene.server.requests} == {scene.server.host}


def test_a_renamed_repository_is_found(scene: Scene) -> None:
    for _ in range(120):
        scene.pull.review(scene.bob, "COMMENTED")
    scene.review(scene.bob)
    scene.faults.redirect("GET", "/repos/acme/old", f"{scene.server.url}{REPOSITORY}", status=301)
    forge = GitHubForge(
        "acme/old",
        api=scene.server.url,
        token=scene.token,
        checkout=scene.checkout(),
        event="pull_request",
        payload=scene.payload(),
    )
    assert len(forge.reviews("churn", digest("b"))) == 1


def test_enterprise_server_has_a_longer_address(scene: Scene) -> None:
    from tests.github.server import Server

    with Server(prefix="/api/v3", web="https://ghe.example.com") as server:
        alice = server.github.user("alice", role="write")
        pull = server.github.open_pull(alice)
        bot = server.github.actions_bot
        for one in "xy":
            pull.comment(bot, notice(bundle=one).body)
        forge = GitHubForge(
            "acme/churn",
            api=server.url,
            token=server.github.workflow_token(),
            checkout=scene.checkout(),
            event="pull_request",
            payload={"pull_request": {"number": pull.number}},
        )
        forge.comment(notice())
        assert [comment.is_minimized for comment in pull.comments] == [False, True]
        assert forge.person("alice").host == "ghe.example.com"


@pytest.mark.parametrize("fault", ["fail", "hang up"])
def test_reading_is_repeated(scene: Scene, fault: str) -> None:
    if fault == "fail":
        scene.faults.fail("GET", "*/pulls/7", 503, times=3)
    else:
        scene.faults.hang_up("GET", "*/pulls/7", times=3)
    assert scene.forge().change() is not None
    assert scene.waits == list(PAUSES_S)


@pytest.mark.parametrize("fault", ["fail", "hang up"])
def test_reading_is_not_repeated_for_ever(scene: Scene, fault: str) -> None:
    if fault == "fail":
        scene.faults.fail("GET", "*/pulls/7", 503, times=9)
    else:
        scene.faults.hang_up("GET", "*/pulls/7", times=9)
    with pytest.raises(OutsideError, match="reading pull request 7: GitHub"):
        scene.forge().change()
    assert scene.server.count("GET", "/pulls/7") == len(PAUSES_S) + 1


def test_github_says_how_long_to_wait(scene: Scene) -> None:
    scene.faults.secondary_limit("GET", "*/pulls/7", retry_after_s=30, times=2)
    scene.faults.secondary_limit("POST", "*/comments", retry_after_s=7, status=429)
    scene.show("b")
    assert scene.waits == [30, 30, 7]
    assert len(scene.pull.comments) == 1


@pytest.mark.parametrize(
    ("asked", "seconds"), [("0", 1), ("Fri, 02 Jan 2026 03:04:35 GMT", 60), ("\u0661", 60)]
)
def test_whatever_github_asks_for_the_wait_has_a_length(
    scene: Scene, asked: str, seconds: float
) -> None:
    headers = {"Retry-After": asked.encode().decode("latin-1")}
    scene.faults.answer("GET", "*/pulls/7", b"{}", status=429, headers=headers)
    assert scene.forge().change() is not None
    assert scene.waits == [seconds]


def test_patience_has_an_end(scene: Scene) -> None:
    scene.faults.secondary_limit("GET", "*/pulls/7", retry_after_s=int(PATIENCE_S) + 1)
    with pytest.raises(OutsideError, match=r"allows no more requests for \d+ seconds"):
        scene.forge().change()
    assert scene.waits == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset": "1767323105", "Date": "Fri, 02 Jan 2026 03:04:35 GMT"}, 31),
        ({"X-RateLimit-Reset": "1767323000", "Date": "Fri, 02 Jan 2026 03:04:35 GMT"}, 1),
        ({"X-RateLimit-Reset": "1767323105", "Date": "today"}, 60),
    ],
)
def test_a_used_up_quota_is_waited_for_until_it_resets_by_githubs_clock(
    scene: Scene, headers: dict[str, str], seconds: float
) -> None:
    said = b'{"message": "API rate limit exceeded"}'
    limited = {"X-RateLimit-Remaining": "0", **headers}
    scene.faults.answer("GET", "*/pulls/7", said, status=403, headers=limited)
    assert scene.forge().change() is not None
    assert scene.waits == [seconds]


def test_a_header_that_is_no_number_is_an_error(scene: Scene) -> None:
    wrong = {"X-RateLimit-Reset": "soon"}
    scene.faults.answer("GET", "*/pulls/7", b"{}", times=9, headers=wrong)
    with pytest.raises(OutsideError, match="not what it should be"):
        scene.forge().change()


def test_a_used_up_quota_is_not_waited_for_at_any_length(scene: Scene) -> None:
    scene.faults.primary_limit(resets_in_s=3000)
    with pytest.raises(OutsideError, match="allows no more requests"):
        scene.forge().change()
    assert scene.waits == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>proxy</html>", "text/html"),
        (b'{"number": "seven"}', "application/json"),
        (b"[]", "application/json"),
        (b"", "application/json"),
        (b'"\xff"', "application/json"),
    ],
)
def test_an_answer_that_is_not_as_described_is_an_error(
    scene: Scene, body: bytes, kind: str
) -> None:
    scene.faults.answer("GET", "*/pulls/7", body, headers={"Content-Type": kind})
    with pytest.raises(OutsideError, match="GitHub's answer is not what it should be"):
        scene.forge().change()


@pytest.mark.threat(11)
def test_pages_that_go_round_in_a_circle_are_an_error(scene: Scene) -> None:
    forge = scene.forge()
    link = {"Link": f'<{scene.server.url}/x?page=2>; rel="next"'}
    scene.faults.answer("GET", "*/pulls/7/reviews", b"[]", times=3, headers=link)
    with pytest.raises(OutsideError, match="round in a circle"):
        forge.reviews("churn", digest("b"))


def test_a_refusal_says_what_the_token_lacks(scene: Scene) -> None:
    weak = scene.github.workflow_token(contents="read", pull_requests="read", statuses="read")
    with pytest.raises(RefusedError) as caught:
        scene.forge(token=weak).comment(notice())
    shown = str(caught.value)
    assert shown.startswith("commenting on pull request 7: GitHub answered 403: Resource not")


@pytest.mark.threat(38)
def test_the_token_is_in_no_message(scene: Scene) -> None:
    said = f'{{"message": "bad {scene.token}\\u001b[31m\\n::error::x {"y" * 500}"}}'.encode()
    scene.faults.answer("GET", "*/pulls/7", said, status=401)
    with pytest.raises(OutsideError) as caught:
        scene.forge().change()
    shown = f"{caught.value} {caught.value.hint}"
    assert scene.token not in shown
    assert shown.isprintable()
    assert len(shown) < 500


@pytest.mark.threat(38)
def test_the_token_is_in_no_log(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        scene.forge().change()
    assert caplog.records
    assert scene.token not in caplog.text


def test_without_a_token_nothing_is_asked(scene: Scene) -> None:
    with pytest.raises(UsageError, match="looking for the token") as caught:
        scene.forge(token=None).change()
    assert "GITHUB_TOKEN" in str(caught.value.hint)
    assert scene.server.requests == []


@pytest.mark.parametrize("name", ["acme", "acme/", "/churn", "acme/churn/x", ""])
def test_a_repository_has_an_owner_and_a_name(scene: Scene, name: str) -> None:
    with pytest.raises(UsageError, match="owner/name"):
        GitHubForge(name, api=scene.server.url, token="t", checkout=scene.checkout())


def test_nothing_is_sent_or_imported_before_something_is_asked(scene: Scene) -> None:
    """`assent resolve` must start fast on a GitHub checkout too."""
    code = (
        "import sys; from assent.forges.github.forge import GitHubForge\n"
        "GitHubForge('a/b', api='https://api.github.com', token='t', checkout=None)\n"
        "print(sorted({'github', 'requests', 'urllib3', 'assent.report'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    scene.forge()
    assert scene.server.requests == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a/b", "a%2Fb"), ("..", "%2E%2E"), (".", "%2E"), ("x?y#z", "x%3Fy%23z"), ("a.b", "a.b")],
)
def test_a_name_is_one_segment_of_a_path(text: str, shown: str) -> None:
    assert segment(text) == shown
