"""A process that has imported what `assent` needs, and forks a child for each start of it. The
small programs of `tests/workflows/` it starts as well.

    starter.py PLACE

It listens at the socket `PLACE`, says "ready", and ends with whoever has started it, together with
all that still runs. Whoever hangs up ends what was started for him.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import importlib.metadata
import os
import pkgutil
import runpy
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

TREE = str(Path(__file__).resolve().parents[2])
sys.path.append(TREE)

from tests.starting.client import Order  # noqa: E402 - now there is such a thing

DEADLINE_S = 60
"""An order comes at once, or something is broken."""


LIBRARIES = """
    dotenv.parser github gitlab gitlab.v4.objects obstore.store requests tomllib xml.parsers.expat
    yaml encodings.ascii encodings.cp437 encodings.utf_8_sig
    argparse importlib.metadata packaging.requirements sysconfig tests.workflows.standins.artifacts
""".split()
"""What parts of `assent` import only when they need it, and what the harness's own programs do."""


COUNTING = ("numpy", "duckdb", "pyarrow", "pyarrow.parquet")
"""The same, but some releases of them start threads."""


PATIENT = ("assent.forges.lag", "assent.forges.http_retries", "assent.stores.line")
"""What waits for a forge or a registry that is ill or late."""
SOONER = 50
"""The stand-ins for one are ill for so many requests, however soon these come: a verb asks as often
as it would and waits a fraction of the time. How long that is, `tests/forges/` and `tests/stores/`
say. So it is with `verify`, which reads again what is wrong; where somebody writes meanwhile, it is
started for real.
"""


def prepare() -> None:
    """Import all that a verb imports at any time. A fork takes along no other thread, so there must
    be none.
    """
    import assent

    modules = [one.name for one in pkgutil.walk_packages(assent.__path__, "assent.")]
    for name in [*modules, *LIBRARIES, *filter(is_single, COUNTING)]:
        if not name.startswith(("assent.__main__", "assent.demo.project")):
            # An installation need not have all of them; and of what warns, the child is warned.
            with suppress(ModuleNotFoundError, Warning):
                importlib.import_module(name)
    importlib.import_module("assent.report.markup").environment().get_template("report.html")
    for name in PATIENT:
        waits = vars(importlib.import_module(name))
        waits["PAUSES_S"] = tuple(one / SOONER for one in waits["PAUSES_S"])
    vars(importlib.import_module("assent.verbs.verify"))["PAUSE_S"] /= SOONER
    waits = vars(importlib.import_module("assent.buckets"))["RETRIES"]["backoff"]
    waits.update({name: waits[name] / SOONER for name in ("init_backoff", "max_backoff")})
    importlib.metadata.version("packaging")  # it keeps which there are
    if threads() != 1:
        raise RuntimeError("what the starter has imported has started threads")
    sys.path.remove(TREE)
    gc.collect()
    gc.freeze()


def is_single(name: str) -> bool:
    """Whether a module is there and starts no thread: a child tries it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with suppress(ModuleNotFoundError, Warning):
            importlib.import_module(name)
            code = int(threads() != 1)
        os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


class Starter:
    """Waits for orders, for the ends of children, and for whoever hangs up."""

    def __init__(self, place: str) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(place)
        self.listener.listen(64)
        self.running: dict[int, tuple[int, socket.socket, bool]] = {}
        """Children by the descriptor that tells of their end, with whoever asked for them, and
        whether what they leave running may go on."""

    def serve(self) -> None:
        """Until the end of standard input."""
        self.selector.register(0, selectors.EVENT_READ)
        self.selector.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select():
                if self.selector.get_map().get(key.fileobj) is not key:
                    continue  # what was before it has settled it
                if key.fd == 0:
                    return
                if key.fileobj is self.listener:
                    self.begin(self.listener.accept()[0])
                elif key.fd in self.running:
                    self.finish(key.fd)
                else:
                    self.selector.unregister(key.fileobj)
                    self.kill(key.data)

    def begin(self, asking: socket.socket) -> None:
        try:
            order, streams = receive(asking)
        except OSError:  # whoever has not hung up sees that there is no answer
            asking.close()
            return
        pid = os.fork()
        if pid == 0:
            become(order, streams)
        for one in streams:
            os.close(one)
        end = os.pidfd_open(pid)
        self.running[end] = (pid, asking, order.is_alone)
        self.selector.register(end, selectors.EVENT_READ)
        self.selector.register(asking, selectors.EVENT_READ, pid)

    def finish(self, end: int) -> None:
        """Tell how a child has ended."""
        pid, asking, is_alone = self.running.pop(end)
        if not is_alone:  # what a step of a job leaves running ends with the step
            self.kill(pid)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.selector.unregister(end)
        os.close(end)
        with suppress(KeyError):
            self.selector.unregister(asking)
        with suppress(OSError):  # nobody waits for it any more
            asking.sendall(f"{code}\n".encode())
        asking.close()

    def kill(self, pid: int) -> None:
        """End a child and its group. It may have ended, but its number is not given away before
        somebody has asked how.
        """
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(pid, signal.SIGKILL)  # it has not come to lead a group yet

    def end(self) -> None:
        for pid, _, _ in self.running.values():
            self.kill(pid)


def receive(asking: socket.socket) -> tuple[Order, list[int]]:
    """An order and the streams that come with it. Raises `OSError` where it does not come."""
    asking.settimeout(DEADLINE_S)
    head, streams, _, _ = socket.recv_fds(asking, 8, 3)
    if len(head) != 8 or len(streams) != 3:
        raise ConnectionError("this is no order")
    content = b""
    while len(content) < int.from_bytes(head, "big"):
        part = asking.recv(1 << 20)
        if not part:
            raise ConnectionError("whoever gave an order has not finished it")
        content += part
    return Order.decode(content), streams


def become(order: Order, streams: list[int]) -> NoReturn:
    """Be the process that was asked for, to its end."""
    code = 1
    try:
        os.setsid()
        for number, one in enumerate(streams):
            os.dup2(one, number)
        os.closerange(3, 1 << 20)
        os.chdir(order.cwd)
        os.environb.clear()
        os.environb.update(order.environ)
        time.tzset()
        tempfile.tempdir = None
        module = os.fsdecode(order.module)
        sys.argv = [module, *map(os.fsdecode, order.words)]
        if order.is_alone:
            given = os.environ.get("PYTHONPATH")
            sys.path[:0] = [str(Path.cwd()), *(given.split(os.pathsep) if given else [])]
        if module != "assent":
            sys.path.append(TREE)
        code = play(module)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def play(module: str) -> int:
    """Run a module as Python does, with all that Python does at the end."""
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)  # noqa: T201
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    for one in threading.enumerate():
        if one is not threading.current_thread() and not one.daemon:
            one.join()
    atexit._run_exitfuncs()
    gc.collect()  # what is not closed says so
    return code if flush() else 120


def flush() -> bool:
    """Whether all that was printed has gone out."""
    is_done = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            sys.excepthook(*sys.exc_info())
            is_done = False
    return is_done


def main() -> None:
    place = sys.argv[1]
    prepare()
    starter = Starter(place)
    os.write(1, b"ready\n")
    try:
        starter.serve()
    finally:
        starter.end()
    shutil.rmtree(Path(place).parent, ignore_errors=True)


if __name__ == "__main__":
    main()
