"""Run `assent` and send it a signal at the n-th thing it does to the world.

`python stopped.py <signal> <n> <verb> …`. What counts is what Python itself reports: opening a
file for writing, renaming, removing, making a folder, starting a process. With n = 0 nothing is
sent, and the number of things done is written to the file named by `STOPPED_COUNT`. With
`STOPPED_ONLY` one kind of thing counts, such as `os.rename`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "subprocess.Popen"}


def main() -> None:
    sign, at = signal.Signals[sys.argv[1]], int(sys.argv[2])
    sys.argv[1:] = sys.argv[3:]
    count = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        is_write = event == "open" and int(str(arguments[2])) & (os.O_WRONLY | os.O_RDWR)
        if event not in CHANGES and not is_write:
            return
        if event != os.environ.get("STOPPED_ONLY", event):
            return
        count += 1
        if count == at:
            # To the group, as a terminal does: Git hears of it too.
            os.killpg(0, sign)

    from assent.cli.main import main as assent
    from assent.cli.run import guarded

    del guarded  # imported now, so that only the verb itself is counted
    sys.addaudithook(watch)
    try:
        assent()
    finally:
        counted = os.environ.get("STOPPED_COUNT")
        if counted is not None:
            done, at = count, 0
            Path(counted).write_text(str(done))


if __name__ == "__main__":
    main()
