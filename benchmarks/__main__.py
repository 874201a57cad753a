"""`python -m benchmarks [name ...] [--quick] [--json] [--peers]`."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.context import Context
from benchmarks.figures import Figure, as_json, as_text
from benchmarks.project import environment

NAMES = (
    *("start", "review", "registry", "growth", "writers", "cache", "flushing", "bundle"),
    *("reading", "requests", "diffs", "fetched", "stores", "site", "peers"),
)


def main() -> None:
    """Measure, and say so: goals that are missed are no reason to fail."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument("--json", action="store_true", help="print JSON when all is done")
    parser.add_argument("--peers", action="store_true", help="install the peers and measure them")
    parser.add_argument("--scratch", type=Path, help="where to work; on the disk to be measured")
    given = parser.parse_args()
    unknown = sorted(set(given.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    machine = _machine()
    print(machine, file=sys.stderr)
    figures: list[Figure] = []
    for name in given.names or NAMES:
        with tempfile.TemporaryDirectory(prefix="assent-benchmark-", dir=given.scratch) as folder:
            scratch = Path(folder).resolve()
            context = Context(scratch, environment(scratch), given.quick, given.peers)
            for figure in importlib.import_module(f"benchmarks.{name}").measure(context):
                figures.append(figure)
                if not given.json:
                    print(as_text(figure), flush=True)
    if given.json:
        print(as_json(figures))


def _machine() -> str:
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True)
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return f"{system}, Python {platform.python_version()}, {git.stdout.strip()}, load {load}"


if __name__ == "__main__":
    main()
