"""The lowered program: statements without nested sums, fused into kernels over named buffers."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Abs, Expr, Max, Min, Piecewise, sign

from ..language.nodes import Index
from ..language.tensor import Tensor
from ..records import Derivation, Equation, Update

SELECTIONS = (Abs, Max, Min, Piecewise, sign)  # functions that take a few instructions, no call
MAP, SUM, MAX, ARGMAX = "map", "sum", "max", "argmax"


@dataclass(frozen=True, slots=True)
class Statement:
    """`lhs[indices] = op over `over` of body`; the body has no sums of its own.

    `source` is the equation it serves; a helper tensor (a named sum) has the equation that first needed it.
    """

    lhs: Tensor
    indices: tuple[Index, ...]
    op: str
    over: tuple[Index, ...]
    body: Expr
    source: Equation


@dataclass(frozen=True, slots=True)
class Product:
    """A matrix product read off a sum: C[M, N] = sum over K of left[M, K] * right[K, N].

    Each group of indices is adjacent and in one order wherever it stands, so each operand is a strided matrix.
    """

    left: Tensor
    right: Tensor
    left_indices: tuple[Index, ...]
    right_indices: tuple[Index, ...]
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]
    inner: tuple[Index, ...]
    factor: Expr


@dataclass(frozen=True, slots=True)
class Form:
    """A kernel's loops, outermost first. `flat`: one loop over all entries of the space."""

    name: str
    space: tuple[Index, ...] = ()
    over: tuple[Index, ...] = ()
    flat: bool = False


UNSCHEDULED = Form("")


@dataclass(frozen=True, slots=True)
class Kernel:
    """One loop nest: a reduction (or none), then elementwise statements in the same space.

    `stored` are the tensors that other kernels or the caller read; the others live in registers.
    `product` is set when the reduction is a matrix product; `form` is the schedule's choice.
    """

    name: str
    space: tuple[Index, ...]
    reduction: Statement | None
    maps: tuple[Statement, ...]
    stored: frozenset[Tensor]
    product: Product | None = None
    form: Form = UNSCHEDULED

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All statements in order."""
        return (*((self.reduction,) if self.reduction else ()), *self.maps)


@dataclass(frozen=True, slots=True)
class Program:
    """What is emitted: statements in order, the kernels made of them, and which kernels an entry point runs."""

    derivation: Derivation
    update: Update
    statements: tuple[Statement, ...]
    kernels: tuple[Kernel, ...]
    predict: tuple[Kernel, ...]
    loss: tuple[Kernel, ...]
    gradients: tuple[Kernel, ...]
