"""Starts `assent` as often as the tests do, without Python's own start every time.

To start Python and to import what `assent` is made of takes most of the time of a short verb. A
starter (`starter.py`) is a process that has done both. For each start it forks a child, which gets
the words, the folder, the environment and the three streams of whoever asked, and runs the same
`__main__` as `python -m assent`; how that ended goes back. No child knows of another: all of them
are forked from a process in which nothing has run.

What a child is not: a process of its own from the first instruction. It has no command line and no
environment in `/proc`, is in no process group of whoever asked for it, has imported more than a
verb would have, and does not wait as long for others. So what is about such things starts the
program itself: signals, kills and power cuts (`Project.start`, `prefix`), installations
(`install="build"`), what others see of a process (`tests/e2e/spying.py`), and one whole story of
each kind, all by the fixture `for_real`. In a soak everything does, and so does what has an
environment that Python reads when it starts (`client.is_plain`).

There are two starters that take turns, as each has an order of its own for sets.
"""

from __future__ import annotations

import atexit
import itertools
import os
import selectors
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from tests.effort import IS_SOAK
from tests.starting import client
from tests.waiting import HANGS_AFTER_S

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
ASK = """\
#!/bin/sh
exec {python} -IS {client} {folder}/$(($$ % 2)) "$@"
"""
ASSENT = """\
#!/bin/sh
exec {folder}/ask assent 1 {real} "$@"
"""
SINGLE = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""With these NumPy and Arrow start no thread when they are imported: a fork would lose it."""
_is_real = IS_SOAK
_lock = Lock()


class StarterError(AssertionError):
    """A starter did not do what it is there for."""


class Starters:
    """Two starters, and a folder with programs that ask one of them: `ask` as `client.py` says, and
    `bin/assent`.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="assent-"))
        self.places = itertools.cycle([str(self.folder / str(number)) for number in (0, 1)])
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        words = {
            "python": sys.executable,
            "client": str(HERE / "client.py"),
            "folder": str(self.folder),
            "real": str(PROGRAMS / "assent"),
        }
        for path, text in ((self.folder / "ask", ASK), (self.bin / "assent", ASSENT)):
            path.write_text(text.format(**{name: shlex.quote(one) for name, one in words.items()}))
            path.chmod(0o755)
        self._owner = os.getpid()
        self.processes = [self._begin(next(self.places)) for _ in range(2)]
        for process in self.processes:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise StarterError(f"a starter did not begin: {self.said()}")
        atexit.register(self.end)

    def _begin(self, place: str) -> subprocess.Popen[bytes]:
        """A starter. It ends when this process does, however that ends."""
        environment = {"PATH": os.environ["PATH"], "LANG": client.LANG}
        command = [sys.executable, "-P", "-W", "error", str(HERE / "starter.py"), place]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                env={**environment, **SINGLE},
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def run(
        self, words: Sequence[str], cwd: Path, env: Mapping[bytes, bytes]
    ) -> subprocess.CompletedProcess[bytes]:
        """What came of these words; raises `StarterError` where no starter says it."""
        encoded = [os.fsencode(one) for one in words]
        order = client.Order(b"assent", os.fsencode(cwd), encoded, env, is_alone=True)
        try:
            with socket.socket(socket.AF_UNIX) as asked:
                asked.settimeout(HANGS_AFTER_S)
                asked.connect(next(self.places))
                stdout, stderr = _read(*_begin(asked, order))
                code = client.answer(asked)
        except OSError as error:
            raise StarterError(f"asking a starter: {error}\n{self.said()}") from error
        return subprocess.CompletedProcess(list(words), code, stdout, stderr)

    def said(self) -> str:
        """What the starters have to say of themselves."""
        return (self.folder / "log").read_text()

    def end(self) -> None:
        if os.getpid() == self._owner:
            for process in self.processes:
                process.communicate()


_starters: Starters | None = None


def starters() -> Starters:
    """Those of this process."""
    global _starters
    with _lock:
        if _starters is None:
            _starters = Starters()
        return _starters


def is_real() -> bool:
    """Whether what is started now is started as a user starts it."""
    return _is_real


def programs() -> list[Path]:
    """The folders in which a job finds `assent`, and then what else is installed here."""
    return [PROGRAMS] if _is_real else [starters().bin, PROGRAMS]


def installed() -> str:
    """How the environments of `tests/workflows/` come to `assent`: see there."""
    return "ready" if _is_real else str(starters().folder)


@contextmanager
def for_real() -> Iterator[None]:
    """Within it, every start is one of the program itself."""
    global _is_real
    before, _is_real = _is_real, True
    try:
        yield
    finally:
        _is_real = before


def run(
    words: Sequence[str], *, cwd: Path, env: Mapping[str, str], prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[bytes]:
    """Run `assent` with these words to its end; `prefix` is what to run it with."""
    encoded = {os.fsencode(name): os.fsencode(value) for name, value in env.items()}
    if not _is_real and not prefix and client.is_plain(encoded, b"-m"):
        return starters().run(words, cwd, encoded)
    return subprocess.run(
        [*prefix, sys.executable, "-m", "assent", *words],
        cwd=cwd,
        env=env,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=HANGS_AFTER_S,
    )


def _begin(asked: socket.socket, order: client.Order) -> tuple[int, int]:
    """Give an order; what is to be read of its two outputs."""
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        client.ask(asked, order, (nothing, to_out, to_err))
    finally:
        for one in (nothing, to_out, to_err):
            os.close(one)
    return out, err


def _read(*ends: int) -> list[bytes]:
    """All that comes out of some pipes, which are closed then."""
    found = {end: bytearray() for end in ends}
    with selectors.DefaultSelector() as selector:
        for end in ends:
            selector.register(end, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(HANGS_AFTER_S)
            if not ready:
                raise StarterError(f"nothing came for {HANGS_AFTER_S} s")
            for key, _ in ready:
                part = os.read(key.fd, 1 << 16)
                found[key.fd] += part
                if not part:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return [bytes(found[end]) for end in ends]
