"""The environment that a command runs in: interpreter, packages and machine.

Nothing here fails. What cannot be found out is absent.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from assent import parsing
from assent.core.evidence import Environment
from assent.errors import AssentError
from assent.measure import lockfiles
from assent.measure.files import path_below, read_small, require_inside
from assent.measure.lockfiles import by_name
from assent.parsing import ParseError


class Packages(NamedTuple):
    """Installed or locked packages by normalised name, where they are known from, and the version
    of Python where that is known.
    """

    versions: dict[str, str]
    source: str | None = None
    python: str | None = None


def read_environment(root: Path, command: str) -> Environment:
    """The environment that `command` ran in, when it was run in `root`.

    Packages are asked of the interpreter if the command names one; otherwise they are those of
    the active conda environment, or else of the first lock file in `root`. A command of
    `uv run` or `poetry run` has the packages of its lock file.
    """
    packages = _packages(root, command)
    return Environment(
        python=packages.python,
        platform=platform.platform(),
        machine=platform.machine(),
        cpu=_cpu(),
        cpu_count=_cpu_count(),
        memory_bytes=_memory_bytes(),
        gpus=_gpus(),
        cuda=_cuda(packages.versions),
        driver=_driver(),
        packages=packages.versions,
        packages_from=packages.source,
    )


def _packages(root: Path, command: str) -> Packages:
    words = _words(command)
    is_locked = words[:2] in (["uv", "run"], ["poetry", "run"])
    interpreter = None if is_locked else _interpreter(root, words)
    asked = None if interpreter is None else _ask(root, interpreter)
    if asked is not None:
        return asked
    conda = None if is_locked else _conda()
    return conda or _locked(root) or Packages({})


def _words(command: str) -> list[str]:
    """The words of a command without the variables set before it (`SEED=1 python …`)."""
    try:
        words = shlex.split(command)
    except ValueError:  # a quote that is not closed
        words = command.split()
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
        del words[0]
    return words


def _interpreter(root: Path, words: list[str]) -> str | None:
    if not words or not re.fullmatch(r"(?:python|pypy)[0-9.]*", words[0].rsplit("/", 1)[-1]):
        return None
    if "/" in words[0]:
        return str((root / words[0]).absolute())
    return shutil.which(words[0])


# The empty entry of the path is the working folder, where a `json.py` of the team may lie.
_QUESTION = """
import sys
sys.path[:] = filter(None, sys.path)
import json, platform
from importlib.metadata import distributions
packages = {}
for one in distributions():
    try:
        packages.setdefault(one.metadata["Name"], one.version)
    except Exception:
        pass
answer = [platform.python_implementation(), platform.python_version(), packages]
print()
print(json.dumps(answer, skipkeys=True))
"""


def _ask(root: Path, interpreter: str) -> Packages | None:
    """What the interpreter says of itself. It is asked in `root`, since version managers choose
    by folder.
    """
    shown = _output([interpreter, "-c", _QUESTION], timeout_s=30, folder=root)
    try:
        implementation, version, packages = json.loads((shown or "").splitlines()[-1])
        versions = by_name(packages.items())
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    python = str(version) if implementation == "CPython" else f"{implementation} {version}"
    return Packages(versions, "pip", python)


def _conda() -> Packages | None:
    """The active conda environment; its files are named after name, version and build."""
    prefix = os.environ.get("CONDA_PREFIX")
    if not prefix:
        return None
    parts = [path.stem.rsplit("-", 2) for path in Path(prefix, "conda-meta").glob("*.json")]
    versions = by_name((part[0], part[1]) for part in parts if len(part) == 3)
    return Packages(versions, "conda", versions.get("python")) if versions else None


def _locked(root: Path) -> Packages | None:
    for name in _LOCK_FILES:
        try:
            versions = lockfiles.pins(name, read_small(root / name), partial(_included, root))
        except (AssentError, ParseError):
            continue
        if versions:
            return Packages(versions, name, versions.get("python"))
    return None


def _included(root: Path, name: str) -> bytes | None:
    """A file that a requirements file includes, if it is inside of the repository."""
    try:
        place = path_below(root, name)
        require_inside(root, place)
        return read_small(place)
    except AssentError:
        return None


_LOCK_FILES = (
    "uv.lock",
    "poetry.lock",
    "pylock.toml",
    "Pipfile.lock",
    "requirements.lock",
    "requirements.txt",
    "conda-lock.yml",
    "conda-linux-64.lock",
    "environment.yml",
    "environment.yaml",
)
"""The first of these that pins anything counts."""


def _cpu() -> str | None:
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return None
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else None


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


def _gpus() -> tuple[str, ...]:
    shown = _nvidia("-L")
    return tuple(re.findall(r"^GPU \d+: (.+?)(?: \(UUID: .*)?$", shown, re.MULTILINE))


def _driver() -> str | None:
    """The version of the driver; it is one for all GPUs of a machine."""
    shown = _nvidia("--query-gpu=driver_version", "--format=csv,noheader")
    match = re.match(r"\d+(?:\.\d+)+$", shown, re.MULTILINE)
    return match[0] if match else None


def _nvidia(*words: str) -> str:
    if shutil.which("nvidia-smi") is None:
        return ""
    return _output(["nvidia-smi", *words], timeout_s=5) or ""


def _cuda(packages: Mapping[str, str]) -> str | None:
    """The version of the CUDA toolkit that is installed, or else of the runtime that came with a
    package: what `nvidia-smi` prints is only the newest one that the driver could serve.
    """
    for folder in filter(None, (os.environ.get("CUDA_HOME"), "/usr/local/cuda")):
        try:
            said = parsing.parse_json(read_small(Path(folder, "version.json")))
            return str(said["cuda"]["version"])
        except (AssentError, ParseError, LookupError, TypeError):
            continue
    runtimes = [name for name in packages if name.startswith("nvidia-cuda-runtime")]
    return packages[runtimes[0]] if runtimes else None


def _output(words: list[str], timeout_s: float, folder: Path | None = None) -> str | None:
    """What a program writes, or None if it fails or takes longer than `timeout_s`."""
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
