"""Objects of a repository by any name that Git has for them."""

from __future__ import annotations

import os
import re
import select
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from assent.errors import OutsideError
from assent.git.process import EndedError, GitError, SilentError, environment, git
from assent.git.silence import TICK_S, Patience, Silence

MAX_BYTES = 256 * 1024 * 1024
"""How large an object may be that is read whole: it may be of a change that nobody has seen."""
_CHUNK_BYTES = 1024 * 1024
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_commit(name: str) -> bool:
    """Whether `name` can only be the complete id of a commit."""
    return _COMMIT.fullmatch(name) is not None


class Object(NamedTuple):
    """A Git object: its id, its kind (`blob`, `commit`, …) and its content."""

    oid: str
    kind: str
    content: bytes


class Objects:
    """Objects of a repository by any name that Git has for them, read through one `git cat-file
    --batch`: a process for each would take most of a verb's time.
    """

    def __init__(
        self,
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        patience: Callable[[], Patience] = Patience,
    ) -> None:
        self._folder = folder
        self._given = env
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._ids: subprocess.Popen[bytes] | None = None

    def read(self, name: str) -> Object | None:
        """The object of this name (`HEAD^{commit}`, `main:assent.yaml`, an id), or None. Raises
        `OutsideError` for one of more than `MAX_BYTES`.
        """
        read = self.read_small(name, most=MAX_BYTES)
        if isinstance(read, int):
            raise OutsideError(f"reading {name[:100]!r} from Git", f"it has {read:,} bytes")
        return read

    def read_small(self, name: str, *, most: int) -> Object | int | None:
        """The same, but its size if that is more than `most` bytes."""
        if "\n" in name:  # the names that the process reads are lines
            resolved = self._resolved(name)
            return None if resolved is None else self.read_small(resolved, most=most)
        stdin, stdout = self._pipes()
        with suppress(BrokenPipeError):  # then there is no answer either
            stdin.write(os.fsencode(name) + b"\n")
            stdin.flush()
        self._await(self._process)
        header = stdout.readline()
        words = header.split()
        if len(words) == 3 and words[2].isdigit():
            size = int(words[2])
            if size > most:
                _skip(stdout, size + 1)
                return size
            content = stdout.read(size)
            stdout.read(1)
            return Object(oid=words[0].decode(), kind=words[1].decode(), content=content)
        if header.rstrip().endswith((b" missing", b" ambiguous")):
            return None
        raise EndedError(self._folder, name)

    def id_of(self, name: str) -> str | None:
        """The id of the object of this name, whose content is not read; None if there is none."""
        if "\n" in name:
            return self._resolved(name)
        if self._ids is None:
            self._ids = self._started("--batch-check")
        stdin, stdout = self._ids.stdin, self._ids.stdout
        assert stdin is not None
        assert stdout is not None
        with suppress(BrokenPipeError):
            stdin.write(os.fsencode(name) + b"\n")
            stdin.flush()
        self._await(self._ids)
        words = stdout.readline().split()
        return words[0].decode() if len(words) == 3 and words[2].isdigit() else None

    def _resolved(self, name: str) -> str | None:
        try:
            shown = git(
                ["rev-parse", "--quiet", "--verify", "--end-of-options", name],
                folder=self._folder,
                doing=f"looking for {name!r}",
                env=self._given,
            )
        except GitError as error:
            if error.code == 1:
                return None
            raise
        return shown.decode().strip()

    def _await(self, process: subprocess.Popen[bytes] | None) -> None:
        """Wait for the answer. In a clone that left objects out, Git may have to ask a remote for
        it, which may never answer.
        """
        assert process is not None
        assert process.stdout is not None
        silence: Silence | None = None
        while not select.select([process.stdout], [], [], TICK_S)[0]:
            doing, patience = f"reading Git objects in {self._folder}", self._patience()
            silence = silence or Silence(process, patience, doing)
            silence.tick()
            if silence.is_given_up:
                raise SilentError(doing, patience.remote, silence.lasted_s)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = self._started("--batch")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def _started(self, how: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["git", "cat-file", how],
            cwd=self._folder,
            env=environment(self._given),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __del__(self) -> None:
        for process in (self._process, self._ids):
            if process is None:
                continue
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            process.wait()


def _skip(stream: IO[bytes], count: int) -> None:
    while count > 0:
        read = stream.read(min(count, _CHUNK_BYTES))
        if not read:
            return
        count -= len(read)
