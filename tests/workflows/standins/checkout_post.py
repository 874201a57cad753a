"""The end of `actions/checkout`: the token goes out of the configuration."""

from __future__ import annotations

from pathlib import Path

from tests.workflows.standins.checkout import forget
from tests.workflows.standins.toolkit import read_state


def main() -> None:
    place, credentials = read_state("place"), read_state("credentials")
    if place and credentials and Path(credentials).exists() and (Path(place) / ".git").is_dir():
        forget(Path(place), Path(credentials))


if __name__ == "__main__":
    main()
