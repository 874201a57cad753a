"""Whole processes, measured one at a time and in turns, so that what disturbs one disturbs all."""

from __future__ import annotations

import os
import shlex
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class WrongExitError(Exception):
    """A measured command did not end as expected, so its time says nothing."""


@dataclass(frozen=True)
class Command:
    """A process to measure. `before` runs each time, outside of the measurement."""

    words: Sequence[str]
    folder: Path
    env: Mapping[str, str]
    before: Callable[[], object] = lambda: None
    exit_code: int = 0


@dataclass(frozen=True)
class Sample:
    """One run: wall time, CPU time of the process and of all it waited for, and the largest
    resident set of any of them.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int


@dataclass
class Samples:
    """All runs of one command, in order."""

    runs: list[Sample] = field(default_factory=list)

    @property
    def wall_s(self) -> float:
        return statistics.median(run.wall_s for run in self.runs)

    @property
    def cpu_s(self) -> float:
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        return max(run.peak_bytes for run in self.runs)


def run(command: Command) -> Sample:
    """Run a command once."""
    command.before()
    start = time.perf_counter()
    # One file for both outputs, not pipes: nobody has to read while the clock runs.
    with (command.folder / ".benchmark-output").open("w+b") as output:
        process = subprocess.Popen(
            command.words,
            cwd=command.folder,
            env=command.env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != command.exit_code:
            output.seek(0)
            raise WrongExitError(
                f"`{shlex.join(command.words)}` ended with {process.returncode}:\n"
                + output.read().decode(errors="replace")
            )
    return Sample(
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * 1024,
    )


def in_turns(commands: Mapping[str, Command], rounds: int) -> dict[str, Samples]:
    """Run every command once per round, in order; the first round only warms up."""
    samples = {name: Samples() for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            sample = run(command)
            if number > 0:
                samples[name].runs.append(sample)
    return samples


@dataclass(frozen=True)
class Ratio:
    """How many times as long one command takes as another: the ratio of the medians, and the
    quartiles of the ratios of neighbouring runs.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratio(samples: Samples, other: Samples) -> Ratio:
    """Wall time of `samples` in units of `other`."""
    walls = [(a.wall_s, b.wall_s) for a, b in zip(samples.runs, other.runs, strict=True)]
    paired = sorted(a / b for a, b in walls)
    low, _, high = statistics.quantiles(paired, n=4) if len(paired) > 1 else paired * 3
    return Ratio(value=samples.wall_s / other.wall_s, low=low, high=high)


def above(samples: Samples, start: Samples, floor: Samples) -> Ratio:
    """Wall time of `samples`, less that of `start`, in units of `floor`."""
    runs = zip(samples.runs, start.runs, floor.runs, strict=True)
    paired = sorted((a.wall_s - b.wall_s) / c.wall_s for a, b, c in runs)
    low, _, high = statistics.quantiles(paired, n=4) if len(paired) > 1 else paired * 3
    return Ratio(value=(samples.wall_s - start.wall_s) / floor.wall_s, low=low, high=high)
