"""What a training needs installed before it runs: what the team's own CI installs for it, else what
the files of its project name.

Nothing is guessed: a line that only another job can run (it has a variable, or stands under a
condition) and a file that is not here are left out, and said.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence

import msgspec

from assent.setup.blocks import CiJob
from assent.setup.file_kinds import trains
from assent.setup.jobs import ci_jobs
from assent.setup.shell import Simple, commands, path_of, ran, without_prefixes
from assent.setup.tree import Tree

MAX_LINES = 20
_MAX_LINE = 300
_TRAINS = re.compile(
    r"\b(?:dvc\s+(?:repro|exp\s+run)|mlflow\s+run|kedro\s+run|(?:make|just)\s+train\w*"
    r"|accelerate\s+launch|torchrun)\b|\btrain\w*\.(?:py|sh|R|ipynb)\b"
)
_TESTS = re.compile(r"\b(?:pytest|tox|nox|unittest)\b")
_FETCHES = re.compile(
    r"\b(?:dvc\s+(?:pull|fetch)|aws\s+s3|gsutil|gcloud\s+storage|az\s+storage|kaggle\s+\w"
    r"|git\s+lfs\s+pull|rclone)\b"
)
_PREPARES = re.compile(
    r"(?:^|[-_.])(?:install|setup|deps|dependencies|requirements|env)(?:$|[-_.])"
)
_OLDEST = (3, 11)

_TOOLS = ("uv", "poetry", "pipenv", "pdm", "hatch")
"""Programs that pip can bring."""
_OF_FILES = {
    "uv.lock": "uv sync --frozen",
    "poetry.lock": "poetry install --no-root",
    "pdm.lock": "pdm install --frozen-lockfile",
    "Pipfile.lock": "pipenv sync",
    "requirements.lock": "python -m pip install -r {}",
    "requirements.txt": "python -m pip install -r {}",
    "requirements-train.txt": "python -m pip install -r {}",
    "requirements/train.txt": "python -m pip install -r {}",
    "environment.yml": "conda",
    "environment.yaml": "conda",
    "conda.yaml": "conda",
    "conda.yml": "conda",
    "requirements-cpu.txt": "python -m pip install -r {}",
    "setup.py": "python -m pip install -e {folder}",
    "pyproject.toml": "python -m pip install -e {folder}",
}
"""What installs a file, the surest first."""
_FOLDERS = {
    "uv": "$PWD/{folder}.venv/bin",
    "pdm": "$PWD/{folder}.venv/bin",
    "poetry": "$({cd}poetry env info --path)/bin",
    "pipenv": "$({cd}pipenv --venv)/bin",
}
"""Where the programs are that such a tool installs, as a shell says it."""
CONDA = "conda"
_PACKAGES = {
    "dvc": "dvc",
    "kedro": "kedro",
    "mlflow": "mlflow",
    "jupyter": "nbconvert",
    "papermill": "papermill",
    "accelerate": "accelerate",
}
"""Programs that a training is run with, and the packages that bring them."""


class Install(msgspec.Struct, frozen=True, kw_only=True):
    """Commands of a shell at the top of the repository, and who says so. `folders` are where the
    programs are that they install, as a shell says it. `conda` is a file that conda makes an
    environment of. `left_out` is what was not taken over, `to_check` what a person has to look at.
    `python` is the version that the team's job has, if Assent runs with it.
    """

    lines: tuple[str, ...]
    why: str
    folders: tuple[str, ...] = ()
    conda: str | None = None
    left_out: tuple[str, ...] = ()
    to_check: tuple[str, ...] = ()
    python: str | None = None


def install_for(tree: Tree, folder: str, commands_of: Sequence[str], forge: str) -> Install | None:
    """What the commands of a project in `folder` need; None if nothing here says it. `tree` is the
    whole repository; a pipeline of the same forge is asked first.
    """
    install = _found(tree, folder, commands_of, forge)
    if install is None:
        return None
    unmet = tuple(_unmet(tree, install, folder, commands_of))
    return msgspec.structs.replace(install, to_check=(*install.to_check, *unmet))


def _found(tree: Tree, folder: str, commands_of: Sequence[str], forge: str) -> Install | None:
    wanted = {key for command in commands_of for key in _keys(tree, command, folder)}
    jobs = [
        (_closeness(job, wanted, tree), job.forge == forge, trains(f"{job.file} {job.name}"), job)
        for job in ci_jobs(tree)
    ]
    ranked = sorted(jobs, key=lambda job: job[:3], reverse=True)
    to_check: list[str] = []
    for score, _, _, job in ranked:
        if score == 0:
            break
        install = _of_job(tree, job, wanted, score, forge)
        to_check += [note for note in install.to_check if score > 1]
        if install.lines or install.conda:
            return _completed(
                msgspec.structs.replace(install, to_check=tuple(to_check)), commands_of
            )
    by_file = _of_files(tree, folder)
    if by_file is None:
        return None
    return _completed(
        msgspec.structs.replace(by_file, to_check=(*by_file.to_check, *to_check)), commands_of
    )


# The team's own jobs


def _keys(tree: Tree, command: str, folder: str) -> Iterator[str]:
    """What a command runs, such that another one that runs the same is known by it."""
    for simple in commands(command, folder):
        yield from _keys_of(tree, simple)


def _keys_of(tree: Tree, simple: Simple) -> Iterator[str]:
    run = ran(simple)
    if run is not None and run.module is not None:
        path = f"{run.module.replace('.', '/')}.py"
        for place in (simple.folder or "", posixpath.join(simple.folder or "", "src")):
            if tree.is_file(own_path := posixpath.normpath(posixpath.join(place, path))):
                yield own_path
    elif run is not None and run.script is not None:
        path = path_of(simple, run.script) or ""
        if path:
            yield path
    else:
        words = without_prefixes(list(simple.words))
        if words[:1] and posixpath.basename(words[0]) in ("make", "just", "dvc", "kedro", "mlflow"):
            yield f"{simple.folder or ''}: {' '.join(words[:2])}"
        elif len(words) == 1:
            yield f"program {words[0]}"


def _closeness(job: CiJob, wanted: set[str], tree: Tree) -> int:
    """3: it runs what trains; 2: it seems to train; 1: it runs the tests; 0: none of these."""
    for block in job.blocks:
        for simple in commands(block.text, block.folder, block.values):
            if wanted.intersection(_keys_of(tree, simple)):
                return 3
    text = "\n".join(block.text for block in job.blocks)
    return 2 if _TRAINS.search(text) else 1 if _TESTS.search(text) else 0


def _of_job(tree: Tree, job: CiJob, wanted: set[str], score: int, forge: str) -> Install:
    """What a job installs before it trains; of a job of tests only what the repository names."""
    lines: list[str] = []
    left_out: list[str] = []
    to_check: list[str] = []
    for simple in _before_training(tree, job, wanted):
        if _FETCHES.search(" ".join(simple.words)):
            to_check.append(
                f"{job.place}, runs `{_shown(simple)}` before it trains: how Assent's job gets "
                "data, docs/recipes/data-oidc.md says"
            )
        if not _installs(simple):
            continue
        reason = _refused(tree, simple)
        if reason is not None:
            left_out.append(f"`{_shown(simple)}`: {reason}")
        elif score > 1 or _files_of(simple):
            lines.append(_line(simple, job.forge, forge))
    conda = job.conda if job.conda is not None and tree.is_file(job.conda) else None
    if job.image is not None and score > 1:
        to_check.append(f"{job.place}, runs in the image {job.image[:100]}; Assent's job does not")
    python = _version(job.python)
    if job.python is not None and python is None and score > 1:
        to_check.append(
            f"{job.place}, has Python {job.python[:40]}; Assent's job needs 3.11 or newer"
        )
    return Install(
        lines=tuple(dict.fromkeys(lines))[:MAX_LINES],
        why=job.place,
        conda=conda,
        left_out=tuple(dict.fromkeys(left_out)),
        to_check=tuple(dict.fromkeys(to_check)),
        python=python,
    )


def _before_training(tree: Tree, job: CiJob, wanted: set[str]) -> Iterator[Simple]:
    for block in job.blocks:
        for simple in commands(block.text, block.folder, block.values):
            if wanted.intersection(_keys_of(tree, simple)):
                return
            yield simple


def _installs(simple: Simple) -> bool:
    """Whether a command brings packages to the machine that it runs on."""
    words = [word for word in simple.words if word != "sudo"]
    program, rest = posixpath.basename(words[0]), words[1:]
    if re.fullmatch(r"python[0-9.]*", program) and rest[:1] == ["-m"]:
        program, rest = (rest[1] if len(rest) > 1 else ""), rest[2:]
    first = next((word for word in rest if not word.startswith("-")), "")
    if re.fullmatch(r"pip[0-9.]*", program):
        return first == "install"
    if program == "uv":
        return first in ("sync", "venv") or (first == "pip" and bool({"install", "sync"} & {*rest}))
    if program in ("poetry", "pipenv", "pdm", "pixi"):
        return first in ("install", "sync", "config")
    if program in ("apt-get", "apt"):
        return first in ("install", "update")
    if program in ("conda", "mamba", "micromamba"):
        return first in ("install", "env", "update", "create")
    if program in ("make", "just", "task"):
        return _PREPARES.search(first) is not None
    if program in ("R", "Rscript", "julia"):
        return re.search(r"install|restore|instantiate", " ".join(rest)) is not None
    return program == "pip-sync"


def _refused(tree: Tree, simple: Simple) -> str | None:
    """Why a line is not taken over, or None."""
    text = " ".join((*simple.sets, *simple.words))
    if set(text) & set("$`") or simple.folder is None:
        return "only that job knows all of it"
    if len(text) > _MAX_LINE or not text.isprintable():
        return "it is too long, or cannot be shown"
    for name in _files_of(simple):
        path = path_of(simple, name)
        if path is None or not (path == "." or tree.exists(path)):
            return f"{name} is not here"
    if simple.is_conditional and not _files_of(simple):
        return "it stands under a condition"
    return None


def _files_of(simple: Simple) -> list[str]:
    """The files and folders of the repository that an installation names; a tool that reads its
    own files names the folder.
    """
    names: list[str] = []
    before = ""
    for word in simple.words[1:]:
        if before in ("-r", "--requirement", "-c", "--constraint", "-f", "--file", "-e"):
            names.append(word)
        elif match := re.fullmatch(r"(?:-r|--requirement=|--file=|--editable=)(.+)", word):
            names.append(match[1])
        elif re.fullmatch(r"\.{1,2}(?:/[^\[\]]*)?(?:\[.*\])?", word):
            names.append(word)
        before = word
    tools = {posixpath.basename(word) for word in simple.words[:2]}
    if tools & {"uv", "poetry", "pipenv", "pdm"} and "pip" not in simple.words and not names:
        names.append(".")
    return [re.sub(r"\[.*\]$", "", name) for name in names if "://" not in name]


def _line(simple: Simple, theirs: str, forge: str) -> str:
    """A command as a line of a shell at the top of the repository, on the machine of a forge."""
    words = list(simple.words)
    if theirs != forge:
        words = [word for word in words if word != "sudo"]
        if forge == "github" and words[0] in ("apt-get", "apt"):
            words.insert(0, "sudo")
    sets = [
        f"{name}={shlex.quote(its)}"
        for name, _, its in (setting.partition("=") for setting in simple.sets)
    ]
    line = " ".join([*sets, shlex.join(words)])
    return f"(cd {shlex.quote(simple.folder)} && {line})" if simple.folder else line


def _shown(simple: Simple) -> str:
    return " ".join(simple.words)[:100].replace("`", "'")


def _version(text: str | None) -> str | None:
    match = re.fullmatch(r"(3)\.(\d{1,2})(?:\.(?:\d{1,2}|x))?", text or "")
    is_new = match is not None and (int(match[1]), int(match[2])) >= _OLDEST
    return text if is_new else None


# The files of a project


def _of_files(tree: Tree, folder: str) -> Install | None:
    """What the files of the project, or of the folders above it, are installed with."""
    here = folder
    while True:
        names = [name for name in _OF_FILES if _is_installable(tree, posixpath.join(here, name))]
        if names:
            first, *others = (posixpath.join(here, name) for name in names)
            line = _OF_FILES[names[0]]
            where = here or "."
            shown = line.format(first, folder=f"{shlex.quote(where)}")
            is_there = line.split()[0] in _TOOLS or _is_relative(tree.text(first))
            if is_there and here and line != CONDA:
                shown = line.format(names[0], folder=".")
                shown = f"(cd {shlex.quote(here)} && {shown})"
            return Install(
                lines=() if line == CONDA else (shown,),
                why=first,
                conda=first if line == CONDA else None,
                left_out=tuple(
                    f"{other} is here too" for other in others if _is_other(other, first)
                ),
            )
        if not here:
            return None
        here = posixpath.dirname(here)


def _is_relative(text: str) -> bool:
    """Whether requirements name a place as it is seen from the folder that pip runs in."""
    return re.search(r"(?m)^\s*(?:-e\s+|--editable[ =])?\.{1,2}(?:/|\[|\s|$)", text) is not None


def _is_other(path: str, taken: str) -> bool:
    """Whether a file may say something else than the one that was taken."""
    is_lock = posixpath.basename(taken).endswith(".lock")
    return not (is_lock and posixpath.basename(path) in ("pyproject.toml", "setup.py"))


def _is_installable(tree: Tree, path: str) -> bool:
    """Whether a file is there, plainly named, and says what is to be installed."""
    if not tree.is_file(path) or re.fullmatch(r"[\w./@+-]+", path) is None:
        return False
    if posixpath.basename(path) == "pyproject.toml":
        top = tree.mapping(path)
        tool = top.get("tool")
        return "project" in top or (isinstance(tool, dict) and "poetry" in tool)
    return True


# What a tool needs to be used


def _completed(install: Install, commands_of: Sequence[str]) -> Install:
    """With the tools that the lines use, and the places of what they install."""
    lines = list(install.lines)
    used = [tool for tool in _TOOLS if any(_uses(line, tool) for line in lines)]
    brought = " ".join(line for line in lines if " install " in line)
    missing = [tool for tool in used if not re.search(rf"install\b.*\b{tool}\b", brought)]
    if missing:
        lines.insert(0, f"python -m pip install {' '.join(missing)}")
    makes = any(re.search(r"\buv (?:sync|venv)\b", line) for line in lines)
    if "uv" in used and not makes and not any("--system" in line for line in lines):
        at = next(n for n, line in enumerate(lines) if _uses(line, "uv"))
        lines.insert(at, "uv venv")
    folders = [
        _place(tool, line)
        for tool in _FOLDERS
        for line in lines
        if _uses(line, tool) and "--system" not in line and not _runs_all(tool, commands_of)
    ]
    return msgspec.structs.replace(
        install, lines=tuple(lines), folders=tuple(dict.fromkeys(folders))
    )


def _uses(line: str, tool: str) -> bool:
    return re.search(rf"(?:^|&& |\(){tool} ", line) is not None


def _place(tool: str, line: str) -> str:
    inside = re.match(r"\(cd (\S+) && ", line)
    folder = f"{inside[1]}/" if inside else ""
    return _FOLDERS[tool].format(folder=folder, cd=f"cd {inside[1]} && " if inside else "")


def _runs_all(tool: str, commands_of: Sequence[str]) -> bool:
    """Whether every command goes through the tool, which then finds its packages itself."""
    return all(re.search(rf"(?:^|&& |\(){tool} run\b", command) for command in commands_of)


def _unmet(tree: Tree, install: Install, folder: str, commands_of: Sequence[str]) -> Iterator[str]:
    """The programs that the commands are run with, and that nothing here seems to install."""
    texts = [*install.lines, tree.text(install.conda) if install.conda else ""]
    for line in install.lines:
        for simple in commands(line):
            for name in _files_of(simple):
                path = path_of(simple, name) or ""
                texts += [tree.text(path), *_said(tree, path)]
    for command in commands_of:
        for simple in commands(command, folder):
            words = without_prefixes(list(simple.words))
            program = posixpath.basename(words[0]) if words else ""
            name = _PACKAGES.get(program, program)
            is_said = any(re.search(rf"\b{name}\b", text, re.IGNORECASE) for text in texts)
            if program in _PACKAGES and not is_said:
                yield (
                    f"`{command[:80]}` needs {name}, and nothing seems to install it: add it to "
                    f"the job, for example `python -m pip install {name}`"
                )


def _said(tree: Tree, folder: str) -> list[str]:
    """What the files say that a tool reads in a folder by itself."""
    names = (*(name for name in _OF_FILES if "." in name), "setup.cfg", "Pipfile")
    return [tree.text(posixpath.normpath(posixpath.join(folder, name))) for name in names]
