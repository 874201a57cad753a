"""The commands that a repository already has names for: targets, entry points, tasks, CI jobs."""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from assent.parsing import ParseError, mapping_of, parse_yaml
from assent.setup.blocks import Block
from assent.setup.jobs import CHECKOUT, blocks_of
from assent.setup.seen import Certainty
from assent.setup.shell import SCRIPTS, Simple, commands, publishes, ran
from assent.setup.tree import Tree

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
TODO = "TODO"
"""Stands where a person has to say something."""
JUSTFILES = ("justfile", "Justfile", ".justfile")
MAX_RECIPES = 300
_LONG = 2000
_COPIED = (
    "the values in the command are copied from {}: whoever changes them there changes them here"
)
_MAX_TEXT = 200_000
_MAX_ASKED = 300
_ONLY_THERE = re.compile(r"[$`{]")
_VARIES = re.compile(r"\$[({]|{{")
_VARIABLE = re.compile(r"\$[({]([A-Za-z_][\w.-]*)[)}]")


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has a name. `lines` are what it runs, `file` where it is written. The command
    `is_copied` if it does not go through that file: a change of the file does not reach it. It
    `is_sum` if it only names others that are run. `makes` are
    the files that it is there to make, as it is called after them. `notes` are what a person has to
    know of it. `is_of_ci`: it is a line of a job.
    """

    name: str
    command: str
    lines: tuple[str, ...]
    file: str
    why: str
    certainty: Certainty = "stated"
    is_copied: bool = False
    is_of_ci: bool = False
    is_sum: bool = False
    makes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def recipes(tree: Tree) -> list[Recipe]:
    """Every recipe of a folder; those that are made to be run by people come first."""
    recipes_read: list[Recipe] = []
    read_by = (
        *(_entry_points, _makefile, _justfile, _pyproject, _invoke, _tox, _nox, _ci),
        _publishing,
    )
    for read in read_by:
        recipes_read += read(tree)
    return recipes_read[:MAX_RECIPES]


# MLproject


def _entry_points(tree: Tree) -> Iterator[Recipe]:
    try:
        top = parse_yaml(tree.read("MLproject") or b"")
    except ParseError:
        return
    points = top.get("entry_points") if isinstance(top, dict) else None
    for name, given in (points if isinstance(points, dict) else {}).items():
        command = given.get("command") if isinstance(given, dict) else None
        if isinstance(command, str):
            filled = _filled(" ".join(command.split()), given.get("parameters"))
            why = f"MLproject: entry point {name}"
            is_filled = filled != " ".join(command.split())
            unknown = [
                placeholder
                for placeholder in mapping_of(given.get("parameters"))
                if f"{{{placeholder}}}" in filled
            ]
            needed = f"{why} has no default for {', '.join(unknown)}: say it in the command"
            shown = filled
            for placeholder in unknown:
                shown = shown.replace(f"{{{placeholder}}}", TODO)
            yield Recipe(
                name=str(name),
                command=shown,
                lines=(filled,),
                file="MLproject",
                why=why,
                is_copied=True,
                notes=(
                    *(_COPIED.format(f"the entry point {name} of MLproject"),) * is_filled,
                    *(needed,) * bool(unknown),
                ),
            )


def _filled(command: str, parameters: Any) -> str:
    """A command of an entry point with the defaults of its parameters."""
    for name, given in (parameters if isinstance(parameters, dict) else {}).items():
        default = given.get("default") if isinstance(given, dict) else None
        if default is not None:
            command = command.replace(f"{{{name}}}", str(default))
    return command


# make and just


class _Target(msgspec.Struct, frozen=True):
    """`needs` are run before it; those of `order` are not named by `$^`. With variables its lines
    are what they stand for now, and may be something else tomorrow.
    """

    needs: tuple[str, ...]
    lines: tuple[str, ...]
    order: tuple[str, ...] = ()
    has_variables: bool = False


def _makefile(tree: Tree) -> Iterator[Recipe]:
    file = next((name for name in MAKEFILES if tree.is_file(name)), None)
    if file is not None:
        yield from _targets(_read_makefile(tree.text(file)), file, "make", "target")


def _justfile(tree: Tree) -> Iterator[Recipe]:
    file = next((name for name in JUSTFILES if tree.is_file(name)), None)
    if file is not None:
        yield from _targets(_read_justfile(tree.text(file)), file, "just", "recipe")


def _targets(targets: dict[str, _Target], file: str, program: str, noun: str) -> Iterator[Recipe]:
    for name, target in targets.items():
        reached: set[str] = set()
        lines = tuple(_all_lines(name, targets, reached))
        if not lines:
            continue
        own = list(target.lines)
        is_alone = len(own) == 1 and lines == tuple(own) and not target.has_variables
        is_plain = is_alone and _is_plain(own[0])
        yield Recipe(
            name=name,
            command=own[0] if is_plain else f"{program} {name}",
            lines=lines,
            file=file,
            why=f"{file}: {noun} {name}",
            is_copied=is_plain,
            is_sum=not own,
            makes=tuple(
                made for made in targets if made in reached and _is_file(targets[made], made)
            ),
        )


def _is_file(target: _Target, name: str) -> bool:
    """Whether a target is called after a file that its lines make."""
    return bool(target.lines) and re.fullmatch(r"[\w./-]*\w\.[A-Za-z]\w{0,15}", name) is not None


def _is_plain(line: str) -> bool:
    """Whether a line is one command that runs a script, and so needs nobody to run it."""
    simples = commands(line)
    return len(simples) == 1 and ran(simples[0]) is not None and not re.search(r"[$`{]", line)


def _all_lines(name: str, targets: dict[str, _Target], seen: set[str]) -> Iterator[str]:
    """The lines of a target after those of what it needs."""
    if name in seen or name not in targets or len(seen) > MAX_RECIPES:
        return
    seen.add(name)
    for need in (*targets[name].needs, *targets[name].order):
        yield from _all_lines(need, targets, seen)
    yield from targets[name].lines


def _read_makefile(text: str) -> dict[str, _Target]:
    variables = {"MAKE": "make", "PYTHON": "python"}
    targets: dict[str, _Target] = {}
    names: list[str] = []
    for line in _joined_lines(text):
        if line.startswith("\t"):
            for name in names:
                target = targets[name]
                shown = _expanded(line.strip().lstrip("@-+ "), variables, name, target.needs)
                lines = (*target.lines, *([shown] if shown else []))
                varies = target.has_variables or _VARIES.search(line) is not None
                targets[name] = _Target(target.needs, lines, target.order, varies)
            continue
        assigned = re.match(r"(?:export\s+)?([A-Za-z_]\w*)\s*[:?+]{0,2}=\s*([^#]*)", line)
        rule = re.match(
            r"([A-Za-z0-9_./%$(){} -]+?)\s*::?(?!=)([^=#;]*)(?:;\s*(.*))?(?:#.*)?$", line
        )
        if assigned is not None:
            variables[assigned[1]] = _expanded(assigned[2].strip(), variables, "")
            names = []
        elif rule is not None and not line.startswith((" ", ".")):
            names = _expanded(rule[1], variables, "").split()
            normal, _, order = _expanded(rule[2], variables, "").partition("|")
            for name in names:
                before = targets.get(name, _Target((), ()))
                needs = (*before.needs, *normal.split())
                own = (_expanded(rule[3].strip(), variables, name, needs),) if rule[3] else ()
                varies = before.has_variables or _VARIES.search(rule[3] or "") is not None
                lines = (*before.lines, *own)
                targets[name] = _Target(needs, lines, tuple(order.split()), varies)
        elif line.strip() and not line.startswith("#"):
            names = []
    return targets


def _joined_lines(text: str) -> list[str]:
    """Lines with their continuations; what is too long to be a person's is left out."""
    # It starts where blanks do: looking at each of many would take the square of their number.
    lines = re.sub(r"(?:(?<![ \t])[ \t]+)?\\\n[ \t]*", " ", text[:_MAX_TEXT]).splitlines()
    return [line for line in lines if len(line) <= _LONG]


def _expanded(text: str, variables: dict[str, str], target: str, needs: Sequence[str] = ()) -> str:
    text = text.replace("$@", target).replace("$<", needs[0] if needs else "")
    text = text.replace("$^", " ".join(needs)).replace("$$", "$")
    for _ in range(5):
        text = _VARIABLE.sub(lambda match: variables.get(match[1], match[0])[:1000], text)[:5000]
    return text


def _read_justfile(text: str) -> dict[str, _Target]:
    variables: dict[str, str] = {}
    targets: dict[str, _Target] = {}
    name = ""
    for line in _joined_lines(text):
        assigned = re.match(r"(?:export\s+)?([\w-]+)\s*:=\s*[\"'](.*)[\"']\s*$", line)
        rule = re.match(r"@?([\w-]+)((?:\s[^:]*)?):(?!=)([^#]*)", line)
        if line.startswith((" ", "\t")) and name:
            shown = _put_in(line, variables).strip().lstrip("@-")
            if shown:
                target = targets[name]
                varies = target.has_variables or _VARIES.search(line) is not None
                lines = (*target.lines, shown)
                targets[name] = _Target(target.needs, lines, has_variables=varies)
        elif assigned is not None:
            variables[assigned[1]] = assigned[2][:1000]
        elif rule is not None:
            name = rule[1]
            defaults = dict(re.findall(r"([\w-]+)=[\"']([^\"']*)[\"']", rule[2]))
            variables |= {key: value[:1000] for key, value in defaults.items()}
            needs = tuple(re.findall(r"[\w-]+", rule[3].replace("&&", " ")))
            targets[name] = _Target(needs, ())
    return targets


def _put_in(line: str, variables: dict[str, str]) -> str:
    shown = re.sub(
        r"{{ *([\w-]+) *}}", lambda match: variables.get(match[1], match[0]), line[:_LONG]
    )
    return shown[:_LONG]


# Python's own: scripts of pyproject.toml, invoke, tox, nox


def _pyproject(tree: Tree) -> Iterator[Recipe]:
    top = tree.mapping("pyproject.toml")
    tool = top.get("tool") if isinstance(top.get("tool"), dict) else {}
    assert isinstance(tool, dict)
    for name, target in mapping_of(mapping_of(top.get("project")).get("scripts")).items():
        yield from _entry(tree, name, target, "project.scripts")
    for name, target in mapping_of(mapping_of(tool.get("poetry")).get("scripts")).items():
        yield from _entry(tree, name, target, "tool.poetry.scripts")
    runners = {
        "poe": ("poe", mapping_of(tool.get("poe")).get("tasks")),
        "pdm": ("pdm run", mapping_of(tool.get("pdm")).get("scripts")),
        "taskipy": ("task", mapping_of(tool.get("taskipy")).get("tasks")),
        "rye": ("rye run", mapping_of(tool.get("rye")).get("scripts")),
        "pixi": ("pixi run", mapping_of(tool.get("pixi")).get("tasks")),
        "hatch": ("hatch run", _hatch(tool)),
    }
    for key, (program, given) in runners.items():
        for name, task in mapping_of(given).items():
            lines = _task_lines(task)
            if lines:
                yield Recipe(
                    name=name,
                    command=f"{program} {name}",
                    lines=lines,
                    file="pyproject.toml",
                    why=f"pyproject.toml: {key} task {name}",
                )


def _hatch(tool: dict[str, Any]) -> Any:
    envs = mapping_of(mapping_of(tool.get("hatch")).get("envs"))
    return mapping_of(mapping_of(envs.get("default")).get("scripts"))


def _task_lines(task: Any) -> tuple[str, ...]:
    if isinstance(task, dict):
        given = [task.get(key) for key in ("cmd", "shell", "call", "composite", "sequence")]
        task = next((lines for lines in given if lines is not None), None)
    if isinstance(task, list):
        return tuple(line for line in task if isinstance(line, str))
    return (task,) if isinstance(task, str) else ()


def _entry(tree: Tree, name: str, target: Any, table: str) -> Iterator[Recipe]:
    """A console script: `train = "churn.cli:main"`."""
    module = target.partition(":")[0] if isinstance(target, str) else ""
    path = next(
        (
            candidate
            for candidate in (
                f"{module.replace('.', '/')}.py",
                f"src/{module.replace('.', '/')}.py",
            )
            if tree.is_file(candidate)
        ),
        None,
    )
    if path is not None:
        why = f"pyproject.toml: {table} {name}"
        line = f"python {path}"
        yield Recipe(name=name, command=name, lines=(line,), file="pyproject.toml", why=why)


def _invoke(tree: Tree) -> Iterator[Recipe]:
    """`tasks.py`: what each task gives to `c.run`."""
    for name, lines in _decorated(tree.text("tasks.py"), "task", ("run",)):
        shown = name.replace("_", "-")
        yield Recipe(
            name=name,
            command=f"invoke {shown}",
            lines=lines,
            file="tasks.py",
            why=f"tasks.py: task {name}",
        )


def _nox(tree: Tree) -> Iterator[Recipe]:
    for name, lines in _decorated(tree.text("noxfile.py"), "session", ("run",)):
        yield Recipe(
            name=name,
            command=f"nox -s {name}",
            lines=lines,
            file="noxfile.py",
            why=f"noxfile.py: session {name}",
        )


def _decorated(
    text: str, decorator: str, methods: Sequence[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(
            decorator in ast.unparse(applied) for applied in node.decorator_list
        ):
            yield node.name, tuple(_run_lines(node, methods))


def _run_lines(function: ast.FunctionDef, methods: Sequence[str]) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if node.func.attr in methods and words:
                yield " ".join(str(word) for word in words)


def _tox(tree: Tree) -> Iterator[Recipe]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(tree.text("tox.ini"))
    except configparser.Error:
        return
    for section in parser.sections():
        name = section.removeprefix("testenv:")
        if name != section and parser.has_option(section, "commands"):
            lines = parser.get(section, "commands").splitlines()
            yield Recipe(
                name=name,
                command=f"tox -e {name}",
                lines=tuple(line.strip() for line in lines if line.strip()),
                file="tox.ini",
                why=f"tox.ini: environment {name}",
            )


# CI


def _ci(tree: Tree) -> Iterator[Recipe]:
    """What the jobs of a repository run; of a part of it, what they run in its folder."""
    if tree.above is not None:
        yield from _ci_of(tree.above, f"{tree.place}/")
    yield from _ci_of(tree, "")


def _ci_of(tree: Tree, place: str) -> Iterator[Recipe]:
    for file in tree.files:
        blocks = blocks_of(tree, file)
        if blocks is None or posixpath.basename(file).startswith("assent"):
            continue
        for job, block in blocks:
            yield from _lines_of(tree, file, job, block, place)


def _publishing(tree: Tree) -> Iterator[Recipe]:
    """What a script of a shell runs before or after it sends something away: never the whole."""
    for file in tree.files:
        if file.endswith((".sh", ".bash")) and publishes(text := tree.text(file)):
            yield from _lines_of(tree, file, posixpath.basename(file), Block(text=text), "")


def _lines_of(tree: Tree, file: str, job: str, block: Block, place: str) -> Iterator[Recipe]:
    """Each line of a script that runs something of the team's, in the folder `place` or below."""
    text = block.text
    if len(re.findall(r"\b(?:cd|pushd)\s", text)) < 2:  # else it may mean another folder
        text = CHECKOUT.sub(".", text)
    for simple in commands(text, block.folder, block.values):
        words, left_out = _known_words(simple.words)
        shown = shlex.join(words)
        is_lost = left_out and ran(simple) is None
        if is_lost or not words or simple.folder is None or simple.words[0] == "cd":
            continue
        if not f"{simple.folder}/".startswith(place):
            continue
        here = f"{simple.folder}/".removeprefix(place).strip("/")
        sets, unknown = _settings(tree, block, simple)
        shown = " ".join([*sets, shown])
        left_out = [*unknown, *left_out]
        line = f"cd {shlex.quote(here)} && {shown}" if here else shown
        is_of_ci = file.endswith((".yml", ".yaml"))
        why = f"{file}: job {job}" if is_of_ci else file
        note = f"{why} gives it `{' '.join(left_out)}` too, which is not known here: left out"
        yield Recipe(
            name=_called(simple) or job,
            command=line,
            lines=(line,),
            file=file,
            why=why,
            is_copied=True,
            is_of_ci=is_of_ci,
            notes=(note,) if left_out else (),
        )


def _called(simple: Simple) -> str | None:
    """What a command of a job is called: its script says more of it than the job, which is often
    `build` or `test` whatever it runs.
    """
    run = ran(simple)
    if run is None:
        return None
    if run.module is not None:
        return run.module.rpartition(".")[2]
    return posixpath.splitext(posixpath.basename(run.script or ""))[0] or None


def _settings(tree: Tree, block: Block, simple: Simple) -> tuple[list[str], list[str]]:
    """The variables that a job sets for a command, and those of which only it knows the value. Of
    what is set for the whole job, those that the repository's own code asks for.
    """
    if ran(simple) is None:
        return [], []
    asked = {
        name: its
        for name, its in block.values.items()
        if name == "PYTHONPATH" or _is_asked_for(tree, name)
    }
    own = dict(setting.split("=", 1) for setting in simple.sets)
    known = {name: its for name, its in {**asked, **own}.items() if not set(its) & set("$`")}
    unknown = [f"{name}={its}" for name, its in own.items() if name not in known]
    return [f"{name}={shlex.quote(its)}" for name, its in known.items()], unknown


def _is_asked_for(tree: Tree, name: str) -> bool:
    """Whether a script reads a variable of the environment."""
    quoted = (f'"{name}"'.encode(), f"'{name}'".encode())
    scripts = [path for path in tree.files if path.endswith(".py")][:_MAX_ASKED]
    return any(
        quoted_name in (tree.read(path) or b"") for path in scripts for quoted_name in quoted
    )


def _known_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of a command without those that only its CI knows (`$VARIABLE`, `${{ … }}`), each
    with its option, and what was left out. Nothing is known if the program or script is not.
    """
    kept: list[str] = []
    left_out: list[str] = []
    for word in words:
        if not _ONLY_THERE.search(word):
            kept.append(word)
            continue
        is_value = kept and re.fullmatch(r"--?[A-Za-z][\w-]*", kept[-1])
        left_out += [kept.pop(), word] if is_value else [word]
    is_known = any(word.endswith(SCRIPTS) or word == "-m" for word in kept) or not left_out
    return (kept if is_known else []), left_out
