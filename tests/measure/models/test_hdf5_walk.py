"""The program that reads HDF5, without the process that it runs in."""

from __future__ import annotations

import io
from pathlib import Path

from assent.measure.models.formats.hdf5_walk import Window


class Seen(io.FileIO):
    """A file that keeps where it was asked to go: not every file system goes beyond an end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.places: list[int] = []

    def seek(self, offset: int, whence: int = 0) -> int:
        self.places.append(offset)
        return super().seek(offset, whence)


def test_a_window_is_a_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    with io.FileIO(path) as file:
        window = Window(file, 2, 5)
        assert (window.read(), window.tell()) == (b"23456", 5)
        assert (window.seek(-2, 2), window.read(9)) == (3, b"56")
        assert (window.seek(1), window.seek(1, 1), window.read(1)) == (1, 2, b"4")


def test_a_window_is_not_sought_beyond_its_end(tmp_path: Path) -> None:
    """A damaged file makes the library ask for places that no file has."""
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    with Seen(path) as file:
        window = Window(file, 2, 5)
        for far in (5, 6, 2**40, 2**62):
            assert window.seek(far) == far
            assert window.read(4) == b""
            assert window.tell() == far
        assert file.places == []
        window.seek(4)
        assert window.read(4) == b"6"
        assert set(file.places) == {6}
