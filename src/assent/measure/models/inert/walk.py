"""The walk: a pickle's opcodes are followed with values that stand for what loading would build.

The opcodes are those of Python's `pickletools` module (protocols 0 to 5). Where Python's two
unpicklers, joblib's and PyTorch's differ in what they make of the same bytes, the walk follows
what would be loaded and reports what could be loaded otherwise.
"""

from __future__ import annotations

import codecs
import struct
import time
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING  # tables, which pickle itself reads
from collections.abc import Callable
from typing import Any, Final

from assent.measure.models.inert.arrays import dtype_of, items_in
from assent.measure.models.inert.calls import (
    CODE,
    MODULE_FINDERS,
    TYPE_FINDERS,
    class_of,
    code_digest,
    given_back,
    said,
)
from assent.measure.models.inert.seen import (
    MAX_IMPORTS,
    MAX_INNER,
    MAX_MARKS,
    MAX_MEMO_KEY,
    MAX_TEXT,
    Budget,
    Walk,
)
from assent.measure.models.inert.values import (
    MISSING,
    OPAQUE,
    Block,
    Call,
    Global,
    Pairs,
    Persistent,
    attributes,
)
from assent.measure.models.wire.source import Source

_CHECK_TIME = 65_536

_WRAPPER: Final = "joblib.numpy_pickle.NumpyArrayWrapper"
_OLD_WRAPPERS: Final = frozenset(
    f"joblib.{module}.{name}"
    for module in ("numpy_pickle", "numpy_pickle_compat")
    for name in ("NDArrayWrapper", "ZNDArrayWrapper")
)
_ALIGNMENT: Final = 16  # of joblib's arrays


class _WalkError(Exception):
    """What cannot be a pickle, or is more than a walk follows."""


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


class _Walker:
    def __init__(self, source: Source, budget: Budget, start: int) -> None:
        self.source = source
        self.raw = source.raw
        self.view = source.view
        self.end = source.end
        self.position = start
        self.budget = budget
        self.seen = Walk(start)
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.protocol = 0
        self.joblib = False
        self.has_persistent = False
        self.is_second = False
        self.is_done = False

    def run(self) -> Walk:
        """Follow opcodes until STOP, or until something is wrong."""
        seen, view, end, budget = self.seen, self.view, self.end, self.budget
        at = self.position
        left = allowed = budget.opcodes
        try:
            while not self.is_done:
                if self.position >= end:
                    raise _WalkError("it ends before the pickle does")
                at = self.position
                if left <= 0:
                    raise _WalkError("more opcodes than are followed")
                left -= 1
                if not left % _CHECK_TIME and time.monotonic() > budget.deadline:
                    raise _WalkError("it takes too long to follow")
                self.position = at + 1
                step = _STEPS[view[at]]
                if step is None:
                    raise _WalkError(f"0x{view[at]:02x} is no opcode")
                step(self)
        except _WalkError as error:
            seen.problem = f"the pickle is broken at byte {at - self.source.start:,}: {error}"
        except (ValueError, IndexError, UnicodeDecodeError, struct.error, OverflowError):
            seen.problem = f"the pickle is broken at byte {at - self.source.start:,}"
        except (MemoryError, RecursionError):
            seen.problem = "the pickle needs more memory than there is"
        budget.opcodes -= allowed - left  # a walk inside this one has taken its share already
        seen.end = self.position
        return seen

    # Reading

    def take(self, size: int) -> memoryview:
        """The next bytes, as a view."""
        start = self.position
        if size < 0 or start + size > self.end:
            raise _WalkError(f"{size:,} bytes are said to follow, and do not")
        self.position = start + size
        return self.view[start : start + size]

    def number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def line(self) -> bytes:
        found = self.long_line()
        if len(found) > MAX_TEXT:
            raise _WalkError("a line that is too long")
        return bytes(found)

    def long_line(self) -> memoryview:
        start = self.position
        found = self.raw.find(b"\n", start, self.end)
        if found < 0:
            raise _WalkError("a line that does not end")
        self.position = found + 1
        return self.view[start:found]

    def text(self, content: memoryview, encoding: str) -> None:
        """A text, if it is short; what is long is no name and no key."""
        if len(content) > MAX_TEXT:
            self.stack.append(OPAQUE)
            return
        self.budget.text -= len(content)
        if self.budget.text < 0:
            raise _WalkError("more text than is followed")
        errors = "surrogatepass" if encoding == "utf-8" else "strict"
        self.stack.append(str(content, encoding, errors))

    # Stack and memo

    def pop(self) -> Any:
        if not self.stack:
            raise _WalkError("the stack is empty")
        return self.stack.pop()

    def top(self) -> Any:
        if not self.stack:
            raise _WalkError("the stack is empty")
        return self.stack[-1]

    def pop_mark(self) -> list[Any]:
        if not self.marked:
            raise _WalkError("there is no mark")
        items = self.stack
        self.stack = self.marked.pop()
        return items

    def spend(self, objects: int = 1) -> None:
        self.budget.objects -= objects
        if self.budget.objects < 0:
            raise _WalkError("more objects than are followed")

    def remember(self, key: int) -> None:
        if not 0 <= key <= MAX_MEMO_KEY:
            raise _WalkError(f"a memo of {key:,} places")
        self.memo[key] = self.top()

    def recall(self, key: int) -> None:
        if key not in self.memo:
            raise _WalkError(f"nothing is in the memo at {key:,}")
        self.stack.append(self.memo[key])

    # Names

    def look_up(self, module: str, name: str) -> Global:
        """Note an import, by the name that Python 3 gives it."""
        if self.protocol < 3:
            if (module, name) in NAME_MAPPING:
                module, name = NAME_MAPPING[(module, name)]
            else:
                module = IMPORT_MAPPING.get(module, module)
        return self.noted(Global(module, name))

    def noted(self, found: Global) -> Global:
        self.spend()
        full = found.full
        if len(full) > 1000:
            raise _WalkError("a name of more than 1,000 characters")
        if len(self.seen.imports) >= MAX_IMPORTS:
            raise _WalkError("more imports than are followed")
        self.seen.imports[full] = None
        parts = [*found.module.split("."), *found.name.split(".")]
        if not all(part.isidentifier() for part in parts):
            self.seen.danger("imports a name that is none", repr(full))
        return found

    def call(self, function: Any, args: Any) -> Any:
        """What stands for the result of a call."""
        self.spend()
        self.seen.is_active = True
        if isinstance(function, Global):
            name = function.full
            if name == "builtins.getattr":
                return self.attribute(args)
            if name in MODULE_FINDERS or name in TYPE_FINDERS:
                return self.named_by_text(name, args)
            if name in CODE:
                code, is_whole = code_digest(args)
                self.seen.code[code] = None
                if not is_whole:
                    self.seen.danger("code that cannot be told from other code", code)
            given = given_back(name, args)
            if given is not MISSING:
                return given
        else:
            self.seen.danger("calls what is only known when it is loaded", said(function))
        return Call(function, args)

    def attribute(self, args: Any) -> Any:
        """`getattr(…)`: an import of its own if both the object and the name are known."""
        if type(args) is tuple and len(args) >= 2 and type(args[1]) is str:
            whose, name = args[0], args[1]
            if isinstance(whose, Call) and isinstance(whose.function, Global):
                # The class of the object, if it is made by its class.
                whose = class_of(whose)
            if isinstance(whose, Global):
                path = f"{whose.name}.{name}" if whose.name else name
                return self.noted(Global(whose.module, path))
        self.seen.danger("looks up an attribute that is only known when it is loaded")
        return OPAQUE

    def named_by_text(self, function: str, args: Any) -> Any:
        """A module or a type that a function looks up by a text: an import of its own."""
        if type(args) is tuple and args and type(args[0]) is str:
            if function in TYPE_FINDERS:
                return self.noted(Global("types", args[0]))
            module = args[0]
            self.spend()
            self.seen.imports[module[:1000]] = None
            if not all(part.isidentifier() for part in module.split(".")):
                self.seen.danger("imports a name that is none", repr(module[:1000]))
            return Global(module, "")
        self.seen.danger("imports a name that is only known when it is loaded", function)
        return OPAQUE

    # Opcodes

    def protocol_(self) -> None:
        self.protocol = self.number(1)
        if self.protocol > 5:
            raise _WalkError(f"protocol {self.protocol}")

    def frame(self) -> None:
        size = self.number(8)
        if self.position + size > self.end:
            raise _WalkError(f"a frame of {size:,} bytes, which are not there")

    def stop(self) -> None:
        self.seen.root = self.pop()
        self.is_done = True

    def mark(self) -> None:
        if len(self.marked) >= MAX_MARKS:
            raise _WalkError("nested too deeply")
        self.marked.append(self.stack)
        self.stack = []

    def discard(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def none(self) -> None:
        self.stack.append(None)

    def true(self) -> None:
        self.stack.append(True)

    def false(self) -> None:
        self.stack.append(False)

    def int_1(self) -> None:
        if self.position >= self.end:
            raise _WalkError("it ends before the pickle does")
        self.stack.append(self.view[self.position])
        self.position += 1

    def int_2(self) -> None:
        self.stack.append(self.number(2))

    def int_4(self) -> None:
        self.stack.append(self.number(4, signed=True))

    def int_text(self) -> None:
        text = self.line()
        if text in (b"00", b"01"):
            self.stack.append(text == b"01")
        else:
            self.stack.append(int(text, 0) if len(text) < 64 else OPAQUE)

    def long_text(self) -> None:
        text = self.line().removesuffix(b"L")
        self.stack.append(int(text, 0) if len(text) < 64 else OPAQUE)

    def long_1(self) -> None:
        self.long(self.number(1))

    def long_4(self) -> None:
        self.long(self.number(4, signed=True))

    def long(self, size: int) -> None:
        content = self.take(size)
        few = size <= 32
        self.stack.append(int.from_bytes(content, "little", signed=True) if few else OPAQUE)

    def float_text(self) -> None:
        self.stack.append(float(self.line()))

    def float_8(self) -> None:
        self.stack.append(struct.unpack(">d", self.take(8))[0])

    def string_text(self) -> None:
        text = self.long_line()
        if len(text) < 2 or text[0] != text[-1] or text[0] not in b"\"'":
            raise _WalkError("a text without its quotes")
        if len(text) > MAX_TEXT:
            self.stack.append(OPAQUE)
            return
        content: bytes = codecs.escape_decode(bytes(text[1:-1]))[0]
        self.text(memoryview(content), "latin-1")

    def string_1(self) -> None:
        self.string(self.number(1))

    def string_4(self) -> None:
        self.string(self.number(4, signed=True))

    def string(self, size: int) -> None:
        content = self.take(size)
        if size <= MAX_TEXT:
            self.text(content, "latin-1")
        else:
            self.stack.append(content)

    def unicode_text(self) -> None:
        self.text(self.long_line(), "raw-unicode-escape")

    def unicode_1(self) -> None:
        # Most values of a large pickle are short texts, so this one does without calls.
        start = self.position + 1
        end = start + self.view[start - 1]
        if end > self.end:
            raise _WalkError("it ends before the pickle does")
        self.position = end
        self.budget.text -= end - start
        if self.budget.text < 0:
            raise _WalkError("more text than is followed")
        self.stack.append(str(self.view[start:end], "utf-8", "surrogatepass"))

    def unicode_4(self) -> None:
        self.text(self.take(self.number(4)), "utf-8")

    def unicode_8(self) -> None:
        self.text(self.take(self.number(8)), "utf-8")

    def bytes_1(self) -> None:
        self.bytes_(self.number(1))

    def bytes_4(self) -> None:
        self.bytes_(self.number(4))

    def bytes_8(self) -> None:
        self.bytes_(self.number(8))

    def bytes_(self, size: int) -> None:
        start = self.position
        content = self.take(size)
        if size > 3 and content[0] == 0x80 and content[1] <= 5:
            if len(self.seen.inner) >= MAX_INNER:
                raise _WalkError("more pickles inside than are followed")
            self.seen.inner.append((start, start + size))
        self.stack.append(content)

    def outside(self) -> None:
        raise _WalkError("it needs bytes that are not in the file")

    def tuple_0(self) -> None:
        self.stack.append(())

    def tuple_1(self) -> None:
        self.spend()
        self.stack.append((self.pop(),))

    def tuple_2(self) -> None:
        self.spend()
        second, first = self.pop(), self.pop()
        self.stack.append((first, second))

    def tuple_3(self) -> None:
        self.spend()
        third, second, first = self.pop(), self.pop(), self.pop()
        self.stack.append((first, second, third))

    def tuple_(self) -> None:
        self.spend()
        items = self.pop_mark()
        self.stack.append(tuple(items))

    def list_0(self) -> None:
        self.spend()
        self.stack.append([])

    def list_(self) -> None:
        self.spend()
        items = self.pop_mark()
        self.stack.append(items)

    def dict_0(self) -> None:
        self.spend()
        self.stack.append(Pairs([]))

    def dict_(self) -> None:
        self.spend()
        items = self.pop_mark()
        if len(items) % 2:
            raise _WalkError("a key without a value")
        self.stack.append(Pairs(items))

    def append(self) -> None:
        item = self.pop()
        self.extend([item])

    def appends(self) -> None:
        self.extend(self.pop_mark())

    def extend(self, items: list[Any]) -> None:
        target = self.top()
        if type(target) is list:
            target.extend(items)
        elif isinstance(target, Call):
            self.put_into(target, items)
        else:
            self.changed(target, "list")

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.update([key, value])

    def set_items(self) -> None:
        items = self.pop_mark()
        if len(items) % 2:
            raise _WalkError("a key without a value")
        self.update(items)

    def update(self, flat: list[Any]) -> None:
        target = self.top()
        if isinstance(target, Pairs):
            target.flat.extend(flat)
        elif isinstance(target, Call):
            self.put_into(target, flat)
        else:
            self.changed(target, "dictionary")

    def put_into(self, target: Call, items: list[Any]) -> None:
        if target.items is None:
            target.items = items
        else:
            target.items.extend(items)

    def changed(self, target: Any, what: str) -> None:
        """Something else than a new object is changed."""
        if isinstance(target, Global):
            self.seen.danger("changes what it imports", target.full)
        elif isinstance(target, Persistent) or target is OPAQUE:
            self.seen.danger("changes an object that is only known when it is loaded")
        else:
            raise _WalkError(f"no {what} to put anything into")

    def frozen_set(self) -> None:
        self.tuple_()

    def global_(self) -> None:
        module = self.line().decode("utf-8")
        name = self.line().decode("utf-8")
        self.stack.append(self.look_up(module, name))

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        if self.is_second and name == "dtype":
            # An array of objects is a pickle in a pickle for joblib. To pickle it is the same one,
            # so the memo gives something else than `numpy` here, for every such array. What
            # follows counts all the same.
            self.stack.append(Global("numpy", "dtype"))
            return
        if type(name) is str and type(module) is str:
            self.stack.append(self.look_up(module, name))
            return
        known = ".".join(part if type(part) is str else "?" for part in (module, name))
        self.seen.danger("imports a name that is only known when it is loaded", known)
        self.stack.append(OPAQUE)

    def extension(self, size: int) -> None:
        code = self.number(size, signed=size == 4)
        self.seen.danger("imports by a number of the extension registry", f"{code}")
        self.stack.append(OPAQUE)

    def extension_1(self) -> None:
        self.extension(1)

    def extension_2(self) -> None:
        self.extension(2)

    def extension_4(self) -> None:
        self.extension(4)

    def reduce(self) -> None:
        args, function = self.pop(), self.pop()
        self.stack.append(self.call(function, args))

    def new_object(self) -> None:
        args, cls = self.pop(), self.pop()
        self.stack.append(self.call(cls, args))

    def new_object_ex(self) -> None:
        named, args, cls = self.pop(), self.pop(), self.pop()
        del named  # names of arguments say nothing more than the class does
        self.stack.append(self.call(cls, args))

    def instance(self) -> None:
        module = self.line().decode("ascii")
        name = self.line().decode("ascii")
        cls = self.look_up(module, name)  # before the mark is looked for, as pickle does
        args = self.pop_mark()
        self.stack.append(self.call(cls, tuple(args)))

    def object_(self) -> None:
        args = self.pop_mark()
        if not args:
            raise _WalkError("a call of nothing")
        self.stack.append(self.call(args[0], tuple(args[1:])))

    def build(self) -> None:
        state = self.pop()
        target = self.top()
        self.seen.is_active = True
        if isinstance(target, Global):
            self.seen.danger("sets attributes of what it imports", target.full)
        elif isinstance(target, Call):
            self.build_call(target, state)
        elif isinstance(target, Persistent) or target is OPAQUE:
            self.seen.danger("changes an object that is only known when it is loaded")
        else:
            raise _WalkError("no object to set attributes of")

    def build_call(self, target: Call, state: Any) -> None:
        whose = class_of(target)
        name = whose.full if isinstance(whose, Global) else ""
        if name == _WRAPPER:
            if target.state is not MISSING:
                raise _WalkError("an array that is read twice")
            target.state = state
            if self.joblib:
                self.stack[-1] = self.block(target)
            return
        if name in _OLD_WRAPPERS:
            self.seen.danger("an array in another file, as joblib before 0.10 wrote it", name)
        target.state = state

    def block(self, wrapper: Call) -> Any:
        """The array that joblib wrote behind its wrapper."""
        self.seen.blocks += 1
        state = attributes(wrapper)
        dtype, shape = dtype_of(state.get("dtype")), state.get("shape")
        count = items_in(shape)
        if dtype is None or count is None or type(shape) is not tuple:
            raise _WalkError("an array of unknown type or shape")
        if dtype.has_objects:
            inner = walk(self.source, self.budget, start=self.position)
            self.seen.imports.update(inner.imports)
            self.seen.dangers.update(inner.dangers)
            self.seen.code.update(inner.code)
            self.seen.inner.extend(inner.inner)
            if inner.problem is not None:
                raise _WalkError(f"an array of objects: {inner.problem}")
            self.position = inner.end
            return inner.root
        alignment = state.get("numpy_array_alignment_bytes")
        if alignment is not None:
            padding = self.number(1)
            content = self.take(padding)
            if not 0 < padding <= _ALIGNMENT or bytes(content) != b"\xff" * padding:
                raise _WalkError("an array that does not begin as joblib writes it")
        raw = self.take(count * dtype.item_bytes)
        return Block(dtype=dtype, shape=shape, is_fortran=state.get("order") == "F", raw=raw)

    def persistent_text(self) -> None:
        self.persist(self.line().decode("ascii"))

    def persistent_stack(self) -> None:
        self.persist(self.pop())

    def persist(self, id_: Any) -> None:
        self.spend()
        if not self.has_persistent:
            self.seen.danger("an object outside of the file, by a persistent id")
        value = Persistent(id_)
        self.seen.persistent.append(value)
        is_class = self.has_persistent and type(id_) is tuple and len(id_) == 4
        if is_class and id_[0] == "module" and isinstance(id_[1], Global):
            self.stack.append(id_[1])  # PyTorch before 1.6 wrote a class with its source code
        else:
            self.stack.append(value)

    def duplicate(self) -> None:
        self.stack.append(self.top())

    def pop_mark_(self) -> None:
        self.pop_mark()

    def put_text(self) -> None:
        self.remember(int(self.line()))

    def put_1(self) -> None:
        self.remember(self.number(1))

    def put_4(self) -> None:
        self.remember(self.number(4))

    def memoize(self) -> None:
        stack, memo = self.stack, self.memo
        if not stack:
            raise _WalkError("the stack is empty")
        memo[len(memo)] = stack[-1]

    def get_text(self) -> None:
        self.recall(int(self.line()))

    def get_1(self) -> None:
        at = self.position
        if at >= self.end:
            raise _WalkError("it ends before the pickle does")
        self.position = at + 1
        self.recall(self.view[at])

    def get_4(self) -> None:
        self.recall(self.number(4))


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
