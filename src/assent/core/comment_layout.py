"""What a comment shows below its first screen, as a team wants it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Topic(StrEnum):
    """What a section of a review is about, whatever its heading says: in the order in which they
    are read, digests last.
    """

    GATES = "gates"
    RULES = "rules"
    METRICS = "metrics"
    PREDICTIONS = "predictions"
    DATA = "data"
    MODEL = "model"
    PLOTS = "plots"
    PARAMETERS = "parameters"
    ENVIRONMENT = "environment"
    APPROVALS = "approvals"
    SIDES = "sides"


class CommentLayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The comment on a change. `sections` are those it has, in this order; the full report has all
    of them. With `quiet: unchanged` those in which everything was looked at and is the same are
    told in one line together. What decides, what to look at, who decides, and gates that do not
    hold are there whatever it says.
    """

    sections: Annotated[tuple[Topic, ...], Meta(min_length=1)] = tuple(Topic)
    quiet: Literal["unchanged"] | None = None

    def __post_init__(self) -> None:
        """Refuse a section twice."""
        if len(set(self.sections)) < len(self.sections):
            raise ValueError("`sections` names one twice")
