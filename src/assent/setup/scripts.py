"""What a script of Python reads and writes, and which figures it only shows.

Its syntax tree is walked from the top of the file through every function that a name leads to.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from assent.core.direction import direction
from assent.setup import hydra
from assent.setup.commandlines import commands_of, subcommands
from assent.setup.conditions import switches
from assent.setup.file_kinds import is_cost, kind_of, model_score, trains
from assent.setup.io_calls import (
    METHODS,
    READ_METHODS,
    READS,
    TRAINER_ARGUMENTS,
    WRITES,
    Call,
)
from assent.setup.seen import Hint, Kind, Step, Trace
from assent.setup.source import Function, Module, Scope, Sources
from assent.setup.values import HOLE, UNKNOWN, Handle, Program, argument, missing_arguments
from assent.setup.written_names import columns_of, figures_in_text, names_of

MAX_PRINTED = 5
_OPEN = "open"
_LITERAL_MODES = re.compile(r"[wax+]")


def read_script(
    sources: Sources, path: str, arguments: Sequence[str] = (), folder: str = ""
) -> Step:
    """What the script at `path` does if it is run in `folder` with these arguments. `command` holds
    only the words that have to be added to it.
    """
    program = Program(sources, path, arguments, folder)
    moves = hydra.configure(program)
    walked = _Walk(program)
    flags = walked.flags
    imported = [module.path for module in program.modules]
    own = [] if program.rest else subcommands(program.modules[0])
    words = [command for command in own if command == "train"] or [
        command for command in own if trains(command)
    ]
    words = words if len(words) == 1 else []
    shown = ", ".join(own[:8])
    unclear = f"{path} has commands of its own ({shown}): add the one that trains to the command"
    missing = [] if own else missing_arguments(program)
    demanded = f"{path} demands {', '.join(missing[:5])}: add what it is to the command"
    return Step(
        name=posixpath.splitext(posixpath.basename(path))[0],
        command=" ".join([*words, *([hydra.STAY] if moves else []), *flags]),
        why=path,
        scripts=tuple(dict.fromkeys([path, *imported])),
        reads=tuple(_once([*walked.reads, *_configurations(program)])),
        writes=tuple(_once(walked.writes)),
        hints=tuple(walked.hints),
        notes=(
            *_own_folder(program, moves),
            *((unclear,) if own and not words else ()),
            *((demanded,) if missing else ()),
            *walked.needed,
        ),
    )


def _own_folder(program: Program, moves: bool) -> list[str]:
    """What a person has to do where each run of Hydra leaves its files in a folder of its own."""
    if program.run_folder is None or moves or "hydra.run.dir" in program.named:
        return []
    folder = program.run_folder
    return [
        f"Hydra gives each run of {program.script} a folder of its own below {folder}: add "
        f"hydra.run.dir={folder}/run to the command, and name at `model` what it leaves there"
    ]


def _configurations(program: Program) -> list[Trace]:
    traces = [
        Trace(path=path, kind="params", why=f"{program.script} loads it") for path in program.loaded
    ]
    if program.composed_from is not None:
        why = "Hydra composes the configuration from it"
        traces.append(Trace(path=program.composed_from, kind="data", why=why))
    return traces


def _once(traces: Sequence[Trace]) -> list[Trace]:
    """Each path once, with what says most about it: that a file is opened says least."""
    by_path: dict[str, Trace] = {}
    for trace in traces:
        standing = by_path.get(trace.path)
        if standing is None or _telling(trace) > _telling(standing):
            by_path[trace.path] = trace
    return list(by_path.values())


def _telling(trace: Trace) -> tuple[bool, bool]:
    return bool(trace.names), trace.call != _OPEN


def _traced(
    path: str,
    kind: Kind,
    call: str,
    node: ast.Call,
    scope: Scope,
    *,
    names: Sequence[str] = (),
    is_added_to: bool = False,
) -> Trace:
    """A file that a call reads or writes."""
    script = scope.module.path
    return Trace(
        path=path,
        kind=kind,
        why=f"{script}, line {node.lineno}: {call}",
        by=script,
        call=call,
        names=tuple(names),
        is_added_to=is_added_to,
    )


class _Walk:
    """One walk through a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.reads: list[Trace] = []
        self.writes: list[Trace] = []
        self.hints: list[Hint] = []
        self.output_folders: list[str] = []
        self.logged: dict[str, None] = {}
        self._kept: list[tuple[str, list[tuple[str, bool]]]] = []
        self._printed: dict[str, str] = {}
        self._printed_line = 0
        calls = list(self._reachable())
        for node, scope in calls:
            called = scope.module.dotted(node.func).rpartition(".")[2]
            self.program.calls.setdefault(called, []).append((node, scope))
        for node, scope in calls:
            self._trainer_arguments(node, scope)
        for node, scope in calls:
            self._call(node, scope)
        self._finish()

    @property
    def _switches(self) -> tuple[str, list[tuple[str, bool]]]:
        """What every line that keeps a model stands under, and the first such line."""
        if not self._kept or not all(its for _, its in self._kept):
            return "", []
        return self._kept[0]

    @property
    def flags(self) -> list[str]:
        """The flags without which no model is kept."""
        return [name for name, is_flag in self._switches[1] if is_flag]

    @property
    def needed(self) -> list[str]:
        """What a person has to know of the other options without which none is kept."""
        place, options = self._switches
        return [
            f"{place} keeps the model only with {name}: add it to the command"
            for name, is_flag in options
            if not is_flag
        ]

    def _reachable(self) -> Iterator[tuple[ast.Call, Scope]]:
        """Every call at the top of the script and in functions that a name leads to."""
        modules = self.program.modules
        by_name: dict[str, list[tuple[Function, Module]]] = {}
        for module in modules:
            for name, functions in module.functions.items():
                by_name.setdefault(name, []).extend((function, module) for function in functions)
        seen: set[Function] = set()
        names: set[str] = set()
        waiting: deque[tuple[ast.AST, Scope]] = deque()
        for module in modules:
            waiting += [(node, module.top) for node in _top(module, module is modules[0])]
        for function in self._commanded():
            seen.add(function)
            inner = modules[0].scopes[function]
            waiting += [(child, inner) for child in function.body]
        while waiting:
            node, scope = waiting.popleft()
            if isinstance(node, ast.Call):
                yield node, scope
            used = _loaded_name(node, scope.module)
            if used is not None and used not in names:
                names.add(used)
                called = [*by_name.get(used, []), *_methods(used, modules)]
                for function, module in called:
                    if function not in seen:
                        seen.add(function)
                        inner = module.scopes[function]
                        waiting += [(child, inner) for child in function.body]
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                waiting += [(child, scope) for child in ast.iter_child_nodes(node)]
            elif scope.function is None or not isinstance(node, ast.ClassDef):
                waiting += [(child, scope) for child in node.decorator_list]

    def _commanded(self) -> list[Function]:
        """The functions that a group of click or an app of typer runs, which nothing calls by name:
        the one that the command line names, else all.
        """
        commands = list(commands_of(self.program.modules[0]))
        named = [function for name, function, _ in commands if name in self.program.rest[:1]]
        return named or [function for _, function, _ in commands]

    def _call(self, node: ast.Call, scope: Scope) -> None:
        dotted = scope.module.dotted(node.func)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        last = dotted.rpartition(".")[2]
        write = WRITES.get(_known_as(dotted)) or (METHODS.get(method) if method else None)
        read = READS.get(_known_as(dotted)) or (READ_METHODS.get(method) if method else None)
        if dotted.startswith("mlflow.") and last == "save_model":
            write = Call(1, ("path",), "model")
        if write is not None and not self._is_of_trainer(node, method, scope):
            self._write(node, scope, write, dotted)
        elif read is not None and method != "save_model":
            self._read(node, scope, read, dotted)
        self._opened(node, scope, dotted)
        self._of_libraries(node, scope, dotted, last)

    def _write(self, node: ast.Call, scope: Scope, call: Call, dotted: str) -> None:
        content = argument(node, call.content, "obj", "data") if call.content >= 0 else None
        if call.content < 0 and isinstance(node.func, ast.Attribute):
            names = columns_of(self.program, node.func.value, scope)
        else:
            names = names_of(self.program, content, scope)
        paths = self._paths(node, scope, call)
        if not paths and call.kind == "model":
            self.hints.append(Hint(where="lost", script=scope.module.path, line=node.lineno))
        for path in paths:
            kind = call.kind or kind_of(path)
            if kind == "model" and call.kind == "model" and model_score(path) < 0:
                kind = "other"
            is_shown = any(map(direction, names)) and call.content >= 0
            if is_shown and kind in ("data", "other", "params"):
                kind = "metrics"
            self._wrote(path, kind, dotted.lstrip("."), node, scope, names)

    def _wrote(
        self,
        path: str,
        kind: Kind,
        how: str,
        node: ast.Call,
        scope: Scope,
        names: Sequence[str] = (),
    ) -> None:
        if kind == "model":
            place = f"{scope.module.path}, line {node.lineno},"
            self._kept.append((place, switches(self.program, node, scope)))
        mode = self.program.value(argument(node, 99, "mode"), scope)
        self.writes.append(
            _traced(path, kind, how, node, scope, names=names, is_added_to=mode == "a")
        )

    def _read(self, node: ast.Call, scope: Scope, call: Call, dotted: str) -> None:
        for path in self._paths(node, scope, call):
            kind = call.kind or kind_of(path)
            self.reads.append(_traced(path, kind, dotted.lstrip("."), node, scope))

    def _paths(self, node: ast.Call, scope: Scope, call: Call) -> list[str]:
        """The paths that a call is given, in each call of the function that it stands in."""
        if call.place < 0:
            assert isinstance(node.func, ast.Attribute)
            given: ast.expr | None = node.func.value
        else:
            given = argument(node, call.place, *call.names)
        paths = [self.program.path(value) for value in self.program.values(given, scope)]
        return [path for path in paths if path is not None]

    def _opened(self, node: ast.Call, scope: Scope, dotted: str) -> None:
        """`open(…)` itself: what is read, or what text is written into it."""
        if not (dotted in ("open", "io.open") or dotted.endswith(".open")):
            return
        for handle in self.program.values(node, scope):
            path = self.program.path(handle)
            if not isinstance(handle, Handle) or path is None:
                continue
            if _LITERAL_MODES.search(handle.mode) is None:
                self.reads.append(_traced(path, kind_of(path), _OPEN, node, scope))
                continue
            names = figures_in_text(self.program, path, scope)
            kind: Kind = "metrics" if any(map(direction, names)) else kind_of(path)
            is_added_to = "a" in handle.mode
            self.writes.append(
                _traced(path, kind, _OPEN, node, scope, names=names, is_added_to=is_added_to)
            )

    def _of_libraries(self, node: ast.Call, scope: Scope, dotted: str, last: str) -> None:
        if last in ("load_dataset",):
            self._data_set(node, scope)
        elif last in ("CSVLogger", "ModelCheckpoint"):
            self._callback(node, scope, last)
        elif last in ("Live", "DVCLiveCallback", "DVCLiveLogger"):
            folder = self.program.value(argument(node, 0, "dir"), scope)
            path = self.program.path(folder if isinstance(folder, str) else "dvclive")
            if path is not None:
                names = tuple(self._logged_names("log_metric"))
                self._wrote(f"{path}/metrics.json", "metrics", last, node, scope, names)
        elif last == "log" and isinstance(node.func, ast.Attribute):
            name = self.program.value(argument(node, 0, "name"), scope)
            if isinstance(name, str) and name.isidentifier():
                self.logged[name] = None
        elif dotted.startswith("mlflow.") and last == "log_model":
            self._fitted(node, scope, argument(node, 0, "sk_model", "model", "pytorch_model"))
        elif dotted.startswith(("mlflow.", "wandb.")):
            self._tracked(node, scope, dotted)
        elif last == "fit" and isinstance(node.func, ast.Attribute):
            self._fitted(node, scope, node.func.value)
        elif dotted == "print":
            self._prints(node, scope)
        elif last in ("save_metrics", "save_state"):
            self._of_trainer(node, scope, last)
        elif last == "save_model" and not node.args and not node.keywords:
            for folder in self.output_folders:
                self._wrote(folder, "model", "trainer.save_model", node, scope)

    def _logged_names(self, method: str) -> list[str]:
        names = []
        for node, scope in self.program.calls.get(method, []):
            name = self.program.value(argument(node, 0, "name", "key"), scope)
            names += [name] if isinstance(name, str) and HOLE not in name else []
        return list(dict.fromkeys(names))

    def _trainer_arguments(self, node: ast.Call, scope: Scope) -> None:
        if scope.module.dotted(node.func).rpartition(".")[2] in TRAINER_ARGUMENTS:
            folder = self.program.value(argument(node, 0, "output_dir"), scope)
        elif isinstance(node.func, ast.Attribute) and node.func.attr == (
            "parse_args_into_dataclasses"
        ):
            folder = self.program.named.get("output_dir")
        else:
            return
        path = self.program.path(folder)
        if path is not None and path not in self.output_folders:
            self.output_folders.append(path)

    def _is_of_trainer(self, node: ast.Call, method: str, _scope: Scope) -> bool:
        return method == "save_model" and not node.args and not node.keywords

    def _of_trainer(self, node: ast.Call, scope: Scope, last: str) -> None:
        """What `save_metrics("eval", …)` and `save_state()` leave in the output folder."""
        names = [
            name if name.startswith("eval_") else f"eval_{name}"
            for name in self._computed_metrics()
        ]
        for folder in self.output_folders:
            if last == "save_state":
                path = f"{folder}/trainer_state.json"
                self._wrote(path, "metrics", "trainer.save_state", node, scope, names)
                continue
            split = self.program.value(argument(node, 0, "split"), scope)
            if isinstance(split, str) and split != "train":
                path = f"{folder}/{split}_results.json"
                self._wrote(path, "metrics", "trainer.save_metrics", node, scope, names)

    def _computed_metrics(self) -> list[str]:
        names: list[str] = ["eval_loss"]
        for module in self.program.modules:
            for function in module.functions.get("compute_metrics", []):
                inner = module.scopes[function]
                for node in ast.walk(function):
                    if isinstance(node, ast.Return):
                        names += names_of(self.program, node.value, inner)
        return list(dict.fromkeys(names))

    def _data_set(self, node: ast.Call, scope: Scope) -> None:
        """The local files of `load_dataset("csv", data_files=…)`."""
        given = self.program.value(argument(node, 2, "data_files", "data_dir"), scope)
        values = given.values() if isinstance(given, dict) else [given]
        for value in values:
            for item in value if isinstance(value, list) else [value]:
                path = self.program.path(item)
                if path is not None:
                    self.reads.append(_traced(path, "data", "load_dataset", node, scope))

    def _callback(self, node: ast.Call, scope: Scope, last: str) -> None:
        value = self.program.value
        if last == "ModelCheckpoint":
            folder = value(argument(node, 0, "dirpath", "filepath"), scope)
            name = value(argument(node, 1, "filename"), scope)
            if isinstance(folder, str) and folder.endswith((".h5", ".keras")):
                path = self.program.path(folder)
            elif isinstance(folder, str):
                known = isinstance(name, str) and "{" not in name
                path = self.program.path(f"{folder}/{name if known else HOLE}.ckpt")
            else:
                path = None
            if path is not None:
                self._wrote(path, "model", last, node, scope)
            return
        folder = value(argument(node, 0, "save_dir", "filename"), scope)
        if not isinstance(folder, str):
            return
        if folder.endswith((".csv", ".log", ".tsv")):  # of Keras
            path = self.program.path(folder)
        else:
            path = self.program.path(self._of_lightning(node, scope, folder))
        if path is not None:
            names = tuple(f"last.{name}" for name in self.logged or ("val_loss",))
            self._wrote(path, "metrics", last, node, scope, names)

    def _of_lightning(self, node: ast.Call, scope: Scope, folder: str) -> str:
        name = self.program.value(argument(node, 1, "name"), scope)
        version = self.program.value(argument(node, 2, "version"), scope)
        named = "lightning_logs" if name is UNKNOWN else (name or "")
        if isinstance(version, int):
            version = f"version_{version}"
        shown = version if isinstance(version, str) else f"version_{HOLE}"
        return posixpath.join(folder, str(named), shown, "metrics.csv")

    def _tracked(self, node: ast.Call, scope: Scope, dotted: str) -> None:
        where = "mlflow" if dotted.startswith("mlflow.") else "wandb"
        last = dotted.rpartition(".")[2]
        if last not in ("log_metric", "log_metrics", "autolog", "log"):
            return
        values: dict[str, str] = {}
        if last == "log_metric":
            name = self.program.value(argument(node, 0, "key"), scope)
            expression = argument(node, 1, "value")
            if isinstance(name, str) and expression is not None:
                values = {name: ast.unparse(expression)}
        else:
            given = argument(node, 0, "metrics", "data")
            values = dict.fromkeys(names_of(self.program, given, scope), "…")
        self._hint(where, node, scope, values)

    def _fitted(self, node: ast.Call, scope: Scope, model: ast.expr | None) -> None:
        """A model that is made here: what a line that keeps it would have to name."""
        shown = ast.unparse(model) if isinstance(model, ast.Name | ast.Attribute) else ""
        if shown and "trainer" not in shown.lower():
            module = scope.module.path
            flavour = scope.module.dotted(node.func).rpartition(".")[0]
            where = {"flavour": flavour} if flavour.startswith("mlflow.") else {}
            self.hints.append(
                Hint(where="fitted", script=module, line=node.lineno, values=where, fitted=shown)
            )

    def _prints(self, node: ast.Call, scope: Scope) -> None:
        """`print("accuracy:", a)`, `print(f"accuracy: {a}")`: names and what stands for them."""
        parts: list[ast.expr] = []
        for printed in node.args:
            parts += printed.values if isinstance(printed, ast.JoinedStr) else [printed]
        values: dict[str, str] = {}
        label = ""
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                label = part.value
                continue
            shown = part.value if isinstance(part, ast.FormattedValue) else part
            name = "_".join(re.findall(r"[a-z0-9]+", label.lower())[-3:])
            while name and direction(name) is None and "_" in name:
                name = name.partition("_")[2]
            if name and direction(name) is not None and not is_cost(name):
                values[name] = ast.unparse(shown)
            label = ""
        if values:
            self._hint("printed", node, scope, values)

    def _hint(self, where: str, node: ast.Call, scope: Scope, values: dict[str, str]) -> None:
        kind = where if where in ("mlflow", "wandb") else "printed"
        self.hints.append(
            Hint(
                where=kind,  # type: ignore[arg-type]  # one of the three
                script=scope.module.path,
                line=node.lineno,
                values=values,
            )
        )

    def _finish(self) -> None:
        """Names that only the whole walk knows: what Lightning logs, what a trainer computes."""
        names = tuple(f"last.{name}" for name in self.logged)
        self.writes = [
            msgspec.structs.replace(trace, names=names)
            if names and trace.path.endswith("/metrics.csv") and trace.call == "CSVLogger"
            else trace
            for trace in self.writes
        ]


def _top(module: Module, is_main: bool) -> list[ast.stmt]:
    """The statements that run when a file is run, or only imported."""
    if is_main:
        return list(module.tree.body)
    return [node for node in module.tree.body if not _is_main_guard(node)]


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)


def _loaded_name(node: ast.AST, module: Module) -> str | None:
    """The name that an expression uses, of a function perhaps."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return module.aliases.get(node.id, node.id).rpartition(".")[2]
    return None


def _methods(name: str, modules: Sequence[Module]) -> list[tuple[Function, Module]]:
    """What runs if a class of this name is called: its `__init__`, `__post_init__`, `__call__`."""
    methods: list[tuple[Function, Module]] = []
    for module in modules:
        if name in module.classes:
            for node in module.classes[name].body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("__"):
                    methods.append((node, module))
    return methods


_ALIASES = {"np.": "numpy.", "pd.": "pandas.", "tf.": "tensorflow.", "plt.": "matplotlib.pyplot."}


def _known_as(dotted: str) -> str:
    """The name that the table has: `tensorflow.keras.…` for `tf.keras.…` where it was imported
    under a condition, `joblib.dump` for `sklearn.externals.joblib.dump`.
    """
    for short, full in _ALIASES.items():
        if dotted.startswith(short):
            return full + dotted.removeprefix(short)
    return dotted
