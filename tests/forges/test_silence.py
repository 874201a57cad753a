"""A forge that takes connections and never answers: a real socket, with short limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assent.forges import http_retries
from assent.forges.github.api import Api as GitHubApi
from assent.forges.gitlab.api import Api as GitLabApi
from assent.forges.gitlab.api import Token
from assent.forges.http_retries import PAUSES_S, Line, UnsureError
from tests.silent import silent_server


@pytest.fixture
def silent() -> Iterator[str]:
    with silent_server() as address:
        yield f"http://{address}"


@pytest.mark.threat(32)
@pytest.mark.parametrize("name", ["GitHub", "GitLab"])
def test_a_silent_forge_is_said_and_given_up(
    silent: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Constants, not behaviours, are changed."""
    monkeypatch.setattr(http_retries, "TIMEOUT_S", 1)
    monkeypatch.setattr(http_retries, "NOTICE_S", 0.1)
    said: list[str] = []
    waited: list[float] = []
    line: Line
    if name == "GitHub":
        line = GitHubApi(silent, "token", wait=waited.append, say=said.append)
    else:
        line = GitLabApi(f"{silent}/api/v4", Token("token"), wait=waited.append, say=said.append)
    with pytest.raises(UnsureError, match=f"{name} could not be reached") as caught:
        line.get("/user", dict[str, str], doing="reading who this is")
    assert caught.value.hint
    assert waited == list(PAUSES_S)
    assert set(said) == {f"waiting for {name} (reading who this is)"}
