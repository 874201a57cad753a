"""The team's own commands: run, watched, and stopped as a whole."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import msgspec

from assent.errors import OutsideError, UsageError
from assent.measure.interpreters import Seen
from assent.measure.watch import Watch

GRACE_S = 5.0

_PAUSE_MS, _SHORT_PAUSE_MS = 500, 20
"""How long a wait lasts that the end of the child interrupts, and one that nothing does."""


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended and what it took.

    `exit_code` is the shell's: 128 + N after signal N. `cpu_s` is user and system time of all
    processes that the command waited for. `peak_memory_bytes` is the largest sum of the resident
    memory of the command's processes that was seen; memory that they share counts for each.
    `seen` are the Python interpreters that ran, as far as they were seen.
    """

    exit_code: int
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int | None
    seen: Seen = Seen()


def run_command(
    command: str,
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    stdout: int | IO[bytes] | None = None,
    hold: int | None = None,
) -> CommandResult:
    """Run `command` with `/bin/sh -c` in `folder`, its output shown as it comes.

    `env` replaces the whole environment; `stdout` sends the command's standard output elsewhere,
    such as to standard error. `hold` is a file descriptor that its processes inherit. Standard
    input is empty. On Ctrl-C every process of the command is told to stop, and killed if it does
    not; then `KeyboardInterrupt` is raised again.
    """
    started = time.monotonic()
    process = _start(command, folder, env, stdout, hold)
    watch = Watch(process.pid, folder)
    try:
        watch.start()
        status, usage = _wait(process.pid)
    except KeyboardInterrupt:
        _stop(process)
        raise
    finally:
        watch.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    return CommandResult(
        exit_code=process.returncode if process.returncode >= 0 else 128 - process.returncode,
        wall_s=time.monotonic() - started,
        cpu_s=cpu_s,
        peak_memory_bytes=max(watch.peak_bytes, _largest_process_bytes(usage)) or None,
        seen=watch.seen(cpu_s),
    )


def _start(
    command: str,
    folder: Path,
    env: Mapping[str, str] | None,
    stdout: int | IO[bytes] | None,
    hold: int | None,
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
            pass_fds=() if hold is None else (hold,),
        )
    except ValueError as error:  # a null byte
        raise UsageError(doing, str(error)) from None
    except OSError as error:
        if not folder.is_dir():
            raise UsageError(doing, f"there is no folder {folder}") from None
        raise OutsideError(doing, error.strerror or str(error)) from None


def _wait(child: int) -> tuple[int, resource.struct_rusage]:
    """Wait for the end of a child: its status, and what it has used.

    A signal that comes between Python's last look and the call that waits is not heard until that
    call returns. So none of these lasts long.
    """
    with ExitStack() as stack:
        ends = select.poll()
        pause_ms = _PAUSE_MS
        try:
            descriptor = os.pidfd_open(child)  # readable at the end
        except (AttributeError, OSError):  # not Linux, or an old one
            pause_ms = _SHORT_PAUSE_MS
        else:
            stack.callback(os.close, descriptor)
            ends.register(descriptor, select.POLLIN)
        while True:
            ended, status, usage = os.wait4(child, os.WNOHANG)
            if ended:
                return status, usage
            ends.poll(pause_ms)


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
