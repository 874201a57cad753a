"""The gate on predictions: how many rows came out otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assent.core.diff import Diff
from assent.core.diff.predictions import PredictionsDiff
from assent.core.evidence import Evidence
from assent.core.scalar import show, show_about
from assent.core.verdict import Finding, Outcome
from assent.policy.gates.amounts import Percent, share_of
from assent.policy.gates.findings import (
    INCONCLUSIVE,
    Undecided,
    WithoutBaseline,
    alone,
    bounded,
    failed,
    undecided,
)
from assent.policy.gates.words import named

Bound = Annotated[float, Meta(ge=0)] | Percent
"""A share of the rows, or a number of slices."""


class PredictionsGate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`max` bounds a share of the rows that both models have predicted: `negative_flips` (right
    before, wrong now), `positive_flips`, `disagreement` (predicted otherwise), `labels_changed`
    (the truth itself was changed); or the number of `worse_slices`, which got worse beyond chance.

    If both models have predicted fewer than 99% of the baseline's rows, if more than 1% of these
    have another label, or if the tasks are different ones, nothing is judged that depends on it:
    `undecided` says what that means: `block`, `approve` (a person decides) or `warn`. For different
    rows `inconclusive` says it where it is given.
    """

    predictions: Literal[
        "negative_flips", "positive_flips", "disagreement", "labels_changed", "worse_slices"
    ]
    max: Bound
    inconclusive: Literal["approve", "block", "pass"] | None = None
    undecided: Undecided = "block"

    def __post_init__(self) -> None:
        """Refuse a bound that everything keeps, or that is in the wrong unit."""
        if self.predictions == "worse_slices":
            if isinstance(self.max, str) or self.max != int(self.max):
                raise ValueError("max is a number of slices here, such as 0")
        elif not self._limit < 1:
            raise ValueError(f"max is a share of the rows, such as 2%; {self.max} allows all")

    @property
    def _limit(self) -> float:
        return share_of(self.max)

    def judge(
        self, diff: Diff, evidence: Evidence, *, without_baseline: WithoutBaseline
    ) -> list[Finding]:
        """One finding. Without the candidate's predictions it blocks; without the baseline's the
        policy says whether it does.
        """
        del evidence  # the diff says what there is
        rule = f"predictions {self.predictions} max {show(self.max)}"
        compared = diff.predictions
        if compared is None:
            return [
                failed(
                    rule=rule,
                    reason="the candidate has no predictions",
                    remedy="declare `predictions`, without `keep: false`; `evaluate` writes them",
                )
            ]
        if compared.old_rows is None:
            has_baseline = diff.baseline is not None
            reason = "the baseline has no predictions" if has_baseline else "no baseline"
            return [alone(rule, reason, without_baseline)]
        return [self._judge(rule, compared, diff.lost_slices)]

    def _judge(self, rule: str, compared: PredictionsDiff, lost: Sequence[str]) -> Finding:
        if not compared.is_paired:
            return self._of_other_rows(rule, compared)
        if compared.has_other_labels and self.predictions not in (
            "labels_changed",
            "disagreement",
        ):
            return undecided(
                rule,
                "who is right depends on which labels are",
                self.undecided,
                evidence=f"{compared.labels_changed:,} of {compared.joined:,} rows have "
                "another label than in the baseline",
                remedy="evaluate the baseline again with the new labels",
            )
        measured = self._measured(compared)
        if measured is None:
            return failed(
                rule=rule,
                reason=f"a {compared.task} model has no {self.predictions.replace('_', ' ')}",
                remedy="declare the column `prediction`, or correct the gate on the base branch",
            )
        value, evidence = measured
        if self.predictions == "worse_slices" and value <= self._limit:
            unknown = self._of_slices(rule, compared, lost)
            if unknown is not None:
                return unknown
        return bounded(
            rule,
            value <= self._limit,
            "within the bound",
            "above the bound",
            evidence,
            "look at who got worse, or change the bound on the base branch",
        )

    def _of_slices(
        self, rule: str, compared: PredictionsDiff, lost: Sequence[str]
    ) -> Finding | None:
        """What keeps slices that were not looked at from being called no worse."""
        if lost or not (compared.slices_judged or compared.slices_untested):
            return _unjudged(rule, lost)
        if compared.slices_untested:
            slices = compared.slices_judged + compared.slices_untested
            return undecided(
                rule,
                "nothing says of some slices whether their change is chance",
                self.undecided,
                evidence=f"{compared.slices_untested:,} of {slices:,} slices",
                remedy="predict more rows or groups of them, or bound their metric itself: "
                "`{slice: …, metric: …, max_drop: …}`",
            )
        if compared.slices_left_out:
            return Finding(
                rule=rule,
                outcome=Outcome.WARNED,
                reason=f"{compared.slices_left_out:,} smaller slices were too many to be looked at",
                remedy="declare slices with fewer values",
            )
        return None

    def _of_other_rows(self, rule: str, compared: PredictionsDiff) -> Finding:
        reason = compared.problem or "the rows are different ones"
        evidence = f"{compared.joined:,} rows of both models"
        if self.inconclusive is None:
            remedy = "predict the rows of the baseline"
            return undecided(rule, reason, self.undecided, evidence=evidence, remedy=remedy)
        return Finding(
            rule=rule,
            outcome=INCONCLUSIVE[self.inconclusive],
            reason=f"inconclusive: {reason}",
            evidence=evidence,
            remedy="let a person decide, or predict the rows of the baseline",
        )

    def _measured(self, compared: PredictionsDiff) -> tuple[float, str] | None:
        """What is bounded, and how it reads; None if these predictions do not have it."""
        rows = compared.joined
        match self.predictions:
            case "worse_slices":
                worse = len({(change.column, change.value) for change in compared.slices})
                return worse, f"{worse} of {compared.slices_judged:,} slices"
            case "labels_changed":
                count = compared.labels_changed
            case "disagreement":
                if compared.disagreement is None:
                    return None
                count = round(compared.disagreement * rows)
            case flips:
                if compared.flips is None:
                    return None
                count = compared.flips.worse if flips == "negative_flips" else compared.flips.better
        return count / rows, f"{count:,} of {rows:,} rows ({show_about(100 * count / rows)}%)"


def _unjudged(rule: str, lost: Sequence[str]) -> Finding:
    """A slice that is gone has not got better."""
    return failed(
        rule=rule,
        reason="slices of the baseline are gone or have next to no rows left"
        if lost
        else "there is no slice with enough rows to judge",
        evidence=named(lost),
        remedy="predict the rows of all slices that the baseline has, under the same names",
    )
