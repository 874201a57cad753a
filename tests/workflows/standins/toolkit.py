"""How an action speaks with the runner: inputs from the environment, the rest through files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import NoReturn


def read_input(name: str) -> str:
    return os.environ.get(f"INPUT_{name.replace(' ', '_').upper()}", "").strip()


def read_flag(name: str) -> bool:
    """A boolean input, in one of YAML's spellings; anything else fails the step."""
    value = read_input(name)
    if value.lower() not in ("true", "false"):
        fail(f"Input does not meet YAML 1.2 specification: {name}")
    return value.lower() == "true"


def refuse(*names: str) -> None:
    """Inputs of the real action that this one cannot honour."""
    for name in names:
        if read_input(name):
            fail(f"the stand-in does not know the input {name}")


def write(kind: str, name: str, value: str) -> None:
    """One value into GITHUB_OUTPUT, GITHUB_ENV or GITHUB_STATE (`kind`)."""
    delimiter = f"ghadelimiter_{uuid.uuid4()}"
    with Path(os.environ[f"GITHUB_{kind}"]).open("a") as file:
        file.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def add_path(path: Path) -> None:
    with Path(os.environ["GITHUB_PATH"]).open("a") as file:
        file.write(f"{path}\n")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def read_state(name: str) -> str | None:
    """What the action has written to GITHUB_STATE, at the end of the job."""
    return os.environ.get(f"STATE_{name}")


def warn(message: str) -> None:
    say(f"::warning::{message}")


def fail(message: str) -> NoReturn:
    say(f"::error::{message}")
    sys.exit(1)


def call(*command: str | Path, cwd: Path | None = None) -> str:
    """Runs a command as its log shows it; the step fails where the command does."""
    say(f"[command]{' '.join(map(str, command))}")
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(done.stdout)
    sys.stdout.flush()
    if done.returncode:
        fail(f"The process '{command[0]}' failed with exit code {done.returncode}")
    return done.stdout.strip()


def storage(kind: str) -> Path:
    """Where the harness keeps things from run to run."""
    place = Path(os.environ["ASSENT_HARNESS_STORAGE"]) / kind
    place.mkdir(parents=True, exist_ok=True)
    return place


def rights(token: str, repository: str) -> dict[str, str] | None:
    """What the harness lets a token do in a repository; None for a token that it does not know."""
    path = Path(os.environ["ASSENT_HARNESS_STORAGE"]) / "tokens.json"
    granted = json.loads(path.read_text()).get(token)
    return None if granted is None else dict(granted.get(repository, {}))


def workspace() -> Path:
    return Path(os.environ["GITHUB_WORKSPACE"])
