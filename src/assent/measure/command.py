"""The team's own commands: run, watched, and stopped as a whole."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import msgspec
import psutil

from assent.errors import OutsideError, UsageError

SAMPLE_EVERY_S = 0.05
GRACE_S = 5.0


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended and what it took.

    `exit_code` is the shell's: 128 + N after signal N. `cpu_s` is user and system time of all
    processes that the command waited for. `peak_memory_bytes` is the largest sum of the resident
    memory of the command's processes that was seen; memory that they share counts for each.
    """

    exit_code: int
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int | None


def run_command(
    command: str,
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    stdout: int | IO[bytes] | None = None,
) -> CommandResult:
    """Run `command` with `/bin/sh -c` in `folder`, its output shown as it comes.

    `env` replaces the whole environment; `stdout` sends the command's standard output elsewhere,
    such as to standard error. Standard input is empty. On Ctrl-C every process of the command is
    told to stop, and killed if it does not; then `KeyboardInterrupt` is raised again.
    """
    started = time.monotonic()
    process = _start(command, folder, env, stdout)
    memory = _Memory(process.pid)
    try:
        memory.start()
        _, status, usage = os.wait4(process.pid, 0)
    except KeyboardInterrupt:
        _stop(process)
        raise
    finally:
        memory.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    return CommandResult(
        exit_code=process.returncode if process.returncode >= 0 else 128 - process.returncode,
        wall_s=time.monotonic() - started,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_memory_bytes=max(memory.peak_bytes, _largest_process_bytes(usage)) or None,
    )


def _start(
    command: str, folder: Path, env: Mapping[str, str] | None, stdout: int | IO[bytes] | None
) -> subprocess.Popen[bytes]:
    doing = f"running {command!r}"
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what was said before comes before what the command says
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=folder,
            env=env,
            # Not the terminal's: a process group in the background is stopped when it reads it.
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            process_group=0,
        )
    except ValueError as error:  # a null byte
        raise UsageError(doing, str(error)) from None
    except OSError as error:
        if not folder.is_dir():
            raise UsageError(doing, f"there is no folder {folder}") from None
        raise OutsideError(doing, error.strerror or str(error)) from None


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: ask, insist, kill. A second Ctrl-C kills at once."""
    try:
        for sign in (signal.SIGINT, signal.SIGTERM):
            if _signal(process.pid, sign) and _ends_within(process, GRACE_S):
                return
    finally:
        _signal(process.pid, signal.SIGKILL)
        process.wait()


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether no process of the group is left after `seconds`. The shell may end before the
    programs it started, which write their last checkpoint.
    """
    deadline = time.monotonic() + seconds
    while process.poll() is None or _signal(process.pid, 0):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def _signal(group: int, sign: int) -> bool:
    """Send a signal to a process group; whether there is one."""
    try:
        os.killpg(group, sign)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs as somebody else now (sudo)
        return sign == 0
    return True


def _largest_process_bytes(usage: resource.struct_rusage) -> int:
    """The peak of the largest process that the command waited for, or 0 where that is unknown:
    on Linux a child starts with the peak of the process that started it.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit if usage.ru_maxrss > own else 0


class _Memory:
    """A thread that adds up the resident memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.peak_bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def start(self) -> None:
        """Take the first sample at once, then more until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more samples."""
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        pause = 0.0
        while not self._done.wait(pause):
            before = time.monotonic()
            try:
                self._add_up([self.process, *self.process.children(recursive=True)])
            except psutil.Error:  # it has ended
                return
            # Where there are thousands of processes a sample is slow: then sample less often.
            pause = max(SAMPLE_EVERY_S, 10 * (time.monotonic() - before))

    def _add_up(self, processes: list[psutil.Process]) -> None:
        total = 0
        for process in processes:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        self.peak_bytes = max(self.peak_bytes, total)
