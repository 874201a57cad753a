"""What training and evaluating cost, as ordinary metrics, so that a gate can bound it.

Nothing is guessed: an amount that was not measured, and a price that nobody stated, are absent.
"""

from __future__ import annotations

from typing import Protocol

from assent.core.evidence import Environment, Step
from assent.core.scalar import Scalar, scalar

_HOUR_S = 3600.0
_DIGITS = 6


class Rates(Protocol):
    """The team's rates: `CostSettings` of `assent.yaml`."""

    @property
    def currency(self) -> str:
        """Three letters."""

    @property
    def hour(self) -> float | None:
        """The price of an hour of the machine."""

    @property
    def cpu_hour(self) -> float | None:
        """The price of an hour of one core."""

    @property
    def gpu_hour(self) -> float | None:
        """The price of an hour of one GPU."""

    @property
    def watts(self) -> float | None:
        """The power of one busy core."""

    @property
    def gpu_watts(self) -> float | None:
        """The power of one GPU."""


def costs(
    train: Step | None,
    evaluate: Step | None,
    environment: Environment,
    settings: Rates | None,
    model_size_bytes: int | None,
) -> dict[str, Scalar]:
    """Metrics by name: `cost.train.wall_s`, `cost.train.cpu_hours`, `cost.train.gpu_hours`,
    `cost.train.peak_memory_bytes`, the same of `evaluate`, `cost.model_bytes`, and of both
    commands together `cost.energy_kwh` and `cost.<currency>`.

    A GPU counts for as long as the command runs. What has no rate in `settings` is not priced;
    where a rate is given and its amount is not known, the total is not known either.
    """
    figures: dict[str, Scalar] = {}
    steps = [(name, step) for name, step in (("train", train), ("evaluate", evaluate)) if step]
    gpus = None if environment.gpus is None else len(environment.gpus)
    for name, step in steps:
        figures[f"cost.{name}.wall_s"] = _rounded(step.wall_s)
        if step.cpu_s is not None:
            figures[f"cost.{name}.cpu_hours"] = _rounded(step.cpu_s / _HOUR_S)
        if gpus:
            figures[f"cost.{name}.gpu_hours"] = _rounded(_gpu_hours(step, gpus))
        if step.peak_memory_bytes is not None:
            figures[f"cost.{name}.peak_memory_bytes"] = step.peak_memory_bytes
    if settings is not None and steps:
        measured = [step for _, step in steps]
        figures |= _total(
            "cost.energy_kwh",
            _energy_kwh(measured, gpus, settings),
        )
        figures |= _total(f"cost.{settings.currency.lower()}", _price(measured, gpus, settings))
    if model_size_bytes is not None:
        figures["cost.model_bytes"] = model_size_bytes
    return figures


def _gpu_hours(step: Step, gpus: int) -> float:
    return step.wall_s / _HOUR_S * gpus


def _energy_kwh(steps: list[Step], gpus: int | None, settings: Rates) -> float | None:
    if settings.watts is None and settings.gpu_watts is None:
        return None
    if settings.gpu_watts is not None and gpus is None:
        return None
    total = 0.0
    for step in steps:
        if settings.watts is not None:
            if step.cpu_s is None:
                return None
            total += settings.watts * step.cpu_s / _HOUR_S
        total += (settings.gpu_watts or 0.0) * _gpu_hours(step, gpus or 0)
    return total / 1000


def _price(steps: list[Step], gpus: int | None, settings: Rates) -> float | None:
    if settings.hour is None and settings.cpu_hour is None and settings.gpu_hour is None:
        return None
    if settings.gpu_hour is not None and gpus is None:
        return None
    total = 0.0
    for step in steps:
        if settings.cpu_hour is not None:
            if step.cpu_s is None:
                return None
            total += settings.cpu_hour * step.cpu_s / _HOUR_S
        total += (settings.hour or 0.0) * step.wall_s / _HOUR_S
        total += (settings.gpu_hour or 0.0) * _gpu_hours(step, gpus or 0)
    return total


def _total(name: str, value: float | None) -> dict[str, Scalar]:
    return {} if value is None else {name: _rounded(value)}


def _rounded(value: float) -> Scalar:
    """To six significant digits: more were not measured."""
    return scalar(float(f"{value:.{_DIGITS}g}"))
