"""Asks a starter to start `assent`. As a program it stands where `assent` itself would stand:

    client.py PLACE MODULE COUNT PROGRAM… WORDS…

`PLACE` is the starter's socket, and `MODULE` what it runs. The words after the first `COUNT` go to
that, and the whole line is run where no starter can give a child the environment. This runs a
thousand times in the tests, so it imports what is built in and no more.
"""

from __future__ import annotations

import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from socket import socket

LANG = "C.UTF-8"
"""The locale of the starters."""
BROKEN = 125
"""The exit code of this program where the starter has not answered."""


class Order:
    """What is to be run: a module, its words, its folder and its environment. `is_alone`: not for a
    step of a job but by a person, with `python -m`, which finds modules in the folder, too.
    """

    def __init__(
        self,
        module: bytes,
        cwd: bytes,
        words: Sequence[bytes],
        environ: Mapping[bytes, bytes],
        *,
        is_alone: bool,
    ) -> None:
        self.module, self.cwd, self.words, self.environ = module, cwd, words, environ
        self.is_alone = is_alone

    def encode(self) -> bytes:
        """The bytes of it. No part can hold a zero byte."""
        how = b"alone" if self.is_alone else b""
        counted = [how, self.module, self.cwd, b"%d" % len(self.words)]
        named = [name + b"=" + value for name, value in self.environ.items()]
        return b"\0".join([*counted, *self.words, *named])

    @classmethod
    def decode(cls, content: bytes) -> Order:
        """The other way round."""
        how, module, cwd, count, *rest = content.split(b"\0")
        words, named = rest[: int(count)], rest[int(count) :]
        parts = [one.partition(b"=") for one in named]
        environ = {name: value for name, _, value in parts}
        return cls(module, cwd, words, environ, is_alone=how == b"alone")


def is_plain(environ: Mapping[bytes, bytes], how: bytes) -> bool:
    """Whether a child of a starter is what Python would be in this environment. `how`: with `-I` it
    looks at nothing that is meant for Python alone; with `-m` the child does the rest.
    """
    locale = [environ.get(name) for name in (b"LC_ALL", b"LC_CTYPE", b"LANG")]
    python = {name for name in environ if name.startswith(b"PYTHON")}
    known = {b"PYTHONWARNINGS", b"PYTHONDONTWRITEBYTECODE"}  # at least warnings are errors
    known |= {b"PYTHONPATH"} if how == b"-m" else set()
    return next(filter(None, locale), b"") == LANG.encode() and (how == b"-I" or python <= known)


def ask(asked: socket | _socket.socket, order: Order, streams: Sequence[int]) -> None:
    """Send an order, and the three streams of the program."""
    content = order.encode()
    passed = b"".join(one.to_bytes(4, sys.byteorder) for one in streams)
    kind = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, passed)
    asked.sendmsg([len(content).to_bytes(8, "big")], [kind])
    asked.sendall(content)


def answer(asked: socket | _socket.socket) -> int:
    """How it ended: an exit code, or the number of a signal with a minus. Raises `OSError`."""
    said = b""
    while part := asked.recv(64):
        said += part
    if not said.endswith(b"\n"):
        raise ConnectionError("the starter of `assent` has ended without an answer")
    return int(said)


def main() -> None:
    place, module, count, *line = map(os.fsencode, sys.argv[1:])
    program, words = line[: int(count)], line[int(count) :]
    environ = dict(os.environb)
    if not is_plain(environ, b"-I" if b"-I" in program else b""):
        os.execv(program[0], line)
    asked = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        asked.connect(os.fsdecode(place))
        cwd = os.getcwdb()  # noqa: PTH109 - its bytes
        ask(asked, Order(module, cwd, words, environ, is_alone=False), (0, 1, 2))
        code = answer(asked)
    except OSError as error:
        os.write(2, f"Traceback: asking the starter at {os.fsdecode(place)}: {error}\n".encode())
        os._exit(BROKEN)
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
