"""Flags, and how the environment sets them.

Actions and templates pass every input as a variable, so that whether a policy is overridden or a
verdict becomes an exit code can hang on how `false` is read. Releases of Click differ in it, and
some take any text for yes; therefore it is read here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
STATES = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
"""What a variable can say, in any case of letters."""


class Flag(click.Option):
    """A flag; a variable that says neither yes nor no is a usage error."""

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """What the variable says, or None where it is empty or not there."""
        assert isinstance(self.envvar, str | None)
        text = os.environ.get(self.envvar or "", "")
        if not text.strip():
            return None
        state = read_state(text)
        if state is None:
            problem = f"{self.envvar} is {text[:40]!r}; it takes true or false"
            raise click.BadParameter(problem, ctx=ctx, param=self)
        return state


def read_state(text: str) -> bool | None:
    """Whether a variable says yes or no; None if neither."""
    return STATES.get(text.strip().lower())


def flag(*names: str, **attributes: Any) -> Callable[[F], F]:
    """A flag of a command, as `click.option` makes other options."""
    return click.option(*names, cls=Flag, is_flag=True, **attributes)
