"""What a pickle looks up and calls: the imports of loading."""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING  # tables, which pickle itself reads
from typing import Any

from assent.measure.models.inert.calls import (
    CODE,
    MODULE_FINDERS,
    TYPE_FINDERS,
    class_of,
    code_digest,
    given_back,
    said,
)
from assent.measure.models.inert.machine import Machine, WalkError
from assent.measure.models.inert.seen import MAX_IMPORTS
from assent.measure.models.inert.values import (
    MISSING,
    OPAQUE,
    Call,
    Global,
)


class Lookups(Machine):
    """Notes every name that loading would look up, and what is called."""

    def look_up(self, module: str, name: str) -> Global:
        """Note an import, by the name that Python 3 gives it."""
        if self.protocol < 3:
            if (module, name) in NAME_MAPPING:
                module, name = NAME_MAPPING[(module, name)]
            else:
                module = IMPORT_MAPPING.get(module, module)
        return self.noted(Global(module, name))

    def noted(self, imported: Global) -> Global:
        """Note an import."""
        self.spend()
        full = imported.full
        if len(full) > 1000:
            raise WalkError("a name of more than 1,000 characters")
        if len(self.seen.imports) >= MAX_IMPORTS:
            raise WalkError("more imports than are followed")
        self.seen.imports[full] = None
        parts = [*imported.module.split("."), *imported.name.split(".")]
        if not all(part.isidentifier() for part in parts):
            self.seen.danger("imports a name that is none", repr(full))
        return imported

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
