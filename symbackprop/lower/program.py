"""The lowered program: statements without nested sums, fused into kernels over named buffers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Abs, Expr, Max, Min, Piecewise, sign

from ..language.nodes import Index
from ..language.structure import Form as Unmade
from ..language.tensor import Tensor
from ..records import Derivation, Equation, Late, Update

SELECTIONS = (Abs, Max, Min, Piecewise, sign)  # functions that take a few instructions, no call
MAP, SUM, MAX, ARGMAX = "map", "sum", "max", "argmax"


class Where(Expr):  # type: ignore[misc]
    """A value where all tests (`Inside`) hold, else 0; `args` are (value, test, ...).

    A product with the tests would not do: 0 times an infinite value is no number.
    """

    is_commutative = True
    is_real = True

    def _sympystr(self, printer: Any) -> str:
        value, *tests = map(printer._print, self.args)
        return f"({value} if {' and '.join(tests)} else 0)"


@dataclass(frozen=True)
class Statement:
    """`lhs[indices] = op over `over` of body`; the body has no sums of its own.

    `source` is the equation it serves; a helper tensor (a named sum) has the equation that first needed it.
    """

    lhs: Tensor
    indices: tuple[Index, ...]
    op: str
    over: tuple[Index, ...]
    body: Late[Expr] = Late()
    source: Equation  # type: ignore[misc]  # the body has no default: it only looks like one

    @property
    def content(self) -> Unmade:
        """The body, put together or not."""
        return self.__dict__["_body"]


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
class Gathered:
    """A sum over `inner` of left[rows, inner] * right[columns, inner], for each of `around`.

    Both factors are expressions, evaluated while they are copied side by side for a matrix product.
    """

    left: Expr
    right: Expr
    around: tuple[Index, ...]
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]
    inner: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Scatter:
    """A sum that adds `body` at places read from data: `places` gives an index of the space its value."""

    places: tuple[tuple[Index, Expr], ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Form:
    """A kernel's loops, outermost first. `flat`: one loop over all entries of the space.

    `row` are the loops inside those of the reduction, where it adds to memory; `gathered` and `scatter` say how the
    forms of these names read the reduction.
    """

    name: str
    space: tuple[Index, ...] = ()
    over: tuple[Index, ...] = ()
    flat: bool = False
    row: tuple[Index, ...] = ()
    gathered: Gathered | None = None
    scatter: Scatter | None = None


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
    """What is emitted: statements in order, the kernels made of them, and which kernels an entry point runs.

    `statements` are a training step's, `inference` those of the other mode up to the objective (None: the same).
    `renewed` are the states that a step changes, each with the tensor that holds its new value.
    """

    derivation: Derivation
    update: Update
    statements: tuple[Statement, ...]
    kernels: tuple[Kernel, ...]
    predict: tuple[Kernel, ...]
    loss: tuple[Kernel, ...]
    gradients: tuple[Kernel, ...]
    inference: tuple[Statement, ...] | None = None
    renewed: tuple[tuple[Tensor, Tensor], ...] = ()
