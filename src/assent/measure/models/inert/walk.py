"""The walk: a pickle's opcodes are followed with values that stand for what loading would build.

The opcodes are those of Python's `pickletools` module (protocols 0 to 5). Where Python's two
unpicklers, joblib's and PyTorch's differ in what they make of the same bytes, the walk follows
what would be loaded and reports what could be loaded otherwise.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Final

from assent.measure.models.inert.machine import WalkError
from assent.measure.models.inert.objects import Objects
from assent.measure.models.inert.seen import (
    Budget,
    Walk,
)
from assent.measure.models.wire.source import Source

_CHECK_TIME = 65_536


def walk(
    source: Source,
    budget: Budget,
    *,
    start: int | None = None,
    joblib: bool = False,
    persistent: bool = False,
) -> Walk:
    """Follow one pickle from `start` to its STOP. Never raises for what the bytes hold.

    With `joblib`, arrays follow their wrappers in the stream, as `joblib.load` reads them; the
    bytes are followed as `pickle.load` would too, so that nothing hides in an array. `persistent`
    says that the format has objects outside of the pickle.
    """
    walker = _Walker(source, budget, source.start if start is None else start)
    walker.joblib, walker.has_persistent = joblib, persistent
    seen = walker.run()
    if joblib and seen.blocks:
        plain = _Walker(source, budget, source.start if start is None else start)
        plain.has_persistent, plain.is_second = persistent, True
        other = plain.run()
        seen.imports.update(other.imports)
        seen.dangers.update(other.dangers)
        seen.code.update(other.code)
    return seen


def is_opcode(byte: int) -> bool:
    """Whether a byte is one of the opcodes."""
    return _STEPS[byte] is not None


class _Walker(Objects):
    """Follows opcodes one after another."""

    def run(self) -> Walk:
        """Follow opcodes until STOP, or until something is wrong."""
        seen, view, end, budget = self.seen, self.view, self.end, self.budget
        at = self.position
        left = allowed = budget.opcodes
        try:
            while not self.is_done:
                if self.position >= end:
                    raise WalkError("it ends before the pickle does")
                at = self.position
                if left <= 0:
                    raise WalkError("more opcodes than are followed")
                left -= 1
                if not left % _CHECK_TIME and time.monotonic() > budget.deadline:
                    raise WalkError("it takes too long to follow")
                self.position = at + 1
                step = _STEPS[view[at]]
                if step is None:
                    raise WalkError(f"0x{view[at]:02x} is no opcode")
                step(self)
        except WalkError as error:
            seen.problem = f"the pickle is broken at byte {at - self.source.start:,}: {error}"
        except (ValueError, IndexError, UnicodeDecodeError, struct.error, OverflowError):
            seen.problem = f"the pickle is broken at byte {at - self.source.start:,}"
        except (MemoryError, RecursionError):
            seen.problem = "the pickle needs more memory than there is"
        budget.opcodes -= allowed - left  # a walk inside this one has taken its share already
        seen.end = self.position
        return seen

    def inner(self) -> Walk:
        """Follow the pickle that begins here."""
        return walk(self.source, self.budget, start=self.position)


_OPCODES: Final[dict[str, Callable[[_Walker], None]]] = {
    "(": _Walker.mark,
    ".": _Walker.stop,
    "0": _Walker.discard,
    "1": _Walker.pop_mark_,
    "2": _Walker.duplicate,
    "F": _Walker.float_text,
    "I": _Walker.int_text,
    "J": _Walker.int_4,
    "K": _Walker.int_1,
    "L": _Walker.long_text,
    "M": _Walker.int_2,
    "N": _Walker.none,
    "P": _Walker.persistent_text,
    "Q": _Walker.persistent_stack,
    "R": _Walker.reduce,
    "S": _Walker.string_text,
    "T": _Walker.string_4,
    "U": _Walker.string_1,
    "V": _Walker.unicode_text,
    "X": _Walker.unicode_4,
    "a": _Walker.append,
    "b": _Walker.build,
    "c": _Walker.global_,
    "d": _Walker.dict_,
    "}": _Walker.dict_0,
    "e": _Walker.appends,
    "g": _Walker.get_text,
    "h": _Walker.get_1,
    "i": _Walker.instance,
    "j": _Walker.get_4,
    "l": _Walker.list_,
    "]": _Walker.list_0,
    "o": _Walker.object_,
    "p": _Walker.put_text,
    "q": _Walker.put_1,
    "r": _Walker.put_4,
    "s": _Walker.set_item,
    "t": _Walker.tuple_,
    ")": _Walker.tuple_0,
    "u": _Walker.set_items,
    "G": _Walker.float_8,
    "B": _Walker.bytes_4,
    "C": _Walker.bytes_1,
    "\x80": _Walker.protocol_,
    "\x81": _Walker.new_object,
    "\x82": _Walker.extension_1,
    "\x83": _Walker.extension_2,
    "\x84": _Walker.extension_4,
    "\x85": _Walker.tuple_1,
    "\x86": _Walker.tuple_2,
    "\x87": _Walker.tuple_3,
    "\x88": _Walker.true,
    "\x89": _Walker.false,
    "\x8a": _Walker.long_1,
    "\x8b": _Walker.long_4,
    "\x8c": _Walker.unicode_1,
    "\x8d": _Walker.unicode_8,
    "\x8e": _Walker.bytes_8,
    "\x8f": _Walker.list_0,  # EMPTY_SET
    "\x90": _Walker.appends,  # ADDITEMS
    "\x91": _Walker.frozen_set,
    "\x92": _Walker.new_object_ex,
    "\x93": _Walker.stack_global,
    "\x94": _Walker.memoize,
    "\x95": _Walker.frame,
    "\x96": _Walker.bytes_8,  # BYTEARRAY8
    "\x97": _Walker.outside,  # NEXT_BUFFER
    "\x98": _Walker.outside,  # READONLY_BUFFER
}
_STEPS: Final = tuple(_OPCODES.get(chr(code)) for code in range(256))
