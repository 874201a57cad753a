"""The condition of a rule of GitLab (`if:`), as far as it can be known before a pipeline runs.

A condition asks variables. Some are known for a kind of pipeline (its source, whether there is a
branch), others are set in places that nobody here can read. So the answer has three values, and
whatever hangs on an unknown variable is unknown, never a guess.
https://docs.gitlab.com/ci/jobs/job_rules/#cicd-variable-expressions
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_LENGTH = 10_000
MAX_DEPTH = 50
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<operator>==|!=|=~|!~|&&|\|\||[()])
      | \$\{?(?P<variable>\w+)\}?
      | "(?P<double>[^"]*)" | '(?P<single>[^']*)'
      | (?P<regex>/(?:\\.|[^/\\])+/[ismU]*)
      | (?P<null>null\b)
    )""",
    re.VERBOSE,
)
_PLAIN = re.compile(r"(?P<start>\^?)(?P<text>(?:[\w\s-]|\\[/.])*)(?P<end>\$?)")


class Answer(enum.Enum):
    """What is known of a question."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool) -> Answer:
        """A known one."""
        return cls.YES if value else cls.NO

    def __invert__(self) -> Answer:
        return {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(self, self)

    def __and__(self, other: Answer) -> Answer:
        if Answer.NO in (self, other):
            return Answer.NO
        return Answer.UNKNOWN if Answer.UNKNOWN in (self, other) else Answer.YES

    def __or__(self, other: Answer) -> Answer:
        return ~(~self & ~other)


@dataclass(frozen=True)
class Unknown:
    """A value that nobody here knows. `is_set`: but there is one."""

    is_set: bool = False


@dataclass(frozen=True)
class _Pattern:
    text: str


Value = str | None | Unknown
"""What a variable holds: text, nothing at all, or something unknown."""


class _UnreadError(Exception):
    """The condition is not one that can be read here."""


def holds(condition: str, variables: Mapping[str, Value]) -> Answer:
    """Whether a condition holds where these variables are known, and no others."""
    try:
        reader = _Reader(_tokens(condition), variables)
        answer = reader.either(0)
        return answer if reader.is_done else Answer.UNKNOWN
    except _UnreadError:
        return Answer.UNKNOWN


def _tokens(condition: str) -> list[tuple[str, str]]:
    if len(condition) > MAX_LENGTH:
        raise _UnreadError
    tokens: list[tuple[str, str]] = []
    text = condition.rstrip()
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _UnreadError
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


class _Reader:
    """Reads a condition from left to right: `&&` binds closer than `||`."""

    def __init__(self, tokens: list[tuple[str, str]], variables: Mapping[str, Value]) -> None:
        self._tokens = tokens
        self._variables = variables
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at == len(self._tokens)

    def either(self, depth: int) -> Answer:
        """Parts with `||` between them."""
        if depth > MAX_DEPTH:
            raise _UnreadError
        answer = self._both(depth)
        while self._takes("||"):
            answer |= self._both(depth)
        return answer

    def _both(self, depth: int) -> Answer:
        answer = self._one(depth)
        while self._takes("&&"):
            answer &= self._one(depth)
        return answer

    def _one(self, depth: int) -> Answer:
        if self._takes("("):
            answer = self.either(depth + 1)
            if not self._takes(")"):
                raise _UnreadError
            return answer
        left = self._value()
        for operator, compare in (("==", _equal), ("=~", _matches)):
            if self._takes(operator):
                return compare(left, self._value())
        for operator, compare in (("!=", _equal), ("!~", _matches)):
            if self._takes(operator):
                return ~compare(left, self._value())
        return _is_set(left)

    def _takes(self, operator: str) -> bool:
        if not self.is_done and self._tokens[self._at] == ("operator", operator):
            self._at += 1
            return True
        return False

    def _value(self) -> Value | _Pattern:
        if self.is_done:
            raise _UnreadError
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "variable":
            return self._variables.get(text, Unknown())
        if kind == "null":
            return None
        if kind == "regex":
            return _Pattern(text)
        if kind == "operator" or "$" in text:
            raise _UnreadError
        return text


def _is_set(value: Value | _Pattern) -> Answer:
    if isinstance(value, Unknown):
        return Answer.YES if value.is_set else Answer.UNKNOWN
    return Answer.of(isinstance(value, str) and value != "")


def _equal(left: Value | _Pattern, right: Value | _Pattern) -> Answer:
    if isinstance(left, _Pattern) or isinstance(right, _Pattern):
        return Answer.UNKNOWN
    for side, other in ((left, right), (right, left)):
        if isinstance(side, Unknown):
            return Answer.NO if side.is_set and other in (None, "") else Answer.UNKNOWN
    return Answer.of(left == right)


def _matches(left: Value | _Pattern, right: Value | _Pattern) -> Answer:
    """Only patterns that are plain text between anchors: a pattern of a repository may run for
    ever, and GitLab's are of another dialect.
    """
    if left is None:
        return Answer.NO
    if not isinstance(left, str) or not isinstance(right, _Pattern):
        return Answer.UNKNOWN
    inside, _, flags = right.text[1:].rpartition("/")
    plain = _PLAIN.fullmatch(inside)
    if plain is None or flags not in ("", "i"):
        return Answer.UNKNOWN
    text, value = plain["text"].replace("\\", ""), left
    if flags == "i":
        text, value = text.lower(), value.lower()
    if plain["start"] and plain["end"]:
        return Answer.of(value == text)
    if plain["start"]:
        return Answer.of(value.startswith(text))
    return Answer.of(value.endswith(text) if plain["end"] else text in value)
