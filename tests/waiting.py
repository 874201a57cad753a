"""Waiting for what another process does. A busy machine takes long, and that is no fault."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

HANGS_AFTER_S = 600
"""Only what hangs takes so long: a net for the tests, and nothing that they measure."""


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Wait until `holds` does; `what` says it."""
    deadline = time.monotonic() + HANGS_AFTER_S
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true: {what}")
        time.sleep(0.01)


def has_ended(pid: int) -> bool:
    """Whether a process has ended, whoever has to take note of that: in a container it may be
    nobody.
    """
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
