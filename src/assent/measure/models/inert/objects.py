"""The opcodes that make objects: imports, calls, state, and the arrays that joblib wrote."""

from __future__ import annotations

from typing import Any, Final

from assent.measure.models.inert.arrays import dtype_of, items_in
from assent.measure.models.inert.calls import class_of
from assent.measure.models.inert.literals import Literals
from assent.measure.models.inert.lookups import Lookups
from assent.measure.models.inert.machine import WalkError
from assent.measure.models.inert.seen import Walk
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

_WRAPPER: Final = "joblib.numpy_pickle.NumpyArrayWrapper"
_OLD_WRAPPERS: Final = frozenset(
    f"joblib.{module}.{name}"
    for module in ("numpy_pickle", "numpy_pickle_compat")
    for name in ("NDArrayWrapper", "ZNDArrayWrapper")
)
_ALIGNMENT: Final = 16  # of joblib's arrays


class Objects(Literals, Lookups):
    """What these opcodes do; a subclass follows a pickle that lies inside of this one."""

    def inner(self) -> Walk:
        """Follow the pickle that begins here."""
        raise NotImplementedError

    def append(self) -> None:
        """The opcode APPEND."""
        item = self.pop()
        self.extend([item])

    def appends(self) -> None:
        """The opcodes APPENDS and ADDITEMS."""
        self.extend(self.pop_mark())

    def extend(self, items: list[Any]) -> None:
        """Put items into the list on the stack."""
        target = self.top()
        if type(target) is list:
            target.extend(items)
        elif isinstance(target, Call):
            self.put_into(target, items)
        else:
            self.changed(target, "list")

    def set_item(self) -> None:
        """The opcode SETITEM."""
        value, key = self.pop(), self.pop()
        self.update([key, value])

    def set_items(self) -> None:
        """The opcode SETITEMS."""
        items = self.pop_mark()
        if len(items) % 2:
            raise WalkError("a key without a value")
        self.update(items)

    def update(self, flat: list[Any]) -> None:
        """Put keys and values into the dictionary on the stack."""
        target = self.top()
        if isinstance(target, Pairs):
            target.flat.extend(flat)
        elif isinstance(target, Call):
            self.put_into(target, flat)
        else:
            self.changed(target, "dictionary")

    def put_into(self, target: Call, items: list[Any]) -> None:
        """Put items into an object that a call made."""
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
            raise WalkError(f"no {what} to put anything into")

    def global_(self) -> None:
        """The opcode GLOBAL."""
        module = self.line().decode("utf-8")
        name = self.line().decode("utf-8")
        self.stack.append(self.look_up(module, name))

    def stack_global(self) -> None:
        """The opcode STACK_GLOBAL."""
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
        """An import by a number of so many bytes."""
        code = self.number(size, signed=size == 4)
        self.seen.danger("imports by a number of the extension registry", f"{code}")
        self.stack.append(OPAQUE)

    def extension_1(self) -> None:
        """The opcode EXT1."""
        self.extension(1)

    def extension_2(self) -> None:
        """The opcode EXT2."""
        self.extension(2)

    def extension_4(self) -> None:
        """The opcode EXT4."""
        self.extension(4)

    def reduce(self) -> None:
        """The opcode REDUCE."""
        args, function = self.pop(), self.pop()
        self.stack.append(self.call(function, args))

    def new_object(self) -> None:
        """The opcode NEWOBJ."""
        args, cls = self.pop(), self.pop()
        self.stack.append(self.call(cls, args))

    def new_object_ex(self) -> None:
        """The opcode NEWOBJ_EX."""
        named, args, cls = self.pop(), self.pop(), self.pop()
        del named  # names of arguments say nothing more than the class does
        self.stack.append(self.call(cls, args))

    def instance(self) -> None:
        """The opcode INST."""
        module = self.line().decode("ascii")
        name = self.line().decode("ascii")
        cls = self.look_up(module, name)  # before the mark is looked for, as pickle does
        args = self.pop_mark()
        self.stack.append(self.call(cls, tuple(args)))

    def object_(self) -> None:
        """The opcode OBJ."""
        args = self.pop_mark()
        if not args:
            raise WalkError("a call of nothing")
        self.stack.append(self.call(args[0], tuple(args[1:])))

    def build(self) -> None:
        """The opcode BUILD."""
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
            raise WalkError("no object to set attributes of")

    def build_call(self, target: Call, state: Any) -> None:
        """Set the state of an object that a call made."""
        whose = class_of(target)
        name = whose.full if isinstance(whose, Global) else ""
        if name == _WRAPPER:
            if target.state is not MISSING:
                raise WalkError("an array that is read twice")
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
            raise WalkError("an array of unknown type or shape")
        if dtype.has_objects:
            inner = self.inner()
            self.seen.imports.update(inner.imports)
            self.seen.dangers.update(inner.dangers)
            self.seen.code.update(inner.code)
            self.seen.inner.extend(inner.inner)
            if inner.problem is not None:
                raise WalkError(f"an array of objects: {inner.problem}")
            self.position = inner.end
            return inner.root
        alignment = state.get("numpy_array_alignment_bytes")
        if alignment is not None:
            padding = self.number(1)
            content = self.take(padding)
            if not 0 < padding <= _ALIGNMENT or bytes(content) != b"\xff" * padding:
                raise WalkError("an array that does not begin as joblib writes it")
        raw = self.take(count * dtype.item_bytes)
        return Block(dtype=dtype, shape=shape, is_fortran=state.get("order") == "F", raw=raw)

    def persistent_text(self) -> None:
        """The opcode PERSID."""
        self.persist(self.line().decode("ascii"))

    def persistent_stack(self) -> None:
        """The opcode BINPERSID."""
        self.persist(self.pop())

    def persist(self, id_: Any) -> None:
        """An object outside of the pickle."""
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
