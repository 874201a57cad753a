"""What holds for every test."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

# Before anything imports NumPy: its threads have little to do here, and turn round and round.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from tests import starting
from tests.effort import IS_SOAK, examples

# One profile for all properties. A busy machine breaks none of them: no example has a deadline.
settings.register_profile(
    "assent",
    settings.default,
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("assent")

# Thousands of tests keep much; looking for cycles in it takes longer than it frees.
gc.set_threshold(100_000)

# A shell that starts the tests in the background lets them ignore Ctrl-C, and so every process that
# they start. The tests of being interrupted need it as it is at a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def for_real() -> Iterator[ExitStack]:
    """Every start of `assent` is one of the program itself, with all that Python does. A long story
    closes this when it has seen enough of that.
    """
    with ExitStack() as stack:
        stack.enter_context(starting.for_real())
        yield stack


LONG = (
    *("tests/e2e/test_gitlab", "tests/e2e/test_github", "tests/e2e/test_strangers"),
    *("tests/templates/test_existing", "tests/measure/profiles/test_spark", "tests/e2e/test_story"),
)
"""Where the tests are that take longest."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `soak` runs in `script/soak` alone, whatever else was selected. What takes
    long begins first: at the end there are short ones for every process.
    """
    left_out = [] if IS_SOAK else [one for one in items if one.get_closest_marker("soak")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        out = set(left_out)
        items[:] = [one for one in items if one not in out]
    items.sort(key=lambda one: not one.nodeid.startswith(LONG))
