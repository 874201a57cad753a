"""A data set against an earlier state of it, row by row.

Both sides are read once and joined by the key with a hash of all other columns. Of rows whose
hashes differ, the larger side's hash of each column is kept, so that only the smaller side is read
again, to say in which columns. Nothing is kept of a value itself, however long it is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assent.core.profile import RowChanges
from assent.errors import UsageError
from assent.measure import engine
from assent.measure.profiles.overlap import relation_of, shared
from assent.measure.profiles.reading import Table, connect, require_columns

MAX_COLUMNS = 100
"""Columns of which a hash is kept (8 bytes for each changed row), and which are counted at once. Of
more columns both sides are read again.
"""


def row_changes(old: Table, new: Table, *, name: str, key: Sequence[str]) -> RowChanges:
    """What was added, removed and changed between `old` and `new`, by `key`.

    Rows are compared in the columns that both have. A null in a key is a value like any other, and
    equals a null; so does it in the other columns. Rows whose key is there more than once on a
    side cannot be paired: they, and those of the same key on the other side, are `repeated_keys`.
    Raises `UsageError` without a key, or where a side has not all of its columns.
    """
    doing = f"comparing the rows of {name}"
    if not key:
        raise UsageError(doing, "it has no key", hint=f"set data.{name}.key to a column")
    for table in (old, new):
        if table.rows or table.columns:
            require_columns(table, key, "part of the key")
    if old.rows == 0 or new.rows == 0:
        return _of_one_side(old, new, name, key, doing)
    left, right = shared(old.columns, new.columns)
    with tempfile.TemporaryDirectory(prefix="assent-") as folder:
        connection = connect(doing, Path(folder), (old, new))
        try:
            with engine.explained(doing):
                sides = _Sides(connection, (old, new), (left, right), tuple(dict.fromkeys(key)))
                return sides.changes(name)
        finally:
            connection.close()


def _of_one_side(old: Table, new: Table, name: str, key: Sequence[str], doing: str) -> RowChanges:
    """The changes where a side has no rows."""
    full = old if old.rows else new
    repeated = 0
    if full.rows:
        keys = ", ".join(map(engine.name, key))
        with engine.explained(doing):
            ((repeated,),) = full.connection.execute(
                "SELECT coalesce(sum(n), 0)::BIGINT FROM (SELECT count(*) AS n "
                f"FROM {full.relation} GROUP BY {keys} HAVING n > 1)"
            ).fetchall()
    return RowChanges(
        data=name,
        key=tuple(key),
        added=new.rows - repeated if new.rows else 0,
        removed=old.rows - repeated if old.rows else 0,
        repeated_keys=repeated,
    )


class _Sides:
    """Both states in one connection: `old_rows` and `new_rows`, keys `k0`…, others `c0`…"""

    def __init__(
        self,
        connection: Any,
        tables: tuple[Table, Table],
        shared_columns: tuple[dict[str, str], dict[str, str]],
        key: tuple[str, ...],
    ) -> None:
        self.connection = connection
        self.rows = tables[0].rows, tables[1].rows
        self.key = key
        self.columns = [column for column in shared_columns[0] if column not in key]
        self.keys = [f"k{place}" for place in range(len(key))]
        self.kept = range(min(len(self.columns), MAX_COLUMNS))
        self.is_new_larger = self.rows[1] >= self.rows[0]
        for side, table, other, expressions in zip(
            ("old_rows", "new_rows"), tables, tables[::-1], shared_columns, strict=True
        ):
            listed = [f"{expressions[name]} AS k{place}" for place, name in enumerate(key)]
            listed += [
                f"{expressions[name]} AS c{place}" for place, name in enumerate(self.columns)
            ]
            relation = relation_of(table, other)
            connection.execute(
                f"CREATE TEMP VIEW {side} AS SELECT {', '.join(listed)} FROM {relation}"
            )

    def changes(self, name: str) -> RowChanges:
        pairs = self._join()
        added, removed, changed = self._counted()
        repeated = (0, 0)
        # Each row has found at most one partner if pairs and single rows add up on both sides;
        # then a key can only be there twice among the single ones.
        if (pairs + removed, pairs + added) != self.rows or self._single_keys_repeat():
            repeated = self._set_repeated_apart()
            added, removed, changed = self._counted()
        return RowChanges(
            data=name,
            key=self.key,
            added=added,
            removed=removed,
            changed=changed,
            same=self.rows[0] - repeated[0] - removed - changed,
            repeated_keys=sum(repeated),
            columns=self._changed_columns() if changed else (),
        )

    def _join(self) -> int:
        """Join the rows; the number of pairs. The table `differing` has of the rows that are not
        the same on both sides their keys, on which `side` they are (-1 the old one, 1 the new one,
        0 both), and `x0`…, the hashes of the larger side's columns.

        The larger side's columns go through the join, and the smaller side is what the join holds
        in memory: with its keys and hashes only, whatever its columns are. Pairs that are the same
        are counted by a sequence while they are dropped; to count them in a query of its own, or
        to collect the others in an aggregate, takes half as long again.
        """
        keys = ", ".join(self.keys)
        rest = ", ".join(f"c{place}" for place in range(len(self.columns)))
        hashed = f"hash({rest})" if rest else "0::UBIGINT"
        larger, smaller = self._by_size()
        kept = "".join(f", c{place}" for place in self.kept)
        listed = [f"coalesce(l.{key}, s.{key}) AS {key}" for key in self.keys]
        listed.append(
            f"CASE WHEN s.h IS NULL THEN {self._sign(larger)} "
            f"WHEN l.h IS NULL THEN {self._sign(smaller)} ELSE 0 END AS side"
        )
        listed += [f"hash(l.c{place}) AS x{place}" for place in self.kept]
        self.connection.execute("CREATE TEMP SEQUENCE same_pairs")
        self.connection.execute(
            f"CREATE TEMP TABLE differing AS SELECT {', '.join(listed)} "
            f"FROM (SELECT {keys}, {hashed} AS h{kept} FROM {larger}) l "
            f"FULL JOIN (SELECT {keys}, {hashed} AS h FROM {smaller}) s ON {self._equal('l', 's')} "
            "WHERE CASE WHEN l.h IS DISTINCT FROM s.h THEN true "
            "ELSE nextval('same_pairs') < 0 END"
        )
        ((same, changed),) = self.connection.execute(
            "SELECT nextval('same_pairs') - 1, (SELECT count(*) FROM differing WHERE side = 0)"
        ).fetchall()
        return int(same + changed)

    def _by_size(self) -> tuple[str, str]:
        """The larger side and the smaller one."""
        sides = "new_rows", "old_rows"
        return sides if self.is_new_larger else sides[::-1]

    def _sign(self, side: str) -> int:
        return 1 if side == "new_rows" else -1

    def _counted(self) -> tuple[int, int, int]:
        """Rows that were added, removed and changed."""
        counts = ", ".join(f"count(*) FILTER (side = {side})" for side in (1, -1, 0))
        counted: tuple[int, int, int] = self.connection.execute(
            f"SELECT {counts} FROM differing"
        ).fetchone()
        return counted

    def _equal(self, alias: str, other: str) -> str:
        return " AND ".join(
            f"{alias}.{key} IS NOT DISTINCT FROM {other}.{key}" for key in self.keys
        )

    def _single_keys_repeat(self) -> bool:
        keys = ", ".join(self.keys)
        query = f"SELECT 1 FROM differing GROUP BY side, {keys} HAVING count(*) > 1 LIMIT 1"
        return self.connection.execute(query).fetchone() is not None

    def _set_repeated_apart(self) -> tuple[int, int]:
        """Take rows of repeated keys out of `differing`; how many each side has. Of the files only
        the keys are read again.
        """
        keys = ", ".join(self.keys)
        several = " UNION ".join(
            f"(SELECT {keys} FROM {side} GROUP BY {keys} HAVING count(*) > 1)"
            for side in ("old_rows", "new_rows")
        )
        self.connection.execute(f"CREATE TEMP TABLE repeated AS {several}")
        match = f"(SELECT 1 FROM repeated r WHERE {self._equal('s', 'r')})"
        self.connection.execute(f"DELETE FROM differing s WHERE EXISTS {match}")
        old, new = (
            int(
                self.connection.execute(
                    f"SELECT count(*) FROM {side} s WHERE EXISTS {match}"
                ).fetchone()[0]
            )
            for side in ("old_rows", "new_rows")
        )
        return old, new

    def _changed_columns(self) -> tuple[tuple[str, int], ...]:
        """The columns that differ, with the number of rows, the most first."""
        self.connection.execute("DELETE FROM differing WHERE side <> 0")
        larger, smaller = self._by_size()
        counts = self._differing(self.kept, smaller, "differing", "d.x{0}")
        for start in range(len(self.kept), len(self.columns), MAX_COLUMNS):
            places = range(start, min(start + MAX_COLUMNS, len(self.columns)))
            listed = ", ".join([f"s.{key}" for key in self.keys] + [f"s.c{i}" for i in places])
            match = f"SEMI JOIN differing d ON {self._equal('s', 'd')}"
            again = f"(SELECT {listed} FROM {larger} s {match})"
            counts |= self._differing(places, smaller, again, "hash(d.c{0})")
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple((column, count) for column, count in ordered if count)

    def _differing(self, places: range, smaller: str, changed: str, hashed: str) -> dict[str, int]:
        """In how many of the changed rows each column has another hash."""
        counts = ", ".join(
            f"count(*) FILTER (hash(s.c{place}) <> {hashed.format(place)})" for place in places
        )
        row = self.connection.execute(
            f"SELECT {counts} FROM {smaller} s JOIN {changed} d ON {self._equal('s', 'd')}"
        ).fetchone()
        return {self.columns[place]: count for place, count in zip(places, row, strict=True)}
