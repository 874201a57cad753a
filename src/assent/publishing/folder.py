"""The folder that pages are written to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from assent.core.bundle import is_safe_path
from assent.core.digest import Digest, canonical_json
from assent.errors import OutsideError, UsageError
from assent.report.site.pages import Page

LIST = ".assent-site.json"
FORMAT = "assent/site/1"


class _Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder holds of an earlier run: its pages, and the digest of what each is made of."""

    pages: dict[str, str]
    format: str = FORMAT


@dataclass
class SiteFolder:
    """The folder that pages are written to. It remembers what each was made of, so that those of
    which nothing has changed are left alone, and those that are no page any more are removed.
    Nothing else in it is touched.
    """

    target: Path
    listed: dict[str, str]
    kept: dict[str, Digest] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    unchanged: int = 0
    _folders: set[Path] = field(default_factory=set)

    @classmethod
    def opened(cls, target: Path) -> SiteFolder:
        """The folder as it is. Raises `UsageError` for one that holds something else: a site is
        published with all that lies beside it.
        """
        doing = f"writing the site to {target}"
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise UsageError(doing, "it is no folder", hint="name a new folder with --to")
        listed = target / LIST
        if not listed.exists():
            if target.exists() and any(target.iterdir()):
                raise UsageError(
                    doing,
                    "the folder holds something else",
                    hint="name a new or empty folder: what lies there would be published too",
                )
            folder = cls(target, {})
            folder._remember({})  # so that one that is not finished is known again
            return folder
        with suppress(msgspec.DecodeError, UnicodeDecodeError, OSError):
            known = msgspec.json.decode(listed.read_bytes(), type=_Listed)
            if known.format == FORMAT:
                safe = {path: made for path, made in known.pages.items() if is_safe_path(path)}
                return cls(target, safe)
        raise UsageError(
            doing,
            f"its list of pages, {LIST}, cannot be read, so that nobody knows which are old",
            hint="name a new folder, or remove this one",
        )

    def put(self, page: Page) -> None:
        """Write a page unless it stands there as it would be written."""
        made = page.digest
        self.kept[page.path] = made
        path = self.target / page.path
        if self.listed.get(page.path) == made and path.is_file() and not path.is_symlink():
            self.unchanged += 1
            return
        content = page.content()
        if not self.written:
            # Until this run has ended nobody knows what each page is made of: were it to end here,
            # one that is the same as before the run would be taken for it.
            self._remember(dict.fromkeys(self.listed, ""))
        self._write(path, content)
        self.written.append(page.path)

    def keep_below(self, folder: str) -> None:
        """Leave the pages of a folder as they are, which cannot be made now."""
        self.kept |= {
            path: Digest(made) for path, made in self.listed.items() if path.startswith(folder)
        }

    def finish(self) -> tuple[str, ...]:
        """Remove what is no page any more, and remember what is; the paths that were removed."""
        removed = sorted(self.listed.keys() - self.kept.keys())
        for name in removed:
            path = self.target / name
            if not any(parent.is_symlink() for parent in self._between(path)):
                path.unlink(missing_ok=True)
        self._remember(self.kept)
        return tuple(removed)

    def _remember(self, pages: Mapping[str, str]) -> None:
        self._write(self.target / LIST, canonical_json(_Listed(pages=dict(pages))))

    def _between(self, path: Path) -> list[Path]:
        return [parent for parent in path.parents if parent.is_relative_to(self.target)]

    def _write(self, path: Path, content: bytes) -> None:
        """A file that is there whole or not at all. Whoever builds again overwrites what was left
        half-written.
        """
        doing = f"writing {path}"
        try:
            if path.parent not in self._folders:
                self._make_folder(path.parent)
            draft = path.with_name(f".{path.name}.tmp")
            with suppress(FileNotFoundError):
                draft.unlink()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(draft, flags, 0o666), "wb") as file:
                file.write(content)
            draft.replace(path)
        except OSError as error:
            raise OutsideError(
                doing,
                error.strerror or str(error),
                hint="make room, or make the folder writable, and run the verb again",
            ) from None

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for parent in [folder, *self._between(folder)]:
            if parent.is_symlink():
                raise UsageError(
                    f"writing the site to {self.target}",
                    f"{parent} is a link to somewhere else",
                    hint="remove it, or name another folder",
                )
        self._folders.add(folder)
