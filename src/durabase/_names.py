"""camelCase and snake_case of one name, and classes that answer to both.

In the runtime wing the snake_case name of a member is the real one. Cloudflare's Python programs
use JavaScript's names, so :func:`js_names` adds them when a class is created. Both names always
mean the same member: whichever of them a subclass defines, the other follows, and
``super().either_name()`` finds what the base class had.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import get_annotations
from typing import Any, TypeVar

__all__ = ["camel_case", "js_names", "snake_case"]

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_JOINT = re.compile(r"(?<=[a-z0-9])_([a-z])")

_Class = TypeVar("_Class", bound=type)


def camel_case(name: str) -> str:
    """``accept_web_socket`` → ``acceptWebSocket``. A name without underscores is given back as it is."""
    return _JOINT.sub(lambda match: match[1].upper(), name)


def snake_case(name: str) -> str:
    """``acceptWebSocket`` → ``accept_web_socket``."""
    return _HUMP.sub(lambda match: "_" + match[1].lower(), name)


def js_names(cls: _Class) -> _Class:
    """Class decorator: every public snake_case member of ``cls`` is also there in camelCase.

    Members are what the class body defines, and attributes that it declares (``binary_type: str``).
    Subclasses need no decorator: overriding a member under either name overrides both.

    Raises:
        TypeError: when a subclass is created whose body defines one member under both names.
    """
    pairs = _pairs_of(cls)
    for snake, camel in pairs.items():
        setattr(cls, camel, vars(cls)[snake])
    for name in get_annotations(cls):
        if name not in vars(cls) and not name.startswith("_") and camel_case(name) != name:
            setattr(cls, camel_case(name), _attribute(name))

    def settle(sub: type) -> None:
        for snake, camel in pairs.items():
            _settle(sub, snake, camel)

    _call_for_subclasses(cls, settle)
    return cls


def _attribute(name: str) -> property:
    def read(self: object) -> object:
        return getattr(self, name)

    def write(self: object, value: object) -> None:
        setattr(self, name, value)

    return property(read, write)


def _call_for_subclasses(cls: type, settle: Callable[[type], object]) -> None:
    """Have ``settle`` called for each subclass when it is created, after what the class itself does then."""
    own: Any = vars(cls).get("__init_subclass__")

    def init_subclass(sub: type, /, **kwargs: Any) -> None:
        parent: Any = super(cls, sub)
        (own.__get__(None, sub) if own else parent.__init_subclass__)(**kwargs)
        settle(sub)

    type.__setattr__(cls, "__init_subclass__", classmethod(init_subclass))


def _pairs_of(cls: type) -> dict[str, str]:
    names = [name for name in vars(cls) if not name.startswith("_")]
    return {name: camel for name in names if (camel := camel_case(name)) != name and camel not in names}


def _settle(cls: type, snake: str, camel: str) -> None:
    """Let both names mean what the most derived class that defines one of them says."""
    own = vars(cls)
    if snake in own and camel in own:
        raise TypeError(f"{cls.__qualname__} defines both {snake} and {camel}; they are one member")
    definer = next(vars(base) for base in cls.__mro__ if snake in vars(base) or camel in vars(base))
    member = definer[snake if snake in definer else camel]
    for name in (snake, camel):
        if _find(cls, name) is not member:
            setattr(cls, name, member)


def _find(cls: type, name: str) -> object:
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
