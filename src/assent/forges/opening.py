"""How a forge is opened: what `wiring` asks of the module `opening` of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from assent.core.context import Context
from assent.git import Repository
from assent.ports import Forge
from assent.setup.pipelines import Pipelines

Say = Callable[[str], None]
GitSettings = list[tuple[str, str]]


class Opening(Protocol):
    """The module `opening` of a forge. What it is given says that a run is of this forge's CI, or
    that somebody asked for the forge elsewhere.
    """

    def credentials(self, environ: Mapping[str, str], context: Context) -> GitSettings:
        """What Git needs to fetch and push in a run of its CI when the checkout has kept no token,
        or one that may not push.
        """

    def git_account(self, environ: Mapping[str, str]) -> str:
        """Who Git is in a run of its CI and what it needs, for whom a remote has refused."""

    def open_forge(
        self,
        environ: Mapping[str, str],
        context: Context,
        repository: Repository,
        file: str,
        say: Say,
    ) -> Forge:
        """The forge of `repository`. `file` is `assent.yaml` as Git names it."""

    def pipelines(self, origin: str | None, install: str | None) -> Pipelines:
        """What runs Assent in its CI: from where it is fetched, and what jobs install."""


def git_header(server: str, account: str, token: str) -> GitSettings:
    """The settings by which Git is `account` at a server."""
    import base64  # only CI needs it

    secret = base64.b64encode(f"{account}:{token}".encode()).decode()
    name = f"http.{server}/.extraheader"
    # The empty value ends what the checkout may have kept: two tokens are refused.
    return [(name, ""), (name, f"AUTHORIZATION: basic {secret}")]
