"""Kernels of one structure become one function: the layers of a deep network differ in their arrays only."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from sympy import Expr

from ..language.nodes import ArgMax, MaxOver
from ..language.structure import Signature, asked
from ..language.tensor import Tensor
from ..lower.program import Kernel
from .dialect import Dialect
from .kernels import Argument, KernelView, kernel_view

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a kernel's function with the arrays it is given; `panel`: it needs room for packed operands."""

    name: str
    arguments: tuple[Argument, ...]
    panel: bool


@dataclass
class _Function:
    """A function and the kernels that it serves."""

    signature: Signature
    kernels: list[Kernel]
    view: KernelView
    arrays: tuple[Tensor, ...]

    def call(self, signature: Signature, names: Mapping[Tensor, str]) -> Call:
        """The call for a kernel of the same structure."""
        other = dict(zip(self.signature.tensors, signature.tensors, strict=True))
        given = [other[t] for t in self.arrays]
        arguments = (Argument(names[t], a.const, t.shape_text) for t, a in zip(given, self.view.arguments, strict=True))
        return Call(self.view.name, tuple(arguments), self.view.matrices is not None)

    def commented(self) -> KernelView:
        """The view with the numbers of the other kernels' equations."""
        numbers = [sorted({s.source.number for s in k.statements}) for k in self.kernels[1:]]
        also = [f"({', '.join(map(str, n))})" for n in numbers]
        return replace(self.view, comments=(*self.view.comments, *_wrapped("Also for ", also))) if also else self.view


def functions(
    kernels: Iterable[Kernel], names: Mapping[Tensor, str], hypers: Mapping[Tensor, str], dialect: Dialect
) -> tuple[tuple[KernelView, ...], dict[str, Call]]:
    """The different functions, in order, and the call that each kernel (by name) is."""
    arrays = {name: t for t, name in names.items()}
    found: dict[Hashable, _Function] = {}
    calls: dict[str, Call] = {}
    for kernel in kernels:
        signature = _signature(kernel, hypers)
        key = tuple(signature.key)
        if key not in found:
            view = kernel_view(kernel, names, hypers, dialect)
            found[key] = _Function(signature, [kernel], view, tuple(arrays[a.name] for a in view.arguments))
        else:
            found[key].kernels.append(kernel)
        calls[kernel.name] = found[key].call(signature, names)
    return tuple(f.commented() for f in found.values()), calls


def _signature(kernel: Kernel, hypers: Mapping[Tensor, str]) -> Signature:
    """All that a kernel's text depends on but the names of its arrays."""
    signature = Signature()
    for s in kernel.statements:
        signature.key += (s.op, len(s.indices), len(s.over), s.lhs in kernel.stored)
        signature.add((s.content, s.lhs, *s.indices, *s.over))
    signature.record((kernel.space, kernel.product, kernel.form))
    if kernel.reduction is not None:
        signature.key.append(asked(_has_maximum, kernel.reduction.source.right))
    signature.key += (tuple((n, hypers[t]) for t, n in signature.tensors.items() if t in hypers),)
    return signature


def _has_maximum(expr: Expr) -> bool:
    return bool(expr.has(MaxOver, ArgMax))


def _wrapped(opening: str, items: Iterable[str]) -> tuple[str, ...]:
    lines = [opening]
    for item in items:
        if len(lines[-1]) + len(item) > WIDTH:
            lines.append("    ")
        lines[-1] += item + " "
    return tuple(line.rstrip() for line in lines)
