"""The end of `actions/cache`: a key that was not found exactly is saved."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.workflows.standins import cache
from tests.workflows.standins.toolkit import read_input, read_state, say


def main() -> None:
    key = read_input("key")
    if read_state("found") == key:
        say(f"Cache hit occurred on the primary key {key}, not saving cache.")
        return
    with tarfile.open(cache.archive(key), "w") as archive:
        for place in filter(Path.exists, cache.places()):
            for name, top in cache.tops().items():
                if place.is_relative_to(top):
                    archive.add(place, Path(name) / place.relative_to(top))
    say(f"Cache saved with key: {key}")


if __name__ == "__main__":
    main()
