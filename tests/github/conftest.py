"""A running stand-in, and the real client in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from github import Auth, Github
from github.Repository import Repository

from tests.github.server import Server
from tests.github.world import GitHub

Connect = Callable[[str], Github]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def github(server: Server) -> GitHub:
    return server.github


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """A client with a token; it neither retries nor waits."""
    with ExitStack() as stack:

        def made(token: str) -> Github:
            client = Github(
                base_url=server.url,
                auth=Auth.Token(token),
                retry=None,
                per_page=100,
                seconds_between_requests=None,
                seconds_between_writes=None,
            )
            return stack.enter_context(client)

        yield made


@pytest.fixture
def client(github: GitHub, connect: Connect) -> Github:
    """With the token of a workflow."""
    return connect(github.workflow_token())


@pytest.fixture
def repo(client: Github) -> Repository:
    return client.get_repo("acme/churn")
