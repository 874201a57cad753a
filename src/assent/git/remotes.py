"""How Git itself is told to give up on a remote that does not answer: by settings that everybody
knows, and only where the user has none.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence, Set

from assent.git.addresses import ssh_host
from assent.git.process import told
from assent.git.silence import LIMIT_S

SSH_OPTIONS = {
    "connecttimeout": ("ConnectTimeout", 30, ("none",)),
    "serveraliveinterval": ("ServerAliveInterval", 15, ("0",)),
}
"""By the name that `ssh -G` has for it: an option, what it is set to, and how it is called where
nobody has set it.
"""
_OWN_SSH = ("GIT_SSH", "GIT_SSH_COMMAND")
_TIME = "GIT_HTTP_LOW_SPEED_TIME"
_SPEEDS = {
    "http.lowSpeedLimit": ("GIT_HTTP_LOW_SPEED_LIMIT", 1),
    "http.lowSpeedTime": (_TIME, LIMIT_S),
}


def limit_s(configured: str | None) -> float:
    """How long a remote may be silent, by the value of `http.lowSpeedTime` if there is one."""
    given = told(_TIME).get(_TIME) or configured or ""
    is_number = given.isascii() and given.isdigit() and len(given) < 7
    return float(given) if is_number and int(given) > 0 else LIMIT_S


def bearing(known: Set[str], addresses: Sequence[str]) -> list[tuple[str, str]]:
    """The settings for remotes at these addresses. `known` are the names of those that there are
    already, as `git config --list` writes them.
    """
    settings = [
        (name, str(value))
        for name, (variable, value) in _SPEEDS.items()
        if name.lower() not in known and not told(variable)
    ]
    if "core.sshcommand" in known or told(*_OWN_SSH):
        return settings
    hosts = [host for host in map(ssh_host, addresses) if host is not None]
    options = _unset_options(hosts[0]) if hosts else []
    if options:
        settings.append(("core.sshCommand", " ".join(["ssh", *options])))
    return settings


def _unset_options(host: str) -> list[str]:
    """The options for `ssh` that the user's and the machine's settings do not have."""
    try:
        shown = subprocess.run(
            ["ssh", "-G", "--", host],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []  # an SSH of another kind, or none: whoever waits is watched all the same
    if shown.returncode != 0:
        return []
    lines = (line.partition(" ") for line in shown.stdout.decode(errors="replace").splitlines())
    now = {name: value for name, _, value in lines}
    return [
        f"-o{option}={value}"
        for name, (option, value, unset) in SSH_OPTIONS.items()
        if now.get(name) in unset
    ]
