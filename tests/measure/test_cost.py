"""What training and evaluating cost."""

from __future__ import annotations

import pytest

from assent.config.settings import CostSettings
from assent.core.direction import direction
from assent.core.evidence import Environment, Step
from assent.measure.cost import costs
from tests.builders import digest


def step(wall_s: float, cpu_s: float | None = None, peak: int | None = None) -> Step:
    return Step(
        command="python train.py",
        inputs_digest=digest("i"),
        started_at="2026-01-01T00:00:00Z",
        wall_s=wall_s,
        cpu_s=cpu_s,
        peak_memory_bytes=peak,
    )


TRAIN, EVALUATE = step(3600, 7200, 1_000), step(1800, 1800)
GPUS = Environment(gpus=("A100", "A100"))


def test_what_was_measured() -> None:
    assert costs(TRAIN, EVALUATE, GPUS, None, 5_000) == {
        "cost.train.wall_s": 3600.0,
        "cost.train.cpu_hours": 2.0,
        "cost.train.gpu_hours": 2.0,
        "cost.train.peak_memory_bytes": 1_000,
        "cost.evaluate.wall_s": 1800.0,
        "cost.evaluate.cpu_hours": 0.5,
        "cost.evaluate.gpu_hours": 1.0,
        "cost.model_bytes": 5_000,
    }


def test_what_was_not_measured_is_absent() -> None:
    assert costs(step(2), None, Environment(), None, None) == {"cost.train.wall_s": 2.0}
    assert costs(None, None, GPUS, CostSettings(hour=1), None) == {}


def test_the_price_of_both_commands() -> None:
    settings = CostSettings(currency="CHF", hour=2, cpu_hour=0.1, gpu_hour=3)
    found = costs(TRAIN, EVALUATE, GPUS, settings, None)
    assert found["cost.chf"] == pytest.approx(2 * 1.5 + 0.1 * 2.5 + 3 * 3)


def test_energy() -> None:
    settings = CostSettings(watts=10, gpu_watts=400)
    found = costs(TRAIN, None, GPUS, settings, None)
    assert found["cost.energy_kwh"] == pytest.approx((10 * 2 + 400 * 2) / 1000)
    assert "cost.usd" not in found


@pytest.mark.parametrize("rates", [CostSettings(cpu_hour=1.0), CostSettings(watts=10.0)])
def test_a_total_of_what_is_not_known_is_not_known(rates: CostSettings) -> None:
    found = costs(TRAIN, step(60), GPUS, rates, None)
    assert not {"cost.usd", "cost.energy_kwh"} & found.keys()


def test_a_rate_of_zero_is_a_rate() -> None:
    assert costs(TRAIN, None, Environment(), CostSettings(hour=0), None)["cost.usd"] == 0.0


def test_digits_that_were_not_measured_are_not_shown() -> None:
    assert costs(step(1 / 3), None, Environment(), None, None)["cost.train.wall_s"] == 0.333333


@pytest.mark.parametrize("currency", ["usd", "CHF", "xyz"])
def test_less_of_everything_is_better(currency: str) -> None:
    settings = CostSettings(currency=currency, hour=1, watts=1)
    found = costs(TRAIN, EVALUATE, GPUS, settings, 1)
    assert f"cost.{currency.lower()}" in found
    assert {direction(name) for name in found} == {"lower"}
