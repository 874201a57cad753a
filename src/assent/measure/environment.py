"""The machine that a command runs on, and what it ran with.

Nothing here fails. What cannot be found out is absent.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from assent import parsing
from assent.core.evidence import Environment
from assent.errors import AssentError
from assent.measure.files import read_small
from assent.measure.interpreters import Seen
from assent.measure.outside import output_of
from assent.measure.packages import Packages, joined, read_packages
from assent.parsing import ParseError


def read_environment(
    root: Path, command: str, seen: Seen, *, python: str | None = None
) -> Environment:
    """The environment of `command` after it has run in `root`, where `seen` ran. `python` is the
    interpreter that the team says is the one.
    """
    packages = read_packages(root, command, seen, python=python)
    environment = Environment(
        platform=platform.platform(),
        machine=platform.machine(),
        cpu=_cpu(),
        cpu_count=_cpu_count(),
        memory_bytes=_memory_bytes(),
        gpus=_gpus(),
        cuda=_cuda(packages.versions),
        driver=_driver(),
    )
    return with_packages(environment, packages)


def with_packages(environment: Environment, packages: Packages) -> Environment:
    """The environment, where what ran with `packages` ran as well."""
    known = Packages(
        versions=environment.packages,
        source=environment.packages_from,
        python=environment.python,
        gap=environment.packages_gap,
        interpreters=environment.interpreters,
    )
    both = packages if known == Packages() else joined((known, packages))
    return msgspec.structs.replace(
        environment,
        python=both.python,
        packages=both.versions,
        packages_from=both.source,
        packages_gap=both.gap,
        interpreters=both.interpreters,
    )


def _cpu() -> str | None:
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.processor() or None
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    if match is not None:
        return match[1].strip()
    # ARM has numbers for a name.
    numbers = (re.search(rf"^CPU {field}\s*:\s*(\S+)$", text, re.MULTILINE) for field in _ARM)
    return (
        ", ".join(f"{match[0].split(':')[0].strip()} {match[1]}" for match in numbers if match)
        or None
    )


_ARM = ("implementer", "part")


def _cpu_count() -> int | None:
    """The processors that this process may use, which in a container are fewer than there are."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not on every system
        return os.cpu_count()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _gpus() -> tuple[str, ...] | None:
    """The names of the GPUs; None where there may be some that nobody here can name."""
    shown = _nvidia("-L")
    if shown is None:
        return None if _may_have_gpus() else ()
    gpus = tuple(re.findall(r"^GPU \d+: (.+?)(?: \(UUID: .*)?$", shown, re.MULTILINE))
    return gpus or (None if _may_have_gpus() else ())


def _may_have_gpus() -> bool:
    """Whether there is a device that computes: NVIDIA's, AMD's, an accelerator of another kind,
    that of Windows below Linux, or whatever a Mac has.
    """
    patterns = ("nvidia[0-9]*", "kfd", "accel*", "dxg")
    devices = Path("/dev")
    return platform.system() == "Darwin" or any(any(devices.glob(pattern)) for pattern in patterns)


def _driver() -> str | None:
    """The version of the driver; it is one for all GPUs of a machine."""
    shown = _nvidia("--query-gpu=driver_version", "--format=csv,noheader")
    match = re.match(r"\d+(?:\.\d+)+$", shown or "", re.MULTILINE)
    return match[0] if match else None


def _nvidia(*words: str) -> str | None:
    """What NVIDIA's tool says; None if it is not there or fails."""
    if shutil.which("nvidia-smi") is None:
        return None
    return output_of(["nvidia-smi", *words], timeout_s=5)


def _cuda(packages: Mapping[str, str]) -> str | None:
    """The version of the CUDA toolkit that is installed, or else of the runtime that came with a
    package: what `nvidia-smi` prints is only the newest one that the driver could serve.
    """
    for folder in filter(None, (os.environ.get("CUDA_HOME"), "/usr/local/cuda")):
        try:
            version = parsing.parse_json(read_small(Path(folder, "version.json")))
            return str(version["cuda"]["version"])
        except (AssentError, ParseError, LookupError, TypeError):
            continue
    runtimes = [name for name in packages if name.startswith("nvidia-cuda-runtime")]
    return packages[runtimes[0]] if runtimes else None
