"""Git as a subprocess: one way to call it, and the facts of a working tree.

The command line is used and not a library because only it honours the user's own credentials,
proxies, partial clones and `safe.directory`.
"""

from assent.git.base_branch import BaseBranch
from assent.git.objects import Object, Objects, is_commit
from assent.git.process import (
    EndedError,
    GitError,
    SilentError,
    environment,
    git,
    said,
    without_repository,
)
from assent.git.pushing import Refusal, refusal
from assent.git.repository import Repository
from assent.git.settings import steering
from assent.git.silence import Patience
from assent.git.submodules import Holders, changed_within, submodules, untracked

__all__ = [
    "BaseBranch",
    "EndedError",
    "GitError",
    "Holders",
    "Object",
    "Objects",
    "Patience",
    "Refusal",
    "Repository",
    "SilentError",
    "changed_within",
    "environment",
    "git",
    "is_commit",
    "refusal",
    "said",
    "steering",
    "submodules",
    "untracked",
    "without_repository",
]
