"""Handles: what a layer gives when it is called. Plain records, no SymPy."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

from ..errors import DeclarationError
from ..language.tensor import check_name


class Handle:
    """Stands for a tensor of a network that is being declared; compared by identity.

    `a + b`, `a - b` and `a * b` are entry by entry, of handles of one shape.
    """

    __slots__ = ()

    def __add__(self, other: Any) -> Node:
        from .layers.join import Add

        return Add()(self, _other(self, other, "+"))

    def __sub__(self, other: Any) -> Node:
        from .layers.join import Subtract

        return Subtract()(self, _other(self, other, "-"))

    def __mul__(self, other: Any) -> Node:
        from .layers.join import Multiply

        return Multiply()(self, _other(self, other, "*"))

    __radd__ = __rmul__ = lambda self, other: _other(self, other, "+ or *")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node(Handle):
    """One use of a layer on inputs. `name`, if there is one, is that of its output.

    Raises `DeclarationError` for inputs that are no handles, or not as many as the layer takes.
    """

    layer: Any
    inputs: tuple[Handle, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        if self.name is not None:
            check_name(self.name, "output")
        _check_handles(self.layer, self.inputs)
        takes = getattr(self.layer, "takes", None)
        if takes is not None:
            _check_count(self, *(takes if isinstance(takes, tuple) else (takes, takes)))

    def __repr__(self) -> str:
        inputs = ", ".join(short(i) for i in self.inputs)
        named = f", name={self.name!r}" if self.name else ""
        return f"{brief(self.layer)}({inputs}{named})"


def brief(layer: Any) -> str:
    """A layer as it was written, without the options that are left at their defaults."""
    if not is_dataclass(layer) or isinstance(layer, type):
        return str(getattr(layer, "__qualname__", None) or f"{type(layer).__name__}(...)")
    told = []
    for f in fields(layer):
        value = getattr(layer, f.name)
        if f.default is MISSING or (value is not f.default and value != f.default):
            told.append(f"{f.name}={getattr(value, '__qualname__', None) or repr(value)}")
    return f"{type(layer).__name__}({', '.join(told)})"


def _check_handles(layer: Any, inputs: tuple[Any, ...]) -> None:
    for item in inputs:
        if isinstance(item, (list, tuple)):
            raise DeclarationError(
                f"{brief(layer)} was called with a {type(item).__name__}; pass the handles one by one: layer(a, b)"
            )
        if not isinstance(item, Handle):
            raise DeclarationError(
                f"{brief(layer)} was called with {_told(item)}; a layer is called with handles: x = sb.Input(64), "
                "or what a layer gave when it was called"
            )


def short(handle: Handle) -> str:
    """A handle in few words: an input's name, an output's name, else its layer."""
    return getattr(handle, "name", None) or f"{brief(getattr(handle, 'layer', handle))}(...)"


def _check_count(node: Node, least: int, most: int | None) -> None:
    count = len(node.inputs)
    if count < least or (most is not None and count > most):
        wanted = str(least) if most == least else f"at least {least}" if most is None else f"{least} to {most}"
        given = ", ".join(short(i) for i in node.inputs) or "none"
        raise DeclarationError(f"{brief(node.layer)} takes {wanted} input(s); it was called with {count}: {given}")


def _other(handle: Handle, other: Any, sign: str) -> Handle:
    if not isinstance(other, Handle):
        raise DeclarationError(
            f"{short(handle)} {sign} {_told(other)}: handles are joined with handles of equal shape; for numbers and "
            "formulas write a function of tensors: sb.apply(f, x), where f returns sb.layer(...)"
        )
    return other


def _told(item: Any) -> str:
    from ..language.tensor import Tensor

    if isinstance(item, Tensor):
        return f"the tensor {item.name} {item.shape_text}"
    return f"{type(item).__name__} {item!r}"
