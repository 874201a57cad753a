"""Bytes into a container registry and a bucket and back: Assent against other tools, and against
one process that sends the same bytes and hashes them. What is asked where nothing is new.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.stores.registries import registry

import requests
from benchmarks import store_requests
from benchmarks.context import Context
from benchmarks.figures import Figure, against, mebibytes, plain
from benchmarks.measure import Command, Samples, in_turns, ratio
from benchmarks.store_tools import Bytes, Tool, made, of_bucket, of_registry, sink

_MIB = 2**20
_REQUEST = re.compile(r'"(?:GET|HEAD|PUT|POST|PATCH|DELETE) /v2/')
_LOGGED: Mapping[str, Any] = {"log": {"level": "error"}}  # which logs what is asked


@dataclass(frozen=True)
class _Goals:
    """How many times the floor, and the fastest of the others; how much memory."""

    floor: float | None = None
    fastest: float | None = None
    peak: int | None = None


@dataclass
class _Scene:
    """Tools that move the same bytes to one place."""

    what: str
    given: Bytes
    env: Mapping[str, str]
    rounds: int
    goals: _Goals
    empty: Callable[[], object]
    log: Path | None = None

    def there(self, tools: Mapping[str, Tool]) -> Iterator[Figure]:
        """Each begins with an empty place."""
        commands = {name: self._command(tool.put, self.empty) for name, tool in tools.items()}
        yield from self._compared("sent", commands)

    def back(self, tools: Mapping[str, Tool]) -> Iterator[Figure]:
        """Each gets what it has sent."""
        self.empty()
        for tool in tools.values():
            in_turns({"": self._command(tool.put, lambda: None)}, 0)
        commands = {name: self._command(tool.get, self._clear) for name, tool in tools.items()}
        yield from self._compared("got and verified", commands)

    def _command(self, words: Sequence[str], before: Any) -> Command:
        return Command(words, self.given.folder, self.env, before=before)

    def _clear(self) -> None:
        shutil.rmtree(self.given.target)
        self.given.target.mkdir()

    def _compared(self, verb: str, commands: Mapping[str, Command]) -> Iterator[Figure]:
        what = f"{self.what}, {verb}"
        samples = in_turns(commands, self.rounds)
        yield plain("stores", f"floor: {what}", samples["floor"])
        for name in commands:
            if name != "floor":
                yield self._against_floor(name, what, samples)
        yield from self._against_fastest(what, samples)
        if self.log is not None:
            yield from self._requests(what, commands)

    def _against_floor(self, name: str, what: str, samples: Mapping[str, Samples]) -> Figure:
        limit = self.goals.floor if name == "assent" else None
        held = ratio(samples[name], samples["floor"])
        words = f"{name}, {what} ({mebibytes(samples[name].peak_bytes)} of memory)"
        return against("stores", words, samples[name], "the floor", held, limit)

    def _against_fastest(self, what: str, samples: Mapping[str, Samples]) -> Iterator[Figure]:
        peers = [name for name in samples if name not in ("floor", "assent")]
        ours, limit, most = samples["assent"], self.goals.fastest, self.goals.peak
        if peers:
            fastest = min(peers, key=lambda name: samples[name].wall_s)
            held = ratio(ours, samples[fastest])
            yield against("stores", f"assent, {what}", ours, fastest, held, limit)
        if most is not None:
            yield Figure(
                "stores",
                f"memory of assent, {what}",
                mebibytes(ours.peak_bytes),
                goal=f"at most {mebibytes(most)}",
                met=ours.peak_bytes <= most,
                numbers={"peak_bytes": ours.peak_bytes},
            )

    def _requests(self, what: str, commands: Mapping[str, Command]) -> Iterator[Figure]:
        """How often each asks, counted by what the registry has logged."""
        assert self.log is not None
        for name, command in commands.items():
            before = len(_REQUEST.findall(self.log.read_text()))
            in_turns({"": command}, 0)
            count = len(_REQUEST.findall(self.log.read_text())) - before
            numbers = {"requests": float(count)}
            yield Figure("stores", f"{name}, {what}", f"{count:,} requests", numbers=numbers)


def measure(context: Context) -> Iterator[Figure]:
    size = (128 if context.is_quick else 2048) * _MIB
    rounds = context.rounds(5, quick=2)
    large = made(context.folder / "large", 1, size)
    goals = _Goals(floor=1.3, fastest=1.0)
    yield from _registry(context, f"{mebibytes(size)}, registry", large, goals, rounds)
    goals = _Goals(fastest=1.2, peak=200 * 10**6)
    yield from _bucket(context, f"{mebibytes(size)}, S3", large, goals, rounds)
    shutil.rmtree(context.folder / "large")
    count = 500 if context.is_quick else 10_000
    small = made(context.folder / "small", count, 64 << 10)
    goals = _Goals(floor=1.5)
    what = f"{count:,} files of 64 KiB, registry"
    yield from _registry(context, what, small, goals, context.rounds(3, quick=2))
    shutil.rmtree(context.folder / "small")
    yield from store_requests.unchanged(context)


def _registry(
    context: Context, what: str, given: Bytes, goals: _Goals, rounds: int
) -> Iterator[Figure]:
    place = given.folder.with_name("registry")
    with registry(place, _LOGGED) as server:
        tools, absent = of_registry(server.host, given, install=context.with_peers)
        env = {**context.env, "DOCKER_CONFIG": str(place)}
        log = place / "registry.log" if len(given.files) > 1 else None
        kept = server.root / "docker"
        empty = partial(shutil.rmtree, kept, ignore_errors=True)
        scene = _Scene(what, given, env, rounds, goals, empty, log=log)
        yield from _both(scene, tools, absent)
    shutil.rmtree(place)


def _bucket(
    context: Context, what: str, given: Bytes, goals: _Goals, rounds: int
) -> Iterator[Figure]:
    place = given.folder.with_name("sink")
    with sink(place) as host:
        tools, absent = of_bucket(host, given, install=context.with_peers)
        env = context.env | _login(host)
        empty = partial(requests.delete, f"http://{host}/", timeout=60)
        scene = _Scene(what, given, env, rounds, goals, empty)
        yield from _both(scene, tools, absent)
    shutil.rmtree(place)


def _both(scene: _Scene, tools: Mapping[str, Tool], absent: Sequence[str]) -> Iterator[Figure]:
    for name in absent:
        yield Figure("stores", f"{name}, {scene.what}", "skipped: not installed")
    yield from scene.there(tools)
    yield from scene.back(tools)


def _login(host: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": f"http://{host}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
