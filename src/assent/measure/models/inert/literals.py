"""The opcodes of plain values: numbers, texts, bytes, tuples, lists, and the memo."""

from __future__ import annotations

import codecs
import struct

from assent.measure.models.inert.machine import Machine, WalkError
from assent.measure.models.inert.seen import (
    MAX_INNER,
    MAX_MARKS,
    MAX_TEXT,
)
from assent.measure.models.inert.values import (
    OPAQUE,
    Pairs,
)


class Literals(Machine):
    """What these opcodes do: they make values, and nothing that is looked up."""

    def protocol_(self) -> None:
        """The opcode PROTO."""
        self.protocol = self.number(1)
        if self.protocol > 5:
            raise WalkError(f"protocol {self.protocol}")

    def frame(self) -> None:
        """The opcode FRAME."""
        size = self.number(8)
        if self.position + size > self.end:
            raise WalkError(f"a frame of {size:,} bytes, which are not there")

    def stop(self) -> None:
        """The opcode STOP."""
        self.seen.root = self.pop()
        self.is_done = True

    def mark(self) -> None:
        """The opcode MARK."""
        if len(self.marked) >= MAX_MARKS:
            raise WalkError("nested too deeply")
        self.marked.append(self.stack)
        self.stack = []

    def discard(self) -> None:
        """The opcode POP."""
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def none(self) -> None:
        """The opcode NONE."""
        self.stack.append(None)

    def true(self) -> None:
        """The opcode NEWTRUE."""
        self.stack.append(True)

    def false(self) -> None:
        """The opcode NEWFALSE."""
        self.stack.append(False)

    def int_1(self) -> None:
        """The opcode BININT1."""
        if self.position >= self.end:
            raise WalkError("it ends before the pickle does")
        self.stack.append(self.view[self.position])
        self.position += 1

    def int_2(self) -> None:
        """The opcode BININT2."""
        self.stack.append(self.number(2))

    def int_4(self) -> None:
        """The opcode BININT."""
        self.stack.append(self.number(4, signed=True))

    def int_text(self) -> None:
        """The opcode INT."""
        text = self.line()
        if text in (b"00", b"01"):
            self.stack.append(text == b"01")
        else:
            self.stack.append(int(text, 0) if len(text) < 64 else OPAQUE)

    def long_text(self) -> None:
        """The opcode LONG."""
        text = self.line().removesuffix(b"L")
        self.stack.append(int(text, 0) if len(text) < 64 else OPAQUE)

    def long_1(self) -> None:
        """The opcode LONG1."""
        self.long(self.number(1))

    def long_4(self) -> None:
        """The opcode LONG4."""
        self.long(self.number(4, signed=True))

    def long(self, size: int) -> None:
        """A whole number of so many bytes."""
        content = self.take(size)
        few = size <= 32
        self.stack.append(int.from_bytes(content, "little", signed=True) if few else OPAQUE)

    def float_text(self) -> None:
        """The opcode FLOAT."""
        self.stack.append(float(self.line()))

    def float_8(self) -> None:
        """The opcode BINFLOAT."""
        self.stack.append(struct.unpack(">d", self.take(8))[0])

    def string_text(self) -> None:
        """The opcode STRING."""
        text = self.long_line()
        if len(text) < 2 or text[0] != text[-1] or text[0] not in b"\"'":
            raise WalkError("a text without its quotes")
        if len(text) > MAX_TEXT:
            self.stack.append(OPAQUE)
            return
        content: bytes = codecs.escape_decode(bytes(text[1:-1]))[0]
        self.text(memoryview(content), "latin-1")

    def string_1(self) -> None:
        """The opcode SHORT_BINSTRING."""
        self.string(self.number(1))

    def string_4(self) -> None:
        """The opcode BINSTRING."""
        self.string(self.number(4, signed=True))

    def string(self, size: int) -> None:
        """A text of Python 2 of so many bytes."""
        content = self.take(size)
        if size <= MAX_TEXT:
            self.text(content, "latin-1")
        else:
            self.stack.append(content)

    def unicode_text(self) -> None:
        """The opcode UNICODE."""
        self.text(self.long_line(), "raw-unicode-escape")

    def unicode_1(self) -> None:
        """The opcode SHORT_BINUNICODE."""
        # Most values of a large pickle are short texts, so this one does without calls.
        start = self.position + 1
        end = start + self.view[start - 1]
        if end > self.end:
            raise WalkError("it ends before the pickle does")
        self.position = end
        self.budget.text -= end - start
        if self.budget.text < 0:
            raise WalkError("more text than is followed")
        self.stack.append(str(self.view[start:end], "utf-8", "surrogatepass"))

    def unicode_4(self) -> None:
        """The opcode BINUNICODE."""
        self.text(self.take(self.number(4)), "utf-8")

    def unicode_8(self) -> None:
        """The opcode BINUNICODE8."""
        self.text(self.take(self.number(8)), "utf-8")

    def bytes_1(self) -> None:
        """The opcode SHORT_BINBYTES."""
        self.bytes_(self.number(1))

    def bytes_4(self) -> None:
        """The opcode BINBYTES."""
        self.bytes_(self.number(4))

    def bytes_8(self) -> None:
        """The opcodes BINBYTES8 and BYTEARRAY8."""
        self.bytes_(self.number(8))

    def bytes_(self, size: int) -> None:
        """So many bytes, which may be a pickle."""
        start = self.position
        content = self.take(size)
        if size > 3 and content[0] == 0x80 and content[1] <= 5:
            if len(self.seen.inner) >= MAX_INNER:
                raise WalkError("more pickles inside than are followed")
            self.seen.inner.append((start, start + size))
        self.stack.append(content)

    def outside(self) -> None:
        """The opcodes NEXT_BUFFER and READONLY_BUFFER."""
        raise WalkError("it needs bytes that are not in the file")

    def tuple_0(self) -> None:
        """The opcode EMPTY_TUPLE."""
        self.stack.append(())

    def tuple_1(self) -> None:
        """The opcode TUPLE1."""
        self.spend()
        self.stack.append((self.pop(),))

    def tuple_2(self) -> None:
        """The opcode TUPLE2."""
        self.spend()
        second, first = self.pop(), self.pop()
        self.stack.append((first, second))

    def tuple_3(self) -> None:
        """The opcode TUPLE3."""
        self.spend()
        third, second, first = self.pop(), self.pop(), self.pop()
        self.stack.append((first, second, third))

    def tuple_(self) -> None:
        """The opcode TUPLE."""
        self.spend()
        items = self.pop_mark()
        self.stack.append(tuple(items))

    def list_0(self) -> None:
        """The opcodes EMPTY_LIST and EMPTY_SET."""
        self.spend()
        self.stack.append([])

    def list_(self) -> None:
        """The opcode LIST."""
        self.spend()
        items = self.pop_mark()
        self.stack.append(items)

    def dict_0(self) -> None:
        """The opcode EMPTY_DICT."""
        self.spend()
        self.stack.append(Pairs([]))

    def dict_(self) -> None:
        """The opcode DICT."""
        self.spend()
        items = self.pop_mark()
        if len(items) % 2:
            raise WalkError("a key without a value")
        self.stack.append(Pairs(items))

    def frozen_set(self) -> None:
        """The opcode FROZENSET."""
        self.tuple_()

    def duplicate(self) -> None:
        """The opcode DUP."""
        self.stack.append(self.top())

    def pop_mark_(self) -> None:
        """The opcode POP_MARK."""
        self.pop_mark()

    def put_text(self) -> None:
        """The opcode PUT."""
        self.remember(int(self.line()))

    def put_1(self) -> None:
        """The opcode BINPUT."""
        self.remember(self.number(1))

    def put_4(self) -> None:
        """The opcode LONG_BINPUT."""
        self.remember(self.number(4))

    def memoize(self) -> None:
        """The opcode MEMOIZE."""
        stack, memo = self.stack, self.memo
        if not stack:
            raise WalkError("the stack is empty")
        memo[len(memo)] = stack[-1]

    def get_text(self) -> None:
        """The opcode GET."""
        self.recall(int(self.line()))

    def get_1(self) -> None:
        """The opcode BINGET."""
        at = self.position
        if at >= self.end:
            raise WalkError("it ends before the pickle does")
        self.position = at + 1
        self.recall(self.view[at])

    def get_4(self) -> None:
        """The opcode LONG_BINGET."""
        self.recall(self.number(4))
