"""What a file system may lack."""

from __future__ import annotations

from enum import StrEnum


class Lack(StrEnum):
    """One of it; `meagre.py` has a file system without it."""

    LINKS = "links"
    LOCKS = "locks"
    FOLDER_FLUSHES = "folder flushes"
    TIMES = "times"  # kept to two seconds, as by FAT
    TOUCHES = "touches"  # taken, and not kept
    MODES = "modes"
    CASE = "case"
    NAMES = "names"  # those that Windows does not take; dots at the end are not kept
    SIZES = "sizes"  # it does not say how much room there is
    REPLACING = "replacing"
    RENAMING = "renaming"
    ATOMICITY = "atomicity"  # what is replaced is gone for a moment
    ROOM = "room"  # which is told only when a file is closed
    STEADINESS = "steadiness"  # every other pointer that is opened was replaced before it is read
