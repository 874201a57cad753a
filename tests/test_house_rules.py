"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from assent.errors import AssentError, CommandError, ExitCode

SOURCE = Path(__file__).parents[1] / "src/assent"
UNWANTED = {
    "manager",
    "handler",
    "helper",
    "helpers",
    "util",
    "utils",
    "common",
    "base",
    "processor",
}
TERMS = {"base_branch", "BaseBranch"}
"""The field's words, with one of those in them that says nothing alone."""
PURE = ("core", "compare", "policy", "report")
WORLD = {
    *("os", "io", "pathlib", "shutil", "tempfile", "subprocess", "socket", "signal", "threading"),
    *("requests", "urllib", "http", "psutil", "dotenv", "click", "random", "secrets", "time"),
    *("logging", "sys"),
}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


NO_WORLD = {"urllib.parse"}
"""Text in, text out."""


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_has_a_name_that_says_nothing(path: Path) -> None:
    names = [path.stem, path.parent.name]
    names += [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name in names if name not in TERMS and words(name) & UNWANTED] == []


SAYING_NOTHING = {"found", "one", "said"}


def locals_of(tree: ast.AST) -> Iterator[str]:
    """What functions, lambdas and comprehensions bind; fields of classes are no locals."""
    fields = {
        id(part.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for part in node.body
        if isinstance(part, ast.AnnAssign)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in fields:
                yield name
            case ast.arg(arg=name) | ast.MatchMapping(rest=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name


def test_no_local_has_a_name_that_says_nothing() -> None:
    """What runs over columns is a column; what a call returned is called by its noun."""
    vague = {
        path.relative_to(SOURCE).as_posix(): names
        for path in modules()
        if (names := sorted(SAYING_NOTHING.intersection(locals_of(ast.parse(path.read_text())))))
    }
    assert vague == {}


def pure_modules() -> list[Path]:
    return [path for room in PURE for path in sorted((SOURCE / room).rglob("*.py"))]


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_decides_does_not_touch_the_world(path: Path) -> None:
    touched = {name for name in imports(path) if name.partition(".")[0] in WORLD}
    touched -= NO_WORLD
    assert touched == set()


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_decides_is_told_the_time(path: Path) -> None:
    asked = [
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today", "environ")
    ]
    assert [name for name in asked if name != "now"] == []
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "now"
    ]
    assert calls == []


FREE_OF_FORGES = (
    *("core", "compare", "config", "policy", "report", "measure", "git", "stores", "ledgers"),
    *("recording", "making", "judging", "verbs"),
)
VENDORS = re.compile(r"github|gitlab|workflow_run|\bCI_[A-Z]|\bGITHUB_", re.IGNORECASE)
NAMING_VENDORS = {
    "core/metric_names.py",  # addresses of sources
    "measure/pointers.py",  # what Git LFS writes, and how a checkout gets the rest
    "measure/redaction.py",  # what tokens look like
    "policy/tools.py",  # addresses of tools
}


def names_and_texts(tree: ast.AST) -> Iterator[str]:
    """What a module says to Python and to people, but for docstrings."""
    yield from literals(tree)
    for node in ast.walk(tree):
        for key in ("id", "attr", "name", "arg"):
            said = getattr(node, key, None)
            if isinstance(said, str):
                yield said


def test_no_room_but_those_of_forges_knows_one_by_name() -> None:
    paths = [path for room in FREE_OF_FORGES for path in sorted((SOURCE / room).rglob("*.py"))]
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in [*paths, SOURCE / "ports.py", SOURCE / "workspace.py"]
        if any(VENDORS.search(text) for text in names_and_texts(ast.parse(path.read_text())))
    }
    assert found == NAMING_VENDORS


def test_exit_codes_are_unique_and_complete() -> None:
    assert len({int(code) for code in ExitCode}) == len(ExitCode.__members__)
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "BUG": 1,
        "USAGE": 2,
        "OUTSIDE": 3,
        "INTEGRITY": 4,
        "BLOCKED": 10,
        "WAITING": 11,
    }


def test_every_error_has_an_exit_code_of_the_list() -> None:
    for path in modules():
        if "demo" not in path.parts and path.stem != "__main__":
            __import__(".".join(["assent", *path.relative_to(SOURCE).with_suffix("").parts]))
    classes = set(AssentError.__subclasses__())
    while more := {sub for one in classes for sub in one.__subclasses__()} - classes:
        classes |= more
    for one in classes - {CommandError}:
        if one.__module__.startswith("assent."):
            assert one.exit_code in set(ExitCode), one


def test_the_environment_is_read_in_few_places() -> None:
    """Once for the run, and where a subprocess inherits it."""
    allowed = {
        "ci/environment.py",  # gets it as an argument
        "cli/flags.py",  # as Click does for other options
        "cli/run.py",
        "git/process.py",
        "measure/environment.py",
        "measure/packages.py",
        "measure/profiles/frames.py",  # Spark starts Python anew
        "forges/local.py",
        "setup/values.py",  # names it, as scripts of others do
        "verbs/demo.py",
    }
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in modules()
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    }
    assert found - allowed == set()


def test_only_the_command_line_prints() -> None:
    printing = [
        path.relative_to(SOURCE).as_posix()
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("print", "click.echo")
        and path.relative_to(SOURCE).parts[0] not in ("cli", "demo")
    ]
    assert printing == []


FOR_PEOPLE = {
    *("doing", "hint", "problem", "reason", "remedy", "rule", "sentence", "title", "why"),
}
"""What people read. The same words may be said better tomorrow."""
SEARCHES = {
    *("count", "endswith", "find", "index", "partition", "removeprefix", "removesuffix"),
    *("rpartition", "split", "startswith"),
    *("fullmatch", "match", "search"),
}
NOT_OURS = ("forges/", "git/", "ledgers/git/")
"""Rooms that hear others, who say some things in words alone."""
ABOUT_THE_WORDS = {
    "cli/verify.py": "what a problem says itself is not said twice",
    "report/text.py": "a heading is not said twice",
    "verbs/recover.py": "whether the note that was written names everything that is lost",
}


def is_for_people(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in FOR_PEOPLE


def is_told(node: ast.expr) -> bool:
    """Whether an expression has words for people, perhaps others where there are none."""
    parts = node.values if isinstance(node, ast.BoolOp) else [node]
    return any(map(is_for_people, parts))


def looked_at(node: ast.AST) -> list[ast.expr]:
    """What is compared with something, or searched for it."""
    if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
        return [node.left, *node.comparators]
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=[_, *_] as given):
            return [value, *given] if name in SEARCHES else []
        case _:
            return []


def decides_by_words(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text()))
    return any(is_told(one) for node in nodes for one in looked_at(node))


def test_no_decision_hangs_on_words_for_people() -> None:
    names = {path.relative_to(SOURCE).as_posix(): path for path in modules()}
    ours = {name: path for name, path in names.items() if not name.startswith(NOT_OURS)}
    assert {name for name, path in ours.items() if decides_by_words(path)} == {*ABOUT_THE_WORDS}


def test_no_message_says_failed_to() -> None:
    """Say what was being done, then what went wrong."""
    pattern = re.compile(r"[\"'][^\"'\n]*\b[Ff]ailed to\b")
    saying = [path.name for path in modules() if pattern.search(path.read_text())]
    assert [
        name for name in saying if name not in ("pushing.py", "ledger.py")
    ] == []  # Git's own words


SAMENESS = re.compile(
    r"\bunchanged\b|\bas before\b|\bno\b[^.]*\bdiffers?\b|\bidentical\b", re.IGNORECASE
)
SECTIONS = sorted((SOURCE / "report/sections").glob("*.py"))


def literals(tree: ast.AST) -> Iterator[str]:
    """The texts of a module that are no docstrings; of one with places to fill in, the whole."""
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (one.value if isinstance(one, ast.Constant) else "…" for one in node.values)
            yield "".join(str(part) for part in parts)
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
        ):
            yield node.value


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.stem)
def test_no_section_has_a_word_of_its_own_for_what_is_the_same(path: Path) -> None:
    """The one word is that of `shapes`, so that each use of it can be found and traced."""
    said = [text for text in literals(ast.parse(path.read_text())) if SAMENESS.search(text)]
    assert said == (["unchanged"] if path.stem == "shapes" else [])


def judging_results() -> list[type]:
    """The results of verbs that carry a verdict."""
    rooms = ("verbs", "judging", "making", "recording")
    paths = [path for room in rooms for path in sorted((SOURCE / room).glob("*.py"))]
    found: dict[str, type] = {}
    for path in paths:
        module = importlib.import_module(f"assent.{path.parent.name}.{path.stem}")
        for kind in vars(module).values():
            is_ours = isinstance(kind, type) and kind.__module__ == module.__name__
            if is_ours and {"verdict", "decision", "findings"} & set(dir(kind)):
                found[kind.__qualname__] = kind
    return list(found.values())


@pytest.mark.parametrize("kind", judging_results(), ids=lambda kind: kind.__qualname__)
def test_a_result_with_a_verdict_has_an_exit_code(kind: type) -> None:
    """`finish` exits with 0 for a result that has none."""
    assert hasattr(kind, "exit_code") or not kind.__name__.endswith(("Result", "Decided"))


TESTS = sorted(
    path for path in Path(__file__).parent.rglob("*.py") if "node_modules" not in path.parts
)
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time"}
MAY_LOOK_AT_A_CLOCK = {"tests/waiting.py"}
"""It gives up on what hangs."""


def test_no_test_measures_how_fast_the_machine_is() -> None:
    root = Path(__file__).parents[1]
    looking = {
        str(path.relative_to(root))
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS
    }
    assert looking == MAY_LOOK_AT_A_CLOCK


def test_properties_have_one_profile_and_no_deadline() -> None:
    given = [
        (path.name, keyword.arg)
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and path.name != "conftest.py"
        for keyword in node.keywords
        if keyword.arg == "deadline"
    ]
    assert given == []
    assert settings().deadline is None


def test_a_soak_keeps_rows_to_itself_and_never_a_whole_test() -> None:
    """What `.ci/run` does not run at all, nobody knows to hold. Rows are marked in `effort.py`."""
    tests = Path(__file__).parent
    marking = [
        path.relative_to(tests).as_posix()
        for path in tests.rglob("*.py")
        if "mark." + "soak" in path.read_text()
    ]
    assert marking == ["effort.py"]


def test_what_scripts_and_recipes_name_is_there() -> None:
    """A file that has moved must not leave a script behind that tests nothing."""
    root = Path(__file__).parents[1]
    texts = [root / ".ci/run", root / "CONTRIBUTING.md", *root.glob("script/*")]
    named = {
        path
        for text in texts
        if text.is_file()
        for path in re.findall(r"\b(?:tests|src|docs|benchmarks)/[\w./-]*\w", text.read_text())
    }
    assert len(named) > 10
    assert sorted(path for path in named if not (root / path).exists()) == []
