"""Options that take one of a few words."""

from __future__ import annotations

from typing import Any

import click

from assent.core.nearest import meant


class Nearest(click.Choice[str]):
    """One of a few words; whoever has mistyped one is told which was meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word. Fails with the one that is most like it."""
        try:
            word: str = super().convert(value, param, ctx)
        except click.BadParameter:
            known = ", ".join(self.choices)
            self.fail(f"{value!r} is none of {known}{meant(str(value), self.choices)}", param, ctx)
        return word
