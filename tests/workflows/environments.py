"""Python environments of the harness's machines: made in milliseconds and without a network.

An environment begins as a fresh installation does: Python and pip, nothing else. Its pip is ours
and knows three things to install:

- the tree under test (a path): linked, so that what runs is the very code of the action's own
  checkout, its dependencies being those that the tests have. With `build` it is really built and
  installed by pip, which takes seconds; a test of its own does that;
- a requirement or a file of them, if the tests have it installed in a version that fits;
- anything else is an error: the harness is offline.

Run as a program: `environments.py make FOLDER MODE`, `environments.py pip FOLDER MODE ARGUMENTS…`.
It runs hundreds of times in the tests, so each part imports what it needs, and no more.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]

WRAPPER = """\
#!/bin/sh
start() {{
    case {mode} in /*) exec {mode}/ask "$@" ;; esac
    shift 2
    exec "$@"
}}
own=tests.workflows.environments
isolated=""
if [ "${{1-}}" = -I ]; then isolated=-I; shift; fi
case "${{1-}} ${{2-}}" in
"-m venv") for last; do :; done; start $own 4 {python} -I -S {program} make "$last" {mode} ;;
"-m pip") shift 2; start $own 2 {python} {program} pip {folder} {mode} "$@" ;;
esac
if [ "$isolated" ] && [ "${{1-}}" -ef {folder}/bin/assent ]; then
    start assent 3 {folder}/bin/.python -I "$@"
fi
exec {folder}/bin/.python $isolated "$@"
"""
PIP = """\
#!/bin/sh
exec {folder}/bin/python -m pip "$@"
"""
SCRIPT = """\
#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
import sys
from {module} import {function}
sys.exit({function}())
"""
"""A `#!` line has a greatest length; folders of tests have not. Installers know the same trick."""


def make(folder: Path, mode: str, *, has_pip: bool = True) -> Path:
    """An empty environment; returns its Python. `mode` is how its pip installs: ready, build, or,
    as the folder of `tests/starting/`, ready and with the starters there doing the work.

    The Python of an Ubuntu machine makes environments with pip, but has none to use by itself.
    """
    folder = folder.absolute()
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    site_packages(folder).mkdir(parents=True, exist_ok=True)
    real = Path(sys.executable).resolve()
    (folder / "pyvenv.cfg").write_text(
        f"home = {real.parent}\ninclude-system-site-packages = false\n"
    )
    _link(folder / "bin/.python", real)
    words = {
        "python": shlex.quote(sys.executable),
        "program": shlex.quote(str(Path(__file__).resolve())),
        "folder": shlex.quote(str(folder)),
        "mode": shlex.quote(mode),
    }
    wrapper = _script(folder / "bin/python", WRAPPER.format(**words))
    major, minor = sys.version_info[:2]
    names = [f"python{major}", f"python{major}.{minor}"]
    for name in names:
        _link(folder / "bin" / name, wrapper)
    for name in ["pip", f"pip{major}"] if has_pip else []:
        _script(folder / "bin" / name, PIP.format(**words))
    return wrapper


def site_packages(folder: Path) -> Path:
    return folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def pip(folder: Path, mode: str, arguments: list[str]) -> None:
    """What `pip ARGUMENTS` does in an environment of the harness; exits where it fails."""
    if not (folder / "bin/pip").exists():
        sys.exit("error: externally-managed-environment")
    if arguments in (["--version"], ["-V"]):
        sys.stdout.write(f"pip of the workflow harness from {folder}\n")
        return
    import argparse

    parser = argparse.ArgumentParser("pip")
    verbs = parser.add_subparsers(required=True)
    install = verbs.add_parser("install")
    for flags in (("-q", "--quiet"), ("-U", "--upgrade"), ("-v", "--verbose")):
        install.add_argument(*flags, action="count")
    for flag in (
        *("disable-pip-version-check", "no-input", "no-cache-dir", "require-virtualenv"),
        *("require-hashes", "no-deps", "no-build-isolation"),
    ):
        install.add_argument(f"--{flag}", action="store_true")
    install.add_argument("-r", "--requirement", action="append", type=Path, default=[])
    install.add_argument("targets", nargs="*")
    order = parser.parse_args(arguments)
    wanted = [one for path in order.requirement for one in _requirements(path)]
    for target in [*order.targets, *wanted]:
        _install(folder, mode, target)


def _requirements(path: Path) -> list[str]:
    """The lines of a file without comments and hashes."""
    lines = path.read_text().replace("\\\n", "").splitlines()
    wanted = [line.partition(" #")[0].partition(" --hash=")[0].strip() for line in lines]
    return [one for one in wanted if one and not one.startswith("#")]


def _install(folder: Path, mode: str, target: str) -> None:
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import Requirement

    path = Path(target.partition("[")[0] or ".")
    if (path / "pyproject.toml").is_file():
        _install_tree(folder, mode, path)
        return
    if target == "pip":
        return
    requirement = Requirement(target)
    if requirement.marker is not None and not requirement.marker.evaluate():
        return
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        sys.exit(f"pip: {target}: not among what the tests have, and the harness is offline")
    if not requirement.specifier.contains(installed, prereleases=True):
        sys.exit(f"pip: {target}: the tests have {installed}, and the harness is offline")
    _see_packages_of_the_tests(folder)
    _make_scripts(folder, requirement.name)


def _install_tree(folder: Path, mode: str, path: Path) -> None:
    import subprocess
    import tomllib

    name = tomllib.loads((path / "pyproject.toml").read_text())["project"]["name"]
    _see_packages_of_the_tests(folder)
    if mode == "build":
        flags = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed"]
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        python = folder / "bin/.python"
        subprocess.run([*command, "--python", python, "install", *flags, path], check=True)
        return
    if path.resolve() != TREE:
        sys.exit(f"pip: {path}: the harness links only the tree under test; use install='build'")
    _make_scripts(folder, name)


def _see_packages_of_the_tests(folder: Path) -> None:
    """After those of the environment itself, also those that are installed as editable."""
    import site
    import sysconfig

    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    lines = [f"import site; site.addsitedir({place!r})\n" for place in sorted(places)]
    (site_packages(folder) / "_harness.pth").write_text("".join(lines))


def _make_scripts(folder: Path, name: str) -> None:
    from importlib.metadata import distribution

    for entry in distribution(name).entry_points:
        if entry.group == "console_scripts":
            module, _, function = entry.value.partition(":")
            python = shlex.quote(str(folder / "bin/.python"))
            text = SCRIPT.format(python=python, module=module, function=function.strip())
            _script(folder / "bin" / entry.name, text)


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _script(path: Path, content: str) -> Path:
    path.unlink(missing_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


def main() -> None:
    verb, folder, mode, *arguments = sys.argv[1:]
    if verb == "make":
        make(Path(folder), mode)
    else:
        pip(Path(folder), mode, arguments)


if __name__ == "__main__":
    main()
