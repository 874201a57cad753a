"""What people have noted about a bundle since it has a version."""

from __future__ import annotations

from assent.core.digest import Digest
from assent.core.entry import Entry
from assent.core.history import History
from assent.ports import View
from assent.recording.reading import read_entries


def notes_about(view: View, bundle: Digest) -> tuple[Entry, ...]:
    """The notes about a bundle, newest first; none about one that has no version. The entries
    before its registration are not read.
    """
    record = view.record(bundle)
    if record is None or record.registered is None:
        return ()
    entries = read_entries(view, record.registered)
    return History(entries, view.state.at or "").notes(bundle)
