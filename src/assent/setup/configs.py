"""Every `assent.yaml` of a repository: one with several projects has one for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assent.config.read import read_config
from assent.config.settings import Config
from assent.errors import UsageError
from assent.git import BaseBranch, Repository

MAX_CONFIGS = 100


def configs_below(folder: Path, name: str, planned: Mapping[str, Config]) -> Mapping[str, Config]:
    """The configurations below `folder`, the top folder of a repository, by their path: those that
    Git tracks or would track, and those that are `planned` and not written yet.

    Raises `UsageError` for one that cannot be read, and for a model that two of them declare: one
    name is one branch of the ledger.
    """
    configs = dict(planned)
    for path in _listed(folder, name):
        if path not in configs and (folder / path).is_file() and not (folder / path).is_symlink():
            configs[path] = read_config((folder / path).read_bytes(), path)
    owners: dict[str, str] = {}
    for path, config in configs.items():
        for model in config.models:
            if owners.setdefault(model, path) != path:
                raise UsageError(
                    f"reading {path}",
                    f"the model {model} is declared in {owners[model]} as well",
                    hint="give one of them another name: models of one repository share a ledger",
                )
    return configs


def base_branch(repository: Repository) -> str | None:
    """The branch that changes are merged into, as far as this clone knows."""
    remote = "origin" if repository.config("remote.origin.url") is not None else None
    return BaseBranch(repository, remote).name


def _listed(folder: Path, name: str) -> list[str]:
    # Patterns of paths are switched off for every Git process of ours.
    shown = Repository(folder).names(
        *("ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        doing=f"looking for {name} files",
    )
    paths = sorted({path for path in shown if path.rpartition("/")[2] == name})
    if len(paths) > MAX_CONFIGS:
        raise UsageError(
            f"looking for {name} files",
            f"there are {len(paths)}, and at most {MAX_CONFIGS} fit into one pipeline",
            hint=f"ignore those that are none of yours in .gitignore, or move {name} to the top",
        )
    return paths
