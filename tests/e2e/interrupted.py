"""Run `assent` as its program does, and interrupt it at the n-th moment.

`python interrupted.py <n> <verb> …`. A moment is whatever Python itself reports from the first
instruction of `assent.__main__` on: looking for a module, opening a file, starting a process. With
n = 0 nothing is sent, and the number of moments is said on standard error.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys

SENT = b"interrupted now\n"


def main() -> None:
    at = int(sys.argv[1])
    sys.argv[1:] = sys.argv[2:]
    count = 0
    has_begun = False

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count, has_begun
        if not has_begun:
            # Before that it is Python's own start.
            has_begun = event == "exec" and "assent/__main__" in str(arguments[0])
            return
        if event not in ("import", "open", "exec", "subprocess.Popen"):
            return
        count += 1
        if count == at:
            os.write(2, SENT)
            os.kill(os.getpid(), signal.SIGINT)

    sys.addaudithook(watch)
    try:
        runpy.run_module("assent", run_name="__main__")
    finally:
        done, at_end = count, at
        if at_end == 0:
            sys.stderr.write(f"moments: {done}\n")


if __name__ == "__main__":
    main()
