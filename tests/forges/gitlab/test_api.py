"""The line to GitLab: where a token goes, what is repeated, and what is said when it breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assent.errors import OutsideError, UsageError
from assent.forges.gitlab.api import checked_address
from assent.forges.gitlab.forge import GitLabForge
from assent.forges.http_retries import PATIENCE_S, PAUSES_S, RefusedError
from tests.builders import digest
from tests.forges.gitlab.conftest import WEB, Scene, notice
from tests.forges.gitlab.graphql import GraphServer

REQUEST = "*/merge_requests/7"


@pytest.mark.threat(23)
@pytest.mark.parametrize(
    "address",
    [
        "http://gitlab.com/api/v4",
        "http://192.168.0.7/api/v4",
        "http://127.0.0.1.example.com/api/v4",
        "https://user:secret@gitlab.com/api/v4",
        "ftp://gitlab.com/api/v4",
        "gitlab.com/api/v4",
        "",
        "https://gitlab.com",
        "https://gitlab.com/api/v3",
        "https://gitlab.com/api/v4?x=y",
    ],
)
def test_a_token_is_sent_to_no_such_address(premium: Scene, address: str) -> None:
    with pytest.raises(UsageError, match="reading the address of GitLab's API") as caught:
        premium.forge(api=address)
    assert "secret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("https://gitlab.com/api/v4", "https://gitlab.com"),
        ("https://git.example.com/gitlab/api/v4/", "https://git.example.com/gitlab"),
        ("http://127.0.0.1:8080/api/v4", "http://127.0.0.1:8080"),
    ],
)
def test_https_and_this_machine_are_addresses(address: str, server: str) -> None:
    assert checked_address(address) == server


@pytest.mark.threat(23)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_to_another_host_gets_no_token(premium: Scene, method: str, status: int) -> None:
    """`requests` would send the header with the token along."""
    path = REQUEST if method == "GET" else "*/notes"
    premium.faults.redirect(method, path, f"{premium.server.elsewhere}/x", status=status)
    with pytest.raises(OutsideError, match="token goes to no other"):
        premium.forge().comment(notice())
    assert {one.host for one in premium.server.requests} == {premium.server.host}


@pytest.mark.threat(23)
def test_a_redirect_on_the_same_host_is_not_followed_either(premium: Scene) -> None:
    premium.faults.redirect("GET", REQUEST, f"{premium.server.url}/x", status=302)
    with pytest.raises(OutsideError, match="leads to another one"):
        premium.forge().change()


@pytest.mark.threat(23)
def test_a_next_page_on_another_host_is_not_asked_for(premium: Scene) -> None:
    """Of the address of the next page only the query is used."""
    forge = premium.forge()
    forge.change()
    link = f'<{premium.server.elsewhere}/notes?per_page=100&page=1>; rel="next"'
    premium.faults.answer("GET", "*/notes", b"[]", headers={"Link": link})
    forge.reviews("churn", digest("b"))
    assert premium.faults.is_done
    assert {one.host for one in premium.server.requests} == {premium.server.host}


def test_a_server_below_a_path_of_its_host(tmp_path: Path) -> None:
    with GraphServer(sub_path="/gitlab", web=f"{WEB}/gitlab") as server:
        alice = server.gitlab.user("alice", role="developer")
        request = server.gitlab.open_merge_request(alice)
        forge = GitLabForge(
            "acme/churn",
            api=server.url,
            token=server.gitlab.project_token(),
            checkout=None,  # type: ignore[arg-type]  # not looked at
            merge_request=request.iid,
        )
        address = forge.comment(notice())
        assert address.startswith(f"{WEB}/gitlab/acme/churn/-/merge_requests/7#note_")
        change = forge.change()
        assert change is not None
        assert [one.person is not None for one in change.authors] == [True]
        assert forge.person("alice").host == "gitlab.example.com"


@pytest.mark.parametrize("fault", ["fail", "hang up", "gateway"])
def test_reading_is_repeated(premium: Scene, fault: str) -> None:
    _order(premium, fault, times=3)
    assert premium.forge().change() is not None
    assert premium.waits == list(PAUSES_S)


@pytest.mark.parametrize("fault", ["fail", "hang up", "gateway"])
def test_reading_is_not_repeated_for_ever(premium: Scene, fault: str) -> None:
    _order(premium, fault, times=9)
    with pytest.raises(OutsideError, match="reading merge request 7: GitLab"):
        premium.forge().change()
    assert premium.server.count("GET", "/merge_requests/7") == len(PAUSES_S) + 1


def _order(scene: Scene, fault: str, times: int) -> None:
    if fault == "fail":
        scene.faults.fail("GET", REQUEST, 503, times=times)
    elif fault == "gateway":
        scene.faults.gateway("GET", REQUEST, times=times)
    else:
        scene.faults.hang_up("GET", REQUEST, times=times)


def test_the_other_api_is_asked_again_as_well(premium: Scene) -> None:
    premium.faults.fail("POST", "/api/graphql", 502, times=2)
    assert premium.forge().change() is not None
    assert premium.waits == list(PAUSES_S[:2])


def test_gitlab_says_in_plain_text_how_long_to_wait(premium: Scene) -> None:
    premium.faults.too_many("GET", REQUEST, retry_after_s=30, times=2)
    premium.faults.too_many("POST", "*/notes", retry_after_s=7)
    premium.show("b")
    assert premium.waits == [30, 30, 7]
    assert len(premium.request.notes) == 1


@pytest.mark.parametrize(("asked", "seconds"), [("0", 1), ("soon", 60), ("", 60)])
def test_whatever_gitlab_asks_for_the_wait_has_a_length(
    premium: Scene, asked: str, seconds: float
) -> None:
    headers = {"Retry-After": asked}
    premium.faults.answer("GET", REQUEST, b"Retry later", status=429, headers=headers)
    assert premium.forge().change() is not None
    assert premium.waits == [seconds]


def test_patience_has_an_end(premium: Scene) -> None:
    premium.faults.too_many("GET", REQUEST, retry_after_s=int(PATIENCE_S) + 1)
    with pytest.raises(OutsideError, match=r"GitLab allows no more requests for \d+ seconds"):
        premium.forge().change()
    assert premium.waits == []


def test_a_status_that_another_run_is_writing_is_waited_for(premium: Scene) -> None:
    said = b'{"message": "Another update to this commit status is in progress"}'
    premium.faults.answer("POST", "*/statuses/*", said, status=409)
    premium.show("b")
    assert premium.waits == [2]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>proxy</html>", "text/html"),
        (b'{"iid": "seven"}', "application/json"),
        (b"[]", "application/json"),
        (b"", "application/json"),
        (b'"\xff"', "application/json"),
    ],
)
def test_an_answer_that_is_not_as_described_is_an_error(
    premium: Scene, body: bytes, kind: str
) -> None:
    premium.faults.answer("GET", REQUEST, body, headers={"Content-Type": kind})
    with pytest.raises(OutsideError, match="GitLab's answer is not what it should be"):
        premium.forge().change()


@pytest.mark.parametrize("body", [b'{"errors": [{"message": "no such field"}]}', b'{"data": 1}'])
def test_an_error_of_the_other_api_is_an_error(premium: Scene, body: bytes) -> None:
    premium.faults.answer("POST", "/api/graphql", body)
    with pytest.raises(OutsideError, match="who wrote the commits of merge request 7: GitLab"):
        premium.forge().change()


@pytest.mark.threat(11)
def test_pages_that_go_round_in_a_circle_are_an_error(premium: Scene) -> None:
    forge = premium.forge()
    link = {"Link": f'<{premium.server.url}/x?page=2>; rel="next"'}
    premium.faults.answer("GET", "*/notes", b"[]", times=3, headers=link)
    with pytest.raises(OutsideError, match="round in a circle"):
        forge.reviews("churn", digest("b"))


# what a refusal says


@pytest.mark.parametrize(
    ("scopes", "role", "needed"),
    [
        (("read_api",), "developer", "scope `api` and the role Reporter"),
        (("api",), "guest", "scope `read_api` and the role Reporter"),
        (("read_repository",), "developer", "scope `read_api` and the role Reporter"),
        (("api",), "reporter", "scope `api` and the role Developer"),
    ],
)
def test_a_refusal_names_the_scope_and_the_role_that_can(
    premium: Scene, scopes: tuple[str, ...], role: str, needed: str
) -> None:
    """A reporter may write notes, and only a developer statuses."""
    weak = premium.gitlab.project_token(*scopes, role=role)
    with pytest.raises(OutsideError) as caught:
        premium.forge(token=weak).comment(notice())
    assert "GitLab answered 40" in str(caught.value)
    assert "ASSENT_GITLAB_TOKEN must be a project, group or personal access token" in str(
        caught.value.hint
    )
    assert needed in str(caught.value.hint)


def test_the_job_token_is_named_where_it_may_not(premium: Scene) -> None:
    pipeline = premium.gitlab.run_pipeline(
        "merge_request_event", premium.alice, merge_request=premium.request
    )
    forge = premium.job(pipeline.job("review"), token=None)
    with pytest.raises(OutsideError) as caught:
        forge.change()
    hint = str(caught.value.hint)
    assert "the job token (CI_JOB_TOKEN) may not do this" in hint
    assert "set ASSENT_GITLAB_TOKEN to a project, group or personal access token" in hint
    assert "scope `read_api`" in hint


def test_a_token_that_has_ended_is_named(premium: Scene) -> None:
    premium.gitlab.revoke(premium.token)
    with pytest.raises(RefusedError, match="401: Token was revoked") as caught:
        premium.forge().change()
    assert "is ASSENT_GITLAB_TOKEN still valid?" in str(caught.value.hint)


@pytest.mark.threat(38)
def test_the_token_is_in_no_message(premium: Scene) -> None:
    said = f'{{"message": "bad {premium.token}\\u001b[31m\\n section_start:1:x {"y" * 500}"}}'
    premium.faults.answer("GET", REQUEST, said.encode(), status=401)
    with pytest.raises(OutsideError) as caught:
        premium.forge().change()
    shown = f"{caught.value} {caught.value.hint}"
    assert premium.token not in shown
    assert shown.isprintable()
    assert len(shown) < 700


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"message": {"name": ["is too long"]}}', '{"name":["is too long"]}'),
        (b'{"error": "404 Not Found"}', "404 Not Found"),
        (b'{"error": "x", "error_description": "The token is narrow"}', "The token is narrow"),
    ],
)
def test_gitlab_says_what_is_wrong_in_several_ways(premium: Scene, body: bytes, shown: str) -> None:
    premium.faults.answer("GET", REQUEST, body, status=422)
    with pytest.raises(OutsideError) as caught:
        premium.forge().change()
    assert str(caught.value).endswith(f"GitLab answered 422: {shown}")


@pytest.mark.threat(38)
def test_the_token_is_in_no_log_and_no_address(
    premium: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        premium.show("b")
    assert caplog.records
    assert premium.token not in caplog.text
    assert all(premium.token not in f"{one.path}?{one.query}" for one in premium.server.requests)


def test_without_a_token_nothing_is_asked(premium: Scene) -> None:
    with pytest.raises(UsageError, match="looking for the token") as caught:
        premium.forge(token=None).change()
    assert "ASSENT_GITLAB_TOKEN" in str(caught.value.hint)
    assert premium.server.requests == []


@pytest.mark.parametrize("name", ["acme", "acme/", "/churn", ""])
def test_a_project_has_a_group_and_a_name(premium: Scene, name: str) -> None:
    unused: Any = None
    with pytest.raises(UsageError, match="group/project"):
        GitLabForge(name, api=premium.server.url, token="t", checkout=unused)


def test_nothing_is_sent_or_imported_before_something_is_asked() -> None:
    """`assent resolve` must start fast on a GitLab checkout too."""
    code = (
        "import sys; from assent.forges.gitlab.forge import GitLabForge\n"
        "GitLabForge('a/b', api='https://gitlab.com/api/v4', token='t', checkout=None)\n"
        "print(sorted({'gitlab', 'github', 'requests', 'urllib3', 'assent.report'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
