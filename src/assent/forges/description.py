"""What is known of a forge before it is asked anything: by what its runs are known, which of its
variables are secret, and which files of a repository mean something to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from assent.core.context import Channel, Context
from assent.core.evidence import Run
from assent.ports import ForgeFiles

if TYPE_CHECKING:  # opening a forge is a matter of the verbs that need one
    from assent.forges.opening import Opening

ReadFile = Callable[[str, int], bytes]
"""The first bytes of a file, at most as many as are asked for. Raises `OSError`."""


class ContextReader(Protocol):
    """The module `context` of a forge: a run of its CI, by what the environment tells."""

    def read_run(self, environ: Mapping[str, str]) -> Run | None:
        """The run; None for one without a number."""

    def read_channel(self, environ: Mapping[str, str]) -> Channel | None:
        """Where the job writes what is not for its log; None where there is no such place."""

    def read_context(
        self, environ: Mapping[str, str], read_file: ReadFile, run: Run | None
    ) -> Context:
        """All of it. Raises `UsageError` for what cannot be what it says."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """A forge as its folder describes it. `name` is what identities and `ASSENT_FORGE` call it,
    `ci` what people call its CI. `variables` are the beginnings of the names of what that sets,
    `tokens` the variables with tokens that Assent acts with. `is_run` tells a run of its CI by the
    environment. `context` and `opening` import the modules of these names, which is not done before
    somebody needs them.
    """

    name: str
    ci: str
    variables: tuple[str, ...]
    tokens: tuple[str, ...]
    files: ForgeFiles
    is_run: Callable[[Mapping[str, str]], bool]
    context: Callable[[], ContextReader]
    opening: Callable[[], Opening]
