"""A running stand-in, and the real client in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from gitlab import Gitlab, GitlabError
from gitlab.v4.objects import Project

from tests.gitlab.server import Server
from tests.gitlab.world import GitLab

Connect = Callable[[str], Gitlab]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def gitlab(server: Server) -> GitLab:
    return server.gitlab


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """A client with a token; it neither retries nor waits."""
    with ExitStack() as stack:

        def made(token: str) -> Gitlab:
            is_of_job = server.gitlab.tokens[token].kind == "job"
            client = Gitlab(
                server.site,
                private_token=None if is_of_job else token,
                job_token=token if is_of_job else None,
            )
            return stack.enter_context(client)

        yield made


@pytest.fixture
def client(gitlab: GitLab, connect: Connect) -> Gitlab:
    """With a project access token of a maintainer."""
    return connect(gitlab.project_token())


@pytest.fixture
def project(client: Gitlab) -> Project:
    return client.projects.get("acme/churn")


def refusal(raised: pytest.ExceptionInfo[GitlabError]) -> tuple[int | None, str]:
    return raised.value.response_code, str(raised.value.error_message)


def read(client: Gitlab, path: str, **query: Any) -> Any:
    return client.http_get(path, query_data=query)
