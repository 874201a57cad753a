"""The ledger in Git: one branch per model, one commit per entry.

```
registry.yaml                     the current state, for people and GitOps tools
newest.json                       the newest entry again (the same blob)
entries/000/000123.json           the entries, 1,000 per folder
index/bundles/ab/<digest>.json    what is known of one bundle
index/versions/000/000012         the bundle of one version
index/closed.json                 the Git tree of every full folder of entries
```

Everything but `entries/` is derived. The branch is read and written through a bare repository
of Assent's own inside the Git folder, so that a shallow fetch here never makes the user's clone
shallow. It fetches the newest commit alone (`tree:0`, the only filter by depth that GitHub grants)
and then, by name, the files that are asked for and the folders on the way to them: reading the
current state transfers the same with ten entries and with 100,000.

Appending is compare-and-swap: a commit built on the tip that was read is pushed without force.
When a push fails, the branch is read again, and what stands there decides: our commit (it had
arrived), another (`MovedError`), or the same as before (the error is real).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from assent.core.digest import Digest, canonical_json, hex_of, is_digest
from assent.core.entry import GENESIS, Draft, Entry, decode_entry, entry_digest, sentence
from assent.core.registry import (
    ChainError,
    Record,
    Registry,
    State,
    Step,
    extend,
    linked,
    touched,
)
from assent.errors import IntegrityError, OutsideError
from assent.git import GitError, Repository, git
from assent.parsing import ParseError, parse_yaml
from assent.ports import MovedError, View

FOLDER = 1_000
"""Entries per folder: a Git tree of a thousand names is small enough to rewrite each time."""

_REGISTRY_FORMAT = "assent/registry/1"
_NOT_THERE = "couldn't find remote ref"
_PASSED_ON = (
    "http.",
    "credential.",
    "url.",
    "ssh.",
    "protocol.",
    "core.sshcommand",
    "core.askpass",
)
_HEADER = (
    "# The current state of this model, derived from entries/. Assent writes it; do not edit.\n"
)


class RegistryFile(State, frozen=True, kw_only=True, omit_defaults=True):
    """`registry.yaml`: the state, and the digest of the entry it stands at."""

    format: str
    entry: Digest

    @property
    def state(self) -> State:
        """The state alone."""
        return State(**{name: getattr(self, name) for name in State.__struct_fields__})


class GitLedger:
    """The ledgers of one repository, kept on its branches `assent/<model>`.

    `remote` names the remote that holds them; with None the repository itself holds them.
    """

    def __init__(self, repository: Repository, remote: str | None) -> None:
        self._repository = repository
        settings = _settings(repository)
        address = str(repository.common)
        if remote is not None:
            address = dict(settings).get(f"remote.{remote}.url", "")
            if "://" not in address and not _looks_like_ssh(address):
                address = str((repository.top / address).resolve())
        self._where = remote or "this repository"
        key = hashlib.sha256(address.encode()).hexdigest()[:12]
        self._home = repository.common / "assent" / key
        self._folder = self._home / "ledger.git"
        self._lock_fds: tuple[int, ...] = ()
        self._env = _config_environment(
            [(name, value) for name, value in settings if name.startswith(_PASSED_ON)]
            + [
                ("remote.ledger.url", address),
                ("remote.ledger.promisor", "true"),
                ("remote.ledger.partialclonefilter", "tree:0"),
                ("gc.auto", "0"),
            ]
        )

    # --- the port -------------------------------------------------------------------------------

    def models(self) -> list[str]:
        """See `Ledger.models`."""
        doing = f"listing the ledgers of {self._where}"
        try:
            shown = self._git("ls-remote", "--heads", "ledger", "assent/*", doing=doing)
        except GitError as error:
            raise OutsideError(doing, error.problem, hint=_reach_hint(error)) from None
        names = [line.split("refs/heads/assent/", 1)[-1] for line in shown.decode().splitlines()]
        return sorted(names)

    def read(self, model: str, *, strict: bool = True) -> GitView:
        """See `Ledger.read`."""
        doing = f"reading the ledger of {model} from {self._where}"
        with self._locked():
            # Read before the fetch: what another process of this clone writes after it is newer.
            seen = _Seen(self._home, model)
            try:
                self._update(model, doing)
            except GitError as error:
                if _NOT_THERE not in error.stderr:
                    raise OutsideError(doing, error.problem, hint=_reach_hint(error)) from None
                seen.expect_nothing()
                return GitView.empty(model)
            tip = self._tip(model)
        try:
            view = GitView.at(model, tip, self._objects())
        except IntegrityError:
            if strict:
                raise
            return GitView(State(model=model), GENESIS, tip, self._objects())
        seen.expect(view)
        return view

    def append(self, view: View, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        """See `Ledger.append`."""
        view = _own(view)
        model = view.state.model
        bundles = {bundle for draft in drafts for bundle in touched(view.state, draft)}
        view.prepare(bundles)
        view.check()
        known = {bundle: view.record(bundle) for bundle in sorted(bundles)}
        records = {bundle: record for bundle, record in known.items() if record is not None}
        steps = extend(view.state, records, view.head, drafts)
        closed = view.closed()
        self._write(view, [_commit_of(step, closed) for step in steps])
        _Seen(self._home, model).keep(steps[-1].state.seq, steps[-1].digest)
        return tuple(step.entry for step in steps)

    def rebuild(self, view: View, registry: Registry) -> None:
        """See `Ledger.rebuild`."""
        view = _own(view)
        newest = view.entry(registry.state.seq) if registry.state.seq >= 0 else b""
        files: dict[str, bytes | None] = {
            "index": None,
            **_state_files(registry.state, registry.head, newest),
            **_index_files(registry.records.values(), registry.versions),
            **_closed_files(view.closed_trees(registry.state.seq)),
        }
        message = f"repair what is derived at entry {registry.state.seq}"
        at = registry.state.at or ""
        self._write(view, [_Commit(message=message, author="assent", at=at, files=files)])

    # --- Git ------------------------------------------------------------------------------------

    def _write(self, view: GitView, commits: Sequence[_Commit]) -> None:
        model = view.state.model
        ref = f"refs/heads/assent/{model}"
        doing = f"writing to the ledger of {model} in {self._where}"
        with self._locked():
            stream = b"".join(_stream(ref, commits, view.tip))
            self._git("fast-import", "--quiet", "--force", "--done", doing=doing, stdin=stream)
            ours = self._tip(model)
            try:
                self._git("push", "--quiet", "--porcelain", "ledger", f"{ours}:{ref}", doing=doing)
            except GitError as error:
                self._after_failed_push(view, ours, error, doing)
        if view.state.seq % 256 == 255:
            self._git("-c", "gc.auto=1000", "gc", "--auto", "--quiet", doing="tidying up")

    def _after_failed_push(self, view: GitView, ours: str, error: GitError, doing: str) -> None:
        """Decide by what the remote holds now, not by the words of the error."""
        model = view.state.model
        there = self._there(model, doing)
        if there == ours:
            return  # it had arrived although we were told otherwise
        if there != view.tip or _is_busy(error):
            raise MovedError(doing, "somebody else wrote to it first")
        raise OutsideError(doing, error.problem, hint=_reach_hint(error)) from None

    def _update(self, model: str, doing: str) -> None:
        """Have the newest commit here. Asking whether it is here already is a third of the work
        of a fetch, and after a write of our own a tenth.
        """
        ref = f"refs/heads/assent/{model}"
        if (self._folder / ref).exists() and self._there(model, doing) == self._tip(model):
            return
        self._git(
            "fetch",
            "--quiet",
            "--depth=1",
            "--filter=tree:0",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "ledger",
            f"+{ref}:{ref}",
            doing=doing,
        )

    def _there(self, model: str, doing: str) -> str | None:
        """The newest commit that the remote has now, or None."""
        ref = f"refs/heads/assent/{model}"
        shown = self._git("ls-remote", "ledger", ref, doing=doing).decode()
        # Git also lists branches whose names only end in this one.
        tips = {name: oid for oid, _, name in (line.partition("\t") for line in shown.splitlines())}
        return tips.get(ref)

    def _create(self) -> None:
        doing = "preparing the ledger's own repository"
        try:
            self._home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutsideError(doing, f"{error.strerror}: {error.filename}") from None
        git(["init", "--quiet", "--bare", str(self._folder)], folder=self._home, doing=doing)

    def _tip(self, model: str) -> str:
        """The tip as Git's files hold it: a loose reference is one small file, and reading it
        spares a process.
        """
        try:
            text = (self._folder / "refs/heads/assent" / model).read_text("ascii")
        except FileNotFoundError:
            shown = self._git("rev-parse", f"refs/heads/assent/{model}", doing="reading the tip")
            text = shown.decode()
        return text.strip()

    def _objects(self) -> _Objects:
        return _Objects(self._folder, self._env)

    def _git(self, *arguments: str, doing: str, stdin: bytes | None = None) -> bytes:
        if not (self._folder / "HEAD").exists():
            self._create()
        return git(
            arguments,
            folder=self._folder,
            doing=doing,
            stdin=stdin,
            env=self._env,
            pass_fds=self._lock_fds,
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process of this clone at a time: two fetches into one reference disturb each other.
        Writers of other clones meet at the push.
        """
        doing = "locking the ledger's own repository"
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            lock = (self._home / "lock").open("w")
        except OSError as error:
            raise OutsideError(
                doing,
                f"{error.strerror}: {error.filename}",
                hint="Assent keeps its copy of the ledger inside the Git folder; "
                "make it writable for this user",
            ) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # The lock is handed to the Git processes started under it, so it is free only when
            # they are gone too. Lock files of Git that are left now belong to killed ones.
            for left in [*self._folder.glob("*.lock"), *self._folder.glob("refs/heads/*/*.lock")]:
                left.unlink(missing_ok=True)
            self._lock_fds = (lock.fileno(),)
            try:
                yield
            finally:
                self._lock_fds = ()


class GitView:
    """One reading of a ledger at one commit; objects are fetched as they are asked for."""

    def __init__(
        self, state: State, head: Digest, tip: str | None, objects: _Objects | None
    ) -> None:
        self.state = state
        self.head = head
        self.tip = tip
        self._objects = objects

    @classmethod
    def empty(cls, model: str) -> GitView:
        """The view of a ledger that has no entry yet."""
        return cls(State(model=model), GENESIS, None, None)

    @classmethod
    def at(cls, model: str, tip: str, objects: _Objects) -> GitView:
        """The view at a commit. Raises `IntegrityError` if the state is not that of the newest
        entry.
        """
        doing = f"reading the ledger of {model}"
        hint = "run `assent verify` to see what is wrong"
        # The folders are not needed yet, but most often next, and here they cost no request.
        paths = ["registry.yaml", "newest.json", "entries", "index"]
        content, newest, _, _ = objects.files(tip, paths)
        if content is None or newest is None:
            raise IntegrityError(doing, "registry.yaml or newest.json is missing", hint=hint)
        try:
            file = msgspec.convert(parse_yaml(content), RegistryFile)
        except (ParseError, msgspec.ValidationError) as error:
            raise IntegrityError(doing, f"registry.yaml is damaged ({error})", hint=hint) from None
        entry = decode_entry(newest)
        state = file.state
        if entry_digest(newest) != file.entry or entry.seq != state.seq:
            raise IntegrityError(doing, "registry.yaml is not at the newest entry", hint=hint)
        if entry.state != state.standing or entry.model != model or state.model != model:
            problem = f"registry.yaml does not say what entry {entry.seq} says"
            raise IntegrityError(doing, problem, hint=hint)
        return cls(state, file.entry, tip, objects)

    def record(self, bundle: Digest) -> Record | None:
        """See `View.record`."""
        content = self._read(_record_path(bundle))
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._damaged(f"the record of {bundle} is damaged ({error})") from None

    def bundle_of(self, version: int) -> Digest | None:
        """See `View.bundle_of`."""
        for line in self.state.newest:
            if line.version == version:
                return line.bundle
        content = self._read(_version_path(version))
        if content is None:
            return None
        text = content.decode(errors="replace").strip()
        if not is_digest(text):
            raise self._damaged(f"the index of v{version} is damaged")
        return Digest(text)

    def entry(self, seq: int) -> bytes:
        """See `View.entry`."""
        content = self._read(_entry_path(seq))
        if content is None:
            raise ChainError(self.state.model, seq, "it is missing")
        return content

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """See `View.entries`."""
        if self.tip is None or self._objects is None:
            return
        folders = self._tree("entries")
        self._objects.bring([oid for name, oid in folders if int(name) >= start // FOLDER])
        expected = start
        for name, oid in folders:
            if not name.isdigit() or int(name) < start // FOLDER:
                continue
            files = [(file, blob) for file, blob in self._objects.tree(oid) if _seq(file) >= start]
            contents = self._objects.read_all([blob for _, blob in files])
            for (file, _), content in zip(files, contents, strict=True):
                if f"{name}/{file}" != _entry_path(expected).removeprefix("entries/"):
                    raise ChainError(self.state.model, expected, "it is missing")
                yield content
                expected += 1

    def derived(self) -> Registry:
        """See `View.derived`."""
        records: dict[Digest, Record] = {}
        versions: dict[int, Digest] = {}
        if self._objects is not None:
            self._objects.bring([oid for name, oid in self._tree("") if name == "index"])
            for path, content in self._below("index/bundles"):
                try:
                    record = msgspec.json.decode(content, type=Record)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise self._damaged(f"index/bundles/{path} is damaged ({error})") from None
                records[record.bundle] = record
            for path, content in self._below("index/versions"):
                versions[int(path.rsplit("/", 1)[-1])] = Digest(content.decode().strip())
        return Registry(state=self.state, records=records, versions=versions, head=self.head)

    def check(self) -> None:
        """Verify what one write can afford: the chain of the newest folder, its link to the one
        before, and that no full folder has changed. `assent verify` reads everything.

        Raises `ChainError` with the first bad entry.
        """
        if self.tip is None:
            return
        model, last = self.state.model, self.state.seq
        trees = self.closed_trees(last)
        for name, tree in sorted(self.closed().items()):
            if trees.get(name) != tree:
                raise ChainError(model, int(name) * FOLDER, "its folder was changed")
        start = last // FOLDER * FOLDER
        head = GENESIS if start == 0 else entry_digest(self.entry(start - 1))
        seq = start - 1
        for entry, digest in linked(model, self.entries(start), start, head):
            seq, head = entry.seq, digest
        if seq < last:
            raise ChainError(model, seq + 1, "it is missing")
        if seq > last or head != self.head:
            raise ChainError(model, last, "registry.yaml stands at another entry")

    def prepare(self, bundles: Iterable[Digest]) -> None:
        """Have here what a write about these bundles reads, and the folders that it changes."""
        if self.tip is None or self._objects is None:
            return
        before = self.state.seq // FOLDER * FOLDER - 1
        paths = ["index/closed.json", _version_path(self.state.versions + 1)]
        paths += [_entry_path(before)] if before >= 0 else []
        self._objects.files(self.tip, [*paths, *map(_record_path, bundles)])

    def closed(self) -> dict[str, str]:
        """The Git trees of the full folders of entries, as `index/closed.json` keeps them, and
        that of the newest folder if the next entry closes it.
        """
        content = self._read("index/closed.json")
        kept = {} if content is None else msgspec.json.decode(content, type=dict[str, str])
        if self.tip is not None and (self.state.seq + 1) % FOLDER == 0:
            kept |= self.closed_trees(self.state.seq)
        return kept

    def closed_trees(self, last: int) -> dict[str, str]:
        """The Git trees of the folders that are full with `last` as the newest entry."""
        full = (last + 1) // FOLDER
        if self.tip is None or full == 0:
            return {}
        return {name: oid for name, oid in self._tree("entries") if int(name) < full}

    def _read(self, path: str) -> bytes | None:
        if self._objects is None or self.tip is None:
            return None
        [content] = self._objects.files(self.tip, [path])
        return content

    def _tree(self, path: str) -> list[tuple[str, str]]:
        return _lines(self._read(path) or b"", len(self.tip or ""))

    def _below(self, path: str) -> Iterator[tuple[str, bytes]]:
        """Every file two levels below `path`."""
        assert self._objects is not None
        for folder, tree in self._tree(path):
            files = self._objects.tree(tree)
            contents = self._objects.read_all([oid for _, oid in files])
            for (name, _), content in zip(files, contents, strict=True):
                yield f"{folder}/{name}", content

    def _damaged(self, problem: str) -> IntegrityError:
        return IntegrityError(
            f"reading the ledger of {self.state.model}",
            problem,
            hint="run `assent verify --repair` to derive it again from the entries",
        )


class _Objects:
    """Objects of a Git repository that filtered fetches have left incomplete, read through one
    `git cat-file --batch`. What is asked for and is not here is fetched by its id. Git would do
    that by itself, but object by object, and a folder with all folders below it.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None
        self._read: dict[str, bytes] = {}  # by object id: what has one id never changes

    def files(self, commit: str, paths: Sequence[str]) -> list[bytes | None]:
        """The contents of files and folders of a commit, None for those it has not. What is
        missing of one level of folders is fetched in one request.
        """
        header, _, _ = (self.read(commit) or b"").partition(b"\n")
        root = header.removeprefix(b"tree ").decode()
        rest = {path: path.split("/") if path else [] for path in paths}
        reached = dict.fromkeys(paths, root)
        while True:
            self._require(list(reached.values()))
            further = {path: oid for path, oid in reached.items() if rest[path]}
            if not further:
                return [self.read(reached[path]) if path in reached else None for path in paths]
            for path, oid in further.items():
                below = dict(self.tree(oid)).get(rest[path].pop(0))
                if below is None:
                    del reached[path]
                else:
                    reached[path] = below

    def read(self, oid: str) -> bytes | None:
        """The content of an object, or None if it is not here."""
        if oid not in self._read:
            stdin, stdout = self._pipes()
            stdin.write(oid.encode() + b"\n")
            stdin.flush()
            content = self._one(stdout, oid)
            if content is None:
                return None
            self._read[oid] = content
        return self._read[oid]

    def tree(self, oid: str) -> list[tuple[str, str]]:
        """Names and object ids of a tree, in Git's order; empty if it is not here."""
        return _lines(self.read(oid) or b"", len(oid))

    def read_all(self, names: Sequence[str]) -> list[bytes]:
        """The contents of many objects, asked for at once."""
        request = "".join(f"{name}\n" for name in names).encode()
        doing = "reading objects of the ledger"
        shown = git(
            ["cat-file", "--batch"], folder=self._folder, doing=doing, stdin=request, env=self._env
        )
        contents: list[bytes] = []
        position = 0
        for name in names:
            end = shown.index(b"\n", position)
            words = shown[position:end].split(b" ")
            if len(words) != 3:
                raise IntegrityError(doing, f"the Git object {name} is missing")
            start, size = end + 1, int(words[2])
            contents.append(shown[start : start + size])
            position = start + size + 1
        return contents

    def bring(self, trees: Sequence[str]) -> None:
        """Fetch everything below these trees that a filtered fetch left out, in one request or
        two: Git itself would fetch object by object.
        """
        # Of a tree that is here already, Git takes for granted that all below it is here too.
        # So first the trees are fetched, and then, by their own names, what others still lack.
        for _ in range(2):
            missing = self._missing(trees)
            if not missing:
                return
            self._fetch("blob:limit=1g", missing)

    def _require(self, oids: Sequence[str]) -> None:
        """Have these objects here, without what is below them."""
        missing = [oid for oid in dict.fromkeys(oids) if self.read(oid) is None]
        if missing:
            self._fetch("tree:0", missing)

    def _fetch(self, filtered: str, oids: Sequence[str]) -> None:
        git(
            [
                *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags"),
                *("--no-write-fetch-head", "--no-auto-maintenance", f"--filter={filtered}"),
                *("--stdin", "ledger"),
            ],
            folder=self._folder,
            doing="fetching what the ledger holds",
            stdin="".join(f"{oid}\n" for oid in oids).encode(),
            env=self._env,
        )

    def _missing(self, trees: Sequence[str]) -> list[str]:
        """What is not here of these trees and below them; all of them if one itself is not."""
        if not trees:
            return []
        try:
            shown = git(
                ["rev-list", "--objects", "--missing=print", "--no-object-names", *trees],
                folder=self._folder,
                doing="looking for the entries of the ledger",
                env=self._env,
            )
        except GitError:  # one of the trees themselves is missing
            return list(trees)
        return [line[1:] for line in shown.decode().splitlines() if line.startswith("?")]

    def _one(self, stdout: IO[bytes], name: str) -> bytes | None:
        header = stdout.readline()
        words = header.split()
        if len(words) == 3 and words[2].isdigit():
            content = stdout.read(int(words[2]))
            stdout.read(1)
            return content
        if header.rstrip().endswith(b"missing"):
            return None
        raise OutsideError(
            "reading the ledger's Git objects",
            f"git ended while reading {name}",
            hint="is the remote still reachable?",
        )

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(
                ["git", "cat-file", "--batch"],
                cwd=self._folder,
                env=dict(os.environ),  # without the settings by which Git fetches by itself
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def __del__(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process.wait()


def _lines(tree: bytes, id_digits: int) -> list[tuple[str, str]]:
    """Names and object ids of a Git tree: mode, blank, name, NUL and the bytes of the id."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(tree):
        blank = tree.index(b" ", position)
        end = tree.index(b"\0", blank)
        position = end + 1 + id_digits // 2
        oid = tree[end + 1 : position].hex()
        found.append((tree[blank + 1 : end].decode(errors="replace"), oid))
    return found


class _Seen:
    """The newest entry that this clone had seen when this was made. A ledger that is shorter now,
    or that has another entry at that place, was rolled back or rewritten, whatever Git calls it.
    """

    def __init__(self, home: Path, model: str) -> None:
        self._path = home / "seen" / model
        self._model = model
        self._entry = self._read()

    def expect_nothing(self) -> None:
        """The branch is not there: that is fine only if it never was."""
        if self._entry is not None:
            raise ChainError(self._model, 0, "the whole ledger has disappeared")

    def expect(self, view: GitView) -> None:
        """Check a view against what was seen, and remember it if it goes on from there."""
        seen = self._entry
        if seen == (view.state.seq, view.head):
            return
        if seen is not None:
            seq, digest = seen
            if seq > view.state.seq:
                problem = f"the ledger was rolled back: this clone has seen entry {seq}"
                raise ChainError(self._model, view.state.seq + 1, problem)
            if entry_digest(view.entry(seq)) != digest:
                raise ChainError(self._model, seq, "it is not the entry this clone has seen")
        self.keep(view.state.seq, view.head)

    def keep(self, seq: int, digest: Digest) -> None:
        """Remember an entry, unless another process of this clone has seen a later one."""
        now = self._read()
        if now is not None and now[0] >= seq:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        draft.write_text(f"{seq} {digest}\n", "ascii")
        draft.replace(self._path)

    def _read(self) -> tuple[int, Digest] | None:
        try:
            seq, digest = self._path.read_text("ascii").split()
        except (FileNotFoundError, ValueError):
            return None
        return int(seq), Digest(digest)


def imported(model: str, drafts: Iterable[Draft]) -> Iterator[bytes]:
    """A new ledger as a stream for `git fast-import`: the commits that appending `drafts` one by
    one would write, in a repository whose object ids are SHA-1.

    Raises `IllegalEntryError`.
    """
    return _stream(f"refs/heads/assent/{model}", _history(model, drafts), None)


class _Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit to write: files by path; None deletes."""

    message: str
    author: str
    at: str
    files: dict[str, bytes | None]


def _history(model: str, drafts: Iterable[Draft]) -> Iterator[_Commit]:
    state, head = State(model=model), GENESIS
    records: dict[Digest, Record] = {}
    closed: dict[str, str] = {}
    folder: list[tuple[str, bytes]] = []
    for draft in drafts:
        known = {one: records[one] for one in touched(state, draft) if one in records}
        [step] = extend(state, known, head, [draft])
        state, head = step.state, step.digest
        records |= step.records
        if len(folder) == FOLDER:
            closed[f"{len(closed):03d}"] = _tree_id(folder)
            folder.clear()
        folder.append((Path(_entry_path(state.seq)).name, step.content))
        yield _commit_of(step, closed)


def _commit_of(step: Step, closed: Mapping[str, str]) -> _Commit:
    return _Commit(
        message=sentence(step.entry),
        author=step.entry.actor.login,
        at=step.entry.at,
        files=_files_of(step, closed),
    )


def _tree_id(files: Sequence[tuple[str, bytes]]) -> str:
    """The id that Git gives to a tree of these files, which are in Git's order."""

    def object_id(kind: str, content: bytes) -> bytes:
        header = f"{kind} {len(content)}\0".encode()
        return hashlib.sha1(header + content, usedforsecurity=False).digest()

    lines = [f"100644 {name}\0".encode() + object_id("blob", content) for name, content in files]
    return object_id("tree", b"".join(lines)).hex()


def _files_of(step: Step, closed: Mapping[str, str]) -> dict[str, bytes | None]:
    versions = {}
    for bundle, record in step.records.items():
        if record.version is not None and record.registered == step.entry.seq:
            versions[record.version] = bundle
    files: dict[str, bytes | None] = {
        _entry_path(step.entry.seq): step.content,
        **_state_files(step.state, step.digest, step.content),
        **_index_files(step.records.values(), versions),
    }
    if closed and step.entry.seq % FOLDER == 0:
        files |= _closed_files(closed)
    return files


def _state_files(state: State, head: Digest, newest: bytes) -> dict[str, bytes]:
    import yaml

    file = {"format": _REGISTRY_FORMAT, "entry": head, **msgspec.to_builtins(state)}
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(file, Dumper=dumper, sort_keys=False, allow_unicode=True)
    return {"registry.yaml": (_HEADER + text).encode(), "newest.json": newest}


def _index_files(records: Iterable[Record], versions: Mapping[int, Digest]) -> dict[str, bytes]:
    files = {_record_path(record.bundle): canonical_json(record) + b"\n" for record in records}
    files |= {_version_path(number): f"{bundle}\n".encode() for number, bundle in versions.items()}
    return files


def _closed_files(closed: Mapping[str, str]) -> dict[str, bytes]:
    return {"index/closed.json": canonical_json(closed) + b"\n"} if closed else {}


def _stream(ref: str, commits: Iterable[_Commit], tip: str | None) -> Iterator[bytes]:
    """The commits in the format of `git fast-import`."""
    # Two writers may decide the same in the same second. Their commits must differ, or the loser
    # of the race would take the winner's commit for its own.
    writing = os.urandom(8).hex()
    for number, commit in enumerate(commits):
        who = f"{_header(commit.author)} <assent>".encode()
        when = f"{_epoch(commit.at)} +0000".encode()
        yield b"commit %s\ncommitter %s %s\n" % (ref.encode(), who, when)
        yield _data(f"{commit.message}\n\nWrite: {writing}\n".encode())
        if number == 0 and tip is not None:
            yield b"from %s\n" % tip.encode()
        for path, content in commit.files.items():
            if content is None:
                yield b"D %s\n" % path.encode()
            else:
                yield b"M 100644 inline %s\n%s" % (path.encode(), _data(content))
    yield b"done\n"


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _header(name: str) -> str:
    """A name as a commit header can hold it."""
    return "".join(c for c in name if c.isprintable() and c not in "<>") or "unknown"


def _epoch(at: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(at).timestamp()) if at else 0


def _entry_path(seq: int) -> str:
    return f"entries/{seq // FOLDER:03d}/{seq:06d}.json"


def _version_path(version: int) -> str:
    return f"index/versions/{version // FOLDER:03d}/{version:06d}"


def _record_path(bundle: Digest) -> str:
    name = hex_of(bundle)
    return f"index/bundles/{name[:2]}/{name}.json"


def _seq(file: str) -> int:
    number = file.removesuffix(".json")
    return int(number) if number.isdigit() else -1


def _own(view: View) -> GitView:
    if not isinstance(view, GitView):
        raise TypeError("the view was read from another ledger")
    return view


def _is_busy(error: GitError) -> bool:
    """Whether the remote was only locked by another writer at this moment."""
    return "cannot lock ref" in error.stderr or "failed to update ref" in error.stderr


def _reach_hint(error: GitError) -> str:
    if "protected" in error.stderr or "declined" in error.stderr or "denied" in error.stderr:
        return "may this account push to the branches assent/*?"
    return "is the remote reachable from here, and may this account read it? try `git fetch`"


def _settings(repository: Repository) -> list[tuple[str, str]]:
    """The clone's own Git settings: credentials and proxies that CI put there count for the
    ledger's repository too.
    """
    shown = repository.run(
        "config", "--local", "--includes", "--list", "-z", doing="reading the Git settings"
    )
    pairs = (item.partition("\n") for item in shown.split("\0") if item)
    return [(key, value) for key, _, value in pairs]


def _config_environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Settings for Git by its environment, where no list of processes shows them."""
    env = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env


def _looks_like_ssh(address: str) -> bool:
    head, colon, _ = address.partition(":")
    return bool(colon) and "/" not in head
