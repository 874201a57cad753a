"""The steps that a repository could run: each a command, with what it reads and writes."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from assent.setup import hydra
from assent.setup.file_kinds import (
    MODEL_ENDINGS,
    ending,
    evaluates,
    is_test,
    kind_of,
    model_score,
    predicts,
    trains,
)
from assent.setup.named_commands import Recipe, recipes
from assent.setup.other_languages import foreign_step, language_of, not_read
from assent.setup.scripts import read_script
from assent.setup.seen import Kind, Step, Trace
from assent.setup.shell import SCRIPTS, Ran, Simple, commands, path_of, publishes, ran
from assent.setup.source import Sources, notebook_language, shell_lines
from assent.setup.tree import Tree

MAX_SCRIPTS = 200
MAX_NODES_READ = 600_000
"""How much of scripts and what they import is read for one project, in nodes of syntax trees."""
NOTEBOOKS = ".assent/notebooks"
"""Where executed notebooks go: Git ignores it."""

_ASIDE = frozenset("tests test docs doc examples example .github .gitlab benchmarks".split())
_LEARNS = re.compile(
    r"\.fit\(|\.backward\(|\.train_on_batch\(|(?:xgb|lgb|xgboost|lightgbm)\.train\(|\btar_target\("
    r"|\bfit\(|\btrain\("
)
_RUNS = re.compile(
    rb"__main__|\.dump\(|\.save|savefig|to_csv|to_parquet|write_text|log_metric|open\(|\.fit\(|"
    rb"\.train\("
)


class Reader:
    """The steps of one tree; each script is read once for each way it is run."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.sources = Sources(tree)
        self._spent = 0
        self._read: dict[tuple[str, tuple[str, ...], str], Step] = {}

    def script(self, path: str, arguments: Sequence[str] = (), folder: str = "") -> Step:
        """What a script does if it is run in `folder`."""
        key = (path, tuple(arguments), folder)
        if key not in self._read:
            self._spent += sum(module.size for module in self.sources.closure(path))
            if self._spent > MAX_NODES_READ and self._read:
                return Step(name=_stem(path), command="", why=path, scripts=(path,))
            step = read_script(self.sources, path, arguments, folder)
            learns = learning(self.tree.text(path))
            self._read[key] = msgspec.structs.replace(step, learns=learns)
        return self._read[key]

    @property
    def is_cut(self) -> bool:
        """Whether there was more to read than is read."""
        return self._spent > MAX_NODES_READ

    def named(self) -> list[Step]:
        """The steps that the repository has names for."""
        all_recipes = recipes(self.tree)
        by_name = {recipe.name: recipe for recipe in all_recipes if recipe.file in _TASK_FILES}
        steps = [
            (recipe, step)
            for recipe in all_recipes
            if not publishes("\n".join(recipe.lines))
            if (step := self.of_recipe(recipe, by_name)) is not None
        ]
        own = [trace.path for recipe, step in steps if not recipe.is_sum for trace in step.writes]
        return [
            step
            for recipe, step in steps
            if not (recipe.is_sum and _adds_nothing(recipe, step, own))
        ]

    def of_recipe(self, recipe: Recipe, others: dict[str, Recipe]) -> Step | None:
        """A recipe with what its lines do; None if none of them runs anything of the team's."""
        parts = list(self.of_lines(recipe.lines, others, {recipe.name}))
        scripts = [path for part in parts for path in part.scripts]
        if not scripts and not any(part.writes for part in parts):
            return None
        step = msgspec.structs.replace(
            _with_made(_merged(parts), recipe), learns=any(part.learns for part in parts)
        )
        added = " ".join(dict.fromkeys(part.command for part in parts if part.command))
        is_own = recipe.file in _TASK_FILES and not recipe.is_copied
        command = f"{recipe.command} {added}" if added and not is_own else recipe.command
        lost = (f"{recipe.file} has to give {added} to its script",) if added and is_own else ()
        return msgspec.structs.replace(
            step,
            name=recipe.name,
            command=command,
            why=f"{recipe.why} runs {_listed(_mains(parts))}" if scripts else recipe.why,
            certainty=recipe.certainty,
            is_of_ci=recipe.is_of_ci,
            scripts=tuple(dict.fromkeys([*scripts, *([recipe.file] if is_own else [])])),
            notes=(*recipe.notes, *step.notes, *lost),
        )

    def of_lines(
        self, lines: Sequence[str], others: dict[str, Recipe], seen: set[str], folder: str = ""
    ) -> Iterator[Step]:
        """What the lines of a recipe or a shell script do, one after the other."""
        for line in lines:
            for simple in commands(line, folder):
                yield from self._of_simple(simple, others, seen)

    def _of_simple(
        self, simple: Simple, others: dict[str, Recipe], seen: set[str]
    ) -> Iterator[Step]:
        program = posixpath.basename(simple.words[0])
        target = simple.words[1] if len(simple.words) > 1 else ""
        if program in ("make", "just", "poe", "invoke", "inv", "task") and target in others:
            if target not in seen:
                yield from self.of_lines(others[target].lines, others, seen | {target})
            return
        run = ran(simple)
        if run is not None:
            step = self._of_run(simple, run, others, seen)
            if step is not None:
                yield step
        written = [*simple.writes, *(simple.words[1:] if program == "tee" else [])]
        writes = tuple(
            trace for name in written if (trace := _redirected(simple, name)) is not None
        )
        reads = tuple(self._named_files(simple, None if run is None else run.script))
        if writes or reads:
            yield Step(name=program, command="", why="", reads=reads, writes=writes)

    def _named_files(self, simple: Simple, script: str | None) -> Iterator[Trace]:
        """The files of the tree that a command names and that are not plainly what it makes."""
        before = ""
        for word in (*simple.words[1:], *simple.reads):
            path = path_of(simple, word)
            is_output = before.lstrip("-").startswith("o") or model_score(word) > 0
            if path is not None and word != script and not is_output and self.tree.is_file(path):
                kind = kind_of(path)
                if kind not in ("metrics", "predictions", "plots", "model"):
                    is_config = ending(path) in (".yaml", ".yml", ".toml", ".ini")
                    why = f"`{' '.join(simple.words[:2])}` names it"
                    yield Trace(path=path, kind="params" if is_config else "data", why=why)
            before = word

    def _of_run(
        self, simple: Simple, run: Ran, others: dict[str, Recipe], seen: set[str]
    ) -> Step | None:
        path = self._path(simple, run)
        if path is None:
            return None
        folder = simple.folder or ""
        if path.endswith((".sh", ".bash")):
            if path in seen:
                return None
            parts = list(self.of_lines([self.tree.text(path)], others, seen | {path}, folder))
            step = _merged(parts)
            return msgspec.structs.replace(step, scripts=(path, *step.scripts), why=path)
        if path.endswith(".ipynb"):
            papermill = any("papermill" in word for word in simple.words)
            return self.script(path, (), folder if papermill else posixpath.dirname(path))
        if path.endswith(".py"):
            return self.script(path, run.arguments, folder)
        if language_of(path) is not None:
            return _foreign(self.tree, path, folder)
        return Step(name=path, command="", why=path, scripts=(path,))

    def _path(self, simple: Simple, run: Ran) -> str | None:
        """The file of the tree that is run, or None."""
        if run.script is not None:
            path = path_of(simple, run.script)
            if path is not None and self.tree.is_folder(path):
                path = f"{path}/__main__.py"
            return path if path is not None and self.tree.is_file(path) else None
        inside = (run.module or "").replace(".", "/")
        for place in (simple.folder or "", "src"):
            for name in (f"{inside}.py", f"{inside}/__main__.py"):
                path = posixpath.normpath(posixpath.join(place, name))
                if inside and self.tree.is_file(path):
                    return path
        return None

    def plain(self) -> list[Step]:
        """Every script that does something by itself, run as people would."""
        return [step for path in self._own_scripts() if (step := self._plain(path)) is not None]

    def _own_scripts(self) -> list[str]:
        scripts = []
        for path in self.tree.files:
            if not path.endswith(SCRIPTS) or _ASIDE.intersection(path.split("/")[:-1]):
                continue
            name = posixpath.basename(path)
            is_telling = trains(name) or evaluates(name) or predicts(name)
            if is_test(name) or name in ("setup.py", "__init__.py"):
                continue
            if is_telling or not path.endswith(".py") or _RUNS.search(self.tree.read(path) or b""):
                scripts.append(path)
        return sorted(scripts, key=_rank)[:MAX_SCRIPTS]

    def _plain(self, path: str) -> Step | None:
        if path.endswith(".py"):
            return self._python(path)
        if path.endswith(".ipynb"):
            return self._notebook(path)
        if path.endswith((".sh", ".bash")):
            if publishes(self.tree.text(path)):
                return None  # its lines are recipes of their own
            shell = (
                "bash" if path.endswith(".bash") or "bash" in self.tree.text(path)[:40] else "sh"
            )
            simple = Simple(words=(shell, path))
            step = self._of_run(simple, Ran(script=path), {}, set())
            named = None if step is None else msgspec.structs.replace(step, name=_stem(path))
            return None if named is None else _called(named, f"{shell} {_quoted(path)}")
        program = {".R": "Rscript", ".r": "Rscript", ".jl": "julia"}[posixpath.splitext(path)[1]]
        step = _foreign(self.tree, path)
        if posixpath.basename(path) == "_targets.R":
            home = posixpath.dirname(path)
            made = "Rscript -e 'targets::tar_make()'"
            return _called(step, f"cd {_quoted(home)} && {made}" if home else made)
        return _called(step, f"{program} {_quoted(path)}")

    def _python(self, path: str) -> Step | None:
        if not self._is_runnable(path):
            return None
        folder = self._folder_of(path)
        step = self.script(path, (), folder)
        command = self._command(path, folder)
        if step.command:
            command = f"{command} {step.command}"
        return _called(step, command)

    def _is_runnable(self, path: str) -> bool:
        """Whether running a file does anything: it has a main part, or calls something at its top.
        A file that cannot be parsed may be one; whoever runs it is told.
        """
        module, text = self.sources.module(path), self.tree.read(path) or b""
        body = module.tree.body
        if not module.functions and not module.classes:
            return bool(text.strip())
        return b"__main__" in text or any(map(_does_something, body))

    def _folder_of(self, path: str) -> str:
        """Where a script is run: at the root, or in its own folder if only there it finds what it
        reads.
        """
        own = posixpath.dirname(path)
        if not own:
            return ""

        def finds(folder: str) -> int:
            reads = self.script(path, (), folder).reads
            return sum(self.tree.is_there(trace.path) for trace in reads)

        return own if finds(own) > finds("") else ""

    def _command(self, path: str, folder: str) -> str:
        """`python path`, or as a module where its imports need that."""
        if folder:
            return f"cd {folder} && python {posixpath.basename(path)}"
        own = posixpath.dirname(path)
        places = self.sources.places_of(path)
        sets_path = re.search(r"sys\.path|setup_root", self.tree.text(path)) is not None
        before = "PYTHONPATH=src " if "src" in places and not sets_path else ""
        if not own or sets_path or "root" not in places:
            return f"{before}python {_quoted(path)}"
        return f"{before}python -m {path.removesuffix('.py').replace('/', '.')}"

    def _notebook(self, path: str) -> Step | None:
        text = self.tree.read(path) or b""
        language = notebook_language(text)
        if language != "python":
            return Step(
                name=_stem(path),
                command=_nbconvert(path),
                why=path,
                scripts=(path,),
                notes=(not_read(language.capitalize(), path),),
                is_unread=True,
            )
        own = posixpath.dirname(path)
        parts = [self.script(path, (), own), *self.of_lines(shell_lines(text), {}, set(), own)]
        step = msgspec.structs.replace(_merged(parts), why=path)
        return _called(msgspec.structs.replace(step, name=_stem(path)), _nbconvert(path))


def _foreign(tree: Tree, path: str, folder: str = "") -> Step:
    step = foreign_step(tree, path, folder)
    return msgspec.structs.replace(step, learns=learning(tree.text(path)))


def learning(text: str) -> bool:
    """Whether the words of a script say that something is fitted in it."""
    return _LEARNS.search(text) is not None


def _with_made(step: Step, recipe: Recipe) -> Step:
    """A step with the files that its targets are called after, where no script says of them more
    than that.
    """
    known = {trace.path for trace in step.writes}
    made = [
        Trace(path=path, kind=_kind_made(path), why=f"{recipe.file}: target {path}")
        for name in recipe.makes
        if (path := posixpath.normpath(name)) not in known
        if not path.startswith(("/", "..")) and path not in step.scripts
    ]
    reads = [trace for trace in step.reads if trace.path not in {its.path for its in made}]
    writes = (*step.writes, *made)
    return msgspec.structs.replace(step, reads=tuple(reads), writes=writes)


def _kind_made(path: str) -> Kind:
    is_model = ending(path) in MODEL_ENDINGS and model_score(path) > 0
    return "model" if is_model else kind_of(path)


def _adds_nothing(recipe: Recipe, step: Step, own: Sequence[str]) -> bool:
    """Whether a target that only names others is no step of its own: others write all it does."""
    return not trains(recipe.name) and all(trace.path in own for trace in step.writes)


def _does_something(node: ast.stmt) -> bool:
    """Whether a statement at the top of a file is more than a definition or a constant."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    return isinstance(node, ast.With | ast.For | ast.While)


_TASK_FILES = frozenset(
    """
    Makefile makefile GNUmakefile justfile Justfile .justfile tasks.py noxfile.py tox.ini
    MLproject pyproject.toml
    """.split()
)


def _nbconvert(path: str) -> str:
    return f"jupyter nbconvert --to notebook --execute --output-dir {NOTEBOOKS} {_quoted(path)}"


def _quoted(path: str) -> str:
    return path if re.fullmatch(r"[\w./-]+", path) else "'" + path.replace("'", "'\\''") + "'"


def _rank(path: str) -> tuple[bool, int, str]:
    """Scripts whose name says what they are are read first, then those near the root."""
    name = posixpath.basename(path)
    is_telling = trains(name) or evaluates(name) or predicts(name)
    return not is_telling, path.count("/"), path


def _called(step: Step, command: str) -> Step:
    return msgspec.structs.replace(step, command=command, certainty="read")


def _stem(path: str) -> str:
    return posixpath.splitext(posixpath.basename(path))[0]


def _mains(parts: Sequence[Step]) -> list[str]:
    return list(dict.fromkeys(part.scripts[0] for part in parts if part.scripts))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _redirected(simple: Simple, name: str) -> Trace | None:
    path = path_of(simple, name)
    if path is None:
        return None
    command = " ".join(simple.words[:3])
    return Trace(path=path, kind=kind_of(path), why=f"`{command}` writes it", by=command)


def _merged(parts: Sequence[Step]) -> Step:
    """Several steps as one: what an earlier one writes is not read from outside by a later one."""
    written: set[str] = set()
    reads: dict[str, Trace] = {}
    writes: dict[str, Trace] = {}
    for part in parts:
        for trace in part.reads:
            if trace.path not in written:
                reads.setdefault(trace.path, trace)
        for trace in part.writes:
            written.add(trace.path)
            if trace.path not in writes or trace.names:
                writes[trace.path] = trace
    return Step(
        name="",
        command="",
        why="",
        scripts=tuple(dict.fromkeys(path for part in parts for path in part.scripts)),
        reads=tuple(reads.values()),
        writes=tuple(writes.values()),
        hints=tuple(hint for part in parts for hint in part.hints),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        is_unread=any(part.is_unread for part in parts),
    )


merged = _merged
STAY = hydra.STAY
