"""File systems for tests, each mounted once for all tests of a process: one that lacks most of what
a file system may lack (`meagre.py`), and real ones: exFAT, NTFS, and a share over SFTP.

All of them are real for the kernel and for every process. Which of them can be mounted here depends
on the machine: FUSE, the programs that `script/setup` installs, for images of disks also root.
"""

from __future__ import annotations

import atexit
import functools
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.stores.lacks import Lack
from tests.waiting import wait_until

POOR = frozenset(Lack) - {
    *(Lack.TOUCHES, Lack.REPLACING, Lack.RENAMING, Lack.ATOMICITY, Lack.ROOM, Lack.STEADINESS)
}
"""All that a file system may lack without anybody noticing more than that."""
_SFTP_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server")
_IMAGE_BYTES = 256 << 20
_PROJECT = Path(__file__).parents[2]
_SERVERS: dict[Path, subprocess.Popen[bytes]] = {}
_CANNOT_MOUNT = "no FUSE here: file systems cannot be mounted"


class Kind(StrEnum):
    """Which file system."""

    POOR = "poor"
    EXFAT = "exfat"
    NTFS = "ntfs"
    SFTP = "sftp"


def new_folder(kind: Kind) -> Path:
    """A new folder on a file system, which is mounted by the first who asks. Skips the test where
    that cannot be done.
    """
    found = _mounted(kind)
    if isinstance(found, str):
        pytest.skip(found)
    folder = found / secrets.token_hex(8)
    folder.mkdir()
    return folder


@contextmanager
def meagre(place: Path, *lacks: Lack) -> Iterator[Path]:
    """A file system of one's own, which lacks this; `place / "beneath"` has its files."""
    if not _has_fuse():
        pytest.skip(_CANNOT_MOUNT)
    beneath, mounted = place / "beneath", place / "mounted"
    for folder in (beneath, mounted):
        folder.mkdir(parents=True, exist_ok=True)
    _mount_meagre(beneath, mounted, lacks)
    try:
        yield mounted
    finally:
        _unmount(mounted)


def _has_fuse() -> bool:
    return (
        os.access("/dev/fuse", os.R_OK | os.W_OK)
        and shutil.which("fusermount3") is not None
        and find_spec("mfusepy") is not None
    )


@functools.cache
def _mounted(kind: Kind) -> Path | str:
    """Where it is mounted, or why it cannot be."""
    if not _has_fuse():
        return _CANNOT_MOUNT
    home = Path(tempfile.mkdtemp(prefix="assent-fs-"))
    mounted = home / "mounted"
    mounted.mkdir()
    problem = _MOUNTS[kind](home, mounted)
    if problem:
        shutil.rmtree(home)
        return problem
    atexit.register(_put_away, home)
    return mounted


def _put_away(home: Path) -> None:
    _unmount(home / "mounted")
    shutil.rmtree(home, ignore_errors=True)


def _unmount(mounted: Path) -> None:
    for command in (["fusermount3", "-u", "-z"], ["umount", "-l"]):
        done = subprocess.run([*command, str(mounted)], check=False, capture_output=True)
        if done.returncode == 0:
            break
    server = _SERVERS.pop(mounted, None)
    if server is not None:
        server.wait()


def _poor(home: Path, mounted: Path) -> str:
    (home / "beneath").mkdir()
    _mount_meagre(home / "beneath", mounted, tuple(POOR))
    return ""


def _mount_meagre(beneath: Path, mounted: Path, lacks: tuple[Lack, ...]) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.stores.meagre",
        *map(str, (beneath, mounted)),
        ",".join(lacks),
    ]
    process = subprocess.Popen(command, cwd=_PROJECT)
    wait_until(lambda: os.path.ismount(mounted) or process.poll() is not None, "it is mounted")
    assert process.poll() is None
    _SERVERS[mounted] = process


def _exfat(home: Path, mounted: Path) -> str:
    return _on_disk(home, mounted, ["mkfs.exfat"], ["mount.exfat-fuse"])


def _ntfs(home: Path, mounted: Path) -> str:
    return _on_disk(home, mounted, ["mkfs.ntfs", "-F", "-q"], ["ntfs-3g"])


def _on_disk(home: Path, mounted: Path, make: list[str], mount: list[str]) -> str:
    if os.geteuid() != 0:
        return "only root mounts the image of a disk"
    for program in (make[0], mount[0], "losetup"):
        if shutil.which(program) is None:
            return f"{program} is not here"
    image = home / "image"
    with image.open("wb") as file:
        file.truncate(_IMAGE_BYTES)
    subprocess.run([*make, str(image)], check=True, capture_output=True)
    attached = ["losetup", "--find", "--show", str(image)]
    done = subprocess.run(attached, check=False, capture_output=True, text=True)
    device = done.stdout.strip()
    if not device:
        return "no loop device here"
    atexit.register(_detach, device)
    subprocess.run([*mount, device, str(mounted)], check=True, capture_output=True)
    wait_until(lambda: os.path.ismount(mounted), "it is mounted")
    return ""


def _detach(device: str) -> None:
    subprocess.run(["losetup", "-d", device], check=False, capture_output=True)


def _sftp(home: Path, mounted: Path) -> str:
    server = next((path for path in _SFTP_SERVERS if Path(path).exists()), "")
    if not server or shutil.which("sshfs") is None:
        return "sshfs or its server is not here"
    (home / "far").mkdir()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = listener.accept()
        with line:
            subprocess.run([server], stdin=line.fileno(), stdout=line.fileno(), check=False)

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    options = ["-o", f"directport={port}", f"127.0.0.1:{home / 'far'}", str(mounted)]
    subprocess.run(["sshfs", *options], check=True, capture_output=True)
    wait_until(lambda: os.path.ismount(mounted), "it is mounted")
    return ""


_MOUNTS: Mapping[Kind, Callable[[Path, Path], str]] = {
    Kind.POOR: _poor,
    Kind.EXFAT: _exfat,
    Kind.NTFS: _ntfs,
    Kind.SFTP: _sftp,
}
