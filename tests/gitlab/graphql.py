"""As much of GraphQL as reading a few things needs: a query is parsed and answered field by field.

A field, an argument or a variable that is not known is an error, as on GitLab.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Resolver = Callable[..., Any]
"""Gives the value of a field from its arguments: a plain value, or a `Thing`, or a list."""

SPACE = r"\s*(?:#[^\n]*\s*)*"
TOKEN = re.compile(SPACE + r"(\$?[A-Za-z_]\w*|-?\d+|\"[^\"]*\"|[{}()\[\]:!=]|,)")
WORDS = {"true": True, "false": False, "null": None}


class QueryError(Exception):
    """What is wrong with a query."""


@dataclass
class Field:
    """A field that is asked for, with its arguments and what is asked of it."""

    name: str
    shown_as: str
    arguments: dict[str, Any] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)


@dataclass(frozen=True)
class Thing:
    """A value that has fields. Each is a value, or a function of the field's arguments."""

    kind: str
    fields: Mapping[str, Any]


class Query:
    """A parsed query, whose variables have their values."""

    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._tokens = _tokens(text)
        self._given = dict(variables)
        self._declared: set[str] = set()
        if self._peek() == "query":
            self._take()
            if self._peek() not in ("(", "{"):
                self._take()
            if self._peek() == "(":
                self._declarations()
        self.fields = self._selection()
        if self._tokens:
            raise QueryError(f"there is more than one operation: {self._tokens[0]!r}")
        if unknown := set(self._given) - self._declared:
            raise QueryError(f"variables that are not declared: {sorted(unknown)}")

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self, wanted: str | None = None) -> str:
        found = self._peek()
        if not found or (wanted is not None and found != wanted):
            raise QueryError(f"{found or 'the end'!r} where {wanted or 'something'!r} should be")
        return self._tokens.pop(0)

    def _declarations(self) -> None:
        self._take("(")
        while self._peek() != ")":
            name = self._take().removeprefix("$")
            self._take(":")
            self._take()
            if self._peek() == "!":
                self._take()
                if self._given.get(name) is None:
                    raise QueryError(f"the variable ${name} must have a value")
            self._declared.add(name)
        self._take(")")

    def _selection(self) -> list[Field]:
        self._take("{")
        found = []
        while self._peek() != "}":
            found.append(self._field())
        self._take("}")
        return found

    def _field(self) -> Field:
        shown_as = name = self._take()
        if self._peek() == ":":
            self._take()
            name = self._take()
        made = Field(name, shown_as)
        if self._peek() == "(":
            self._take()
            while self._peek() != ")":
                argument = self._take()
                self._take(":")
                made.arguments[argument] = self._value()
            self._take(")")
        if self._peek() == "{":
            made.fields = self._selection()
        return made

    def _value(self) -> Any:
        text = self._take()
        if text.startswith("$"):
            if text[1:] not in self._declared:
                raise QueryError(f"the variable {text} is not declared")
            return self._given.get(text[1:])
        if text.startswith('"'):
            return text[1:-1]
        return WORDS[text] if text in WORDS else int(text)


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise QueryError(f"not GraphQL: {text[at : at + 20]!r}")
        if match.group(1) != ",":
            found.append(match.group(1))
        at = match.end()
    return found


def resolved(thing: Thing, fields: list[Field]) -> Json:
    """What is asked of a thing."""
    if not fields:
        raise QueryError(f"field of the type {thing.kind} without a selection")
    return {one.shown_as: _field(thing, one) for one in fields}


def _field(thing: Thing, asked: Field) -> Any:
    if asked.name not in thing.fields:
        raise QueryError(f"Field '{asked.name}' doesn't exist on type '{thing.kind}'")
    value = thing.fields[asked.name]
    if callable(value):
        try:
            value = value(**asked.arguments)
        except TypeError as error:
            raise QueryError(f"the arguments of '{asked.name}': {error}") from None
    elif asked.arguments:
        raise QueryError(f"Field '{asked.name}' doesn't accept arguments")
    if isinstance(value, list):
        return [resolved(one, asked.fields) for one in value]
    return resolved(value, asked.fields) if isinstance(value, Thing) else value
