"""Regularizers: a penalty's formula for one entry of a tensor, or for the whole of it; SymPy takes its derivative.

They stand in a network's `regularizers` (on all its weights), or on one layer: `weight_regularizer`,
`bias_regularizer`, `activity_regularizer`. A penalty on a layer's output is divided by the number of samples of the
batch, as Keras does. Strengths are run-time numbers, or schedules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import DeclarationError, ShapeError
from ..language.functions import Sum, absolute
from ..language.tensor import Tensor
from ..records import Equation
from .penalties import Penalized, PenaltyParts, penalized, penalty_parts, strengths
from .schedule import as_schedule, first_value

if TYPE_CHECKING:
    from sympy import Expr

__all__ = [
    "L1",
    "L2",
    "REGULARIZERS",
    "STRENGTHS",
    "ElasticNet",
    "Orthogonal",
    "Penalized",
    "Penalty",
    "PenaltyParts",
    "Regularizer",
    "check_regularizer",
    "check_strength",
    "penalized",
    "penalty_parts",
    "strengths",
]

STRENGTHS = {"lam": "lam", "l1": "lam1", "l2": "lam"}
"""A regularizer's fields that are strengths, and their names in formulas."""


class Regularizer:
    """A penalty: every strength times its formula, summed over the tensors it stands on.

    Strengths are the fields named in `STRENGTHS`; `over_n` divides by the samples of the batch, `biases` extends a
    network's own to biases.
    """

    __slots__ = ()
    over_n: Any = False
    biases: Any = False
    name: ClassVar[str] = "lam"

    def formulas(self, theta: Tensor, tag: str) -> tuple[tuple[Equation, ...], tuple[Expr, ...]]:
        """Equations to compute first, and for each strength the penalty of one tensor."""
        raise NotImplementedError

    @property
    def strengths(self) -> tuple[tuple[str, Any], ...]:
        """(name in formulas, number or schedule) of each strength."""
        return tuple(
            (self.name if f == "lam" else STRENGTHS[f], check_strength(getattr(self, f), f)) for f in _numbers(self)
        )

    @property
    def key(self) -> str | None:
        """Text that is equal where the generated code is; None where a user's formula is part of it."""
        if any(callable(getattr(self, f.name)) for f in fields(self) if f.name not in STRENGTHS):  # type: ignore[arg-type]
            return None
        kept = [(f.name, getattr(self, f.name)) for f in fields(self) if f.name not in STRENGTHS]  # type: ignore[arg-type]
        return f"{type(self).__name__}{kept}"


def _numbers(regularizer: Regularizer) -> list[str]:
    return [f.name for f in fields(regularizer) if f.name in STRENGTHS]  # type: ignore[arg-type]


def _over_entries(formula: Any, theta: Tensor) -> Expr:
    from ..language.nodes import Index, sympify_number

    letters = "jkmpqrs" if theta.kind in ("parameter", "state") else "njkmpqrs"
    indices = tuple(Index(c, d) for c, d in zip(letters, theta.dims, strict=False))
    body = sympify_number(formula(theta[indices]))
    return Sum(body, *indices) if indices else body


@dataclass(frozen=True, slots=True)
class L2(Regularizer):
    """lam/2 * sum of squares of the weights.

    `half=False` drops the 1/2, `over_n=True` divides by the number of samples of the batch (lecture 2's form),
    `biases=True` penalizes biases too.
    """

    lam: Any
    half: bool = True
    over_n: bool = False
    biases: bool = False

    def entry(self, w: Any) -> Any:
        """The penalty of one entry."""
        return w**2 / 2 if self.half else w**2

    def formulas(self, theta: Tensor, tag: str) -> tuple[tuple[Equation, ...], tuple[Expr, ...]]:
        """The sum over all entries."""
        return (), (_over_entries(self.entry, theta),)


@dataclass(frozen=True, slots=True)
class L1(Regularizer):
    """lam * sum of absolute values of the weights; its subgradient at 0 is 0."""

    lam: Any
    over_n: bool = False
    biases: bool = False
    name: ClassVar[str] = "lam1"

    def entry(self, w: Any) -> Any:
        """The penalty of one entry."""
        return absolute(w)

    def formulas(self, theta: Tensor, tag: str) -> tuple[tuple[Equation, ...], tuple[Expr, ...]]:
        """The sum over all entries."""
        return (), (_over_entries(self.entry, theta),)


@dataclass(frozen=True, slots=True)
class ElasticNet(Regularizer):
    """l1 * sum of absolute values + l2/2 * sum of squares (`half=False`: l2 * sum of squares)."""

    l1: Any
    l2: Any
    half: bool = True
    over_n: bool = False
    biases: bool = False

    def formulas(self, theta: Tensor, tag: str) -> tuple[tuple[Equation, ...], tuple[Expr, ...]]:
        """Both sums over all entries."""
        square = (lambda w: w**2 / 2) if self.half else (lambda w: w**2)
        return (), (_over_entries(absolute, theta), _over_entries(square, theta))


@dataclass(frozen=True, slots=True)
class Orthogonal(Regularizer):
    """lam * |W W^T - 1|^2, the sum of squares: rows of W become orthonormal (`rows=False`: columns, W^T W)."""

    lam: Any
    rows: bool = True
    over_n: bool = False

    def formulas(self, theta: Tensor, tag: str) -> tuple[tuple[Equation, ...], tuple[Expr, ...]]:
        """The products of all rows, less 1 of each with itself, then their squares."""
        from ..language.brackets import At
        from ..language.nodes import Index
        from .equation import equation

        if len(theta.dims) != 2 or theta.dims[0].size is None:
            raise ShapeError(f"Orthogonal takes a matrix; {theta.name} is {theta.shape_text}")
        d, other = theta.dims if self.rows else theta.dims[::-1]
        i, j, k = Index("i", d), Index("j", d), Index("k", other)
        one, two = ((i, k), (j, k)) if self.rows else ((k, i), (k, j))
        gram = Tensor(f"gram_{theta.name}{tag}", (d, d))
        made = equation(gram[i, j], Sum(theta[one] * theta[two], k) - At(i, j))
        return (made,), (Sum(gram[i, j] ** 2, i, j),)


@dataclass(frozen=True, slots=True)
class Penalty(Regularizer):
    """lam times a penalty of your own.

    `entry` is a function of one entry, summed over all of them; `tensor`, in its place, a function of the tensor that
    gives one number, such as `lambda W: sb.Sum(W[j, k]**4, j, k)`.
    """

    entry: Any = None
    lam: Any = 1.0
    tensor: Any = None
    over_n: bool = False
    biases: bool = False

    def formulas(self, theta: Tensor, tag: str) -> tuple[tuple[Equation, ...], tuple[Expr, ...]]:
        """The user's expression, as one number."""
        from ..language.indices import free_indices
        from ..language.nodes import sympify_number
        from .activations import apply_function

        if self.tensor is None:
            return (), (_over_entries(lambda w: apply_function(self.entry, (w,), ("w",), "penalty"), theta),)
        value = sympify_number(self.tensor(theta))
        left = free_indices(value)
        if left:
            names = ", ".join(i.name for i in left)
            raise DeclarationError(f"the penalty on {theta.name} is {value}; it is one number: sum over {names}")
        return (), (value,)


REGULARIZERS: dict[str, type[Regularizer]] = {
    "l1": L1,
    "l2": L2,
    "elastic_net": ElasticNet,
    "orthogonal": Orthogonal,
    "penalty": Penalty,
}


def check_strength(value: object, what: str) -> Any:
    """`value` as a finite number >= 0, or as a schedule that starts with one, else a `DeclarationError`."""
    schedule = as_schedule(value)
    if schedule is not None:
        if first_value(schedule, what) < 0:
            raise DeclarationError(f"{what} must not be negative; the schedule starts at {first_value(schedule, what)}")
        return schedule
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value < 0:
        raise DeclarationError(f"{what} must be a finite number >= 0; got {value!r}")
    return float(value)


def check_regularizer(value: object, what: str) -> None:
    """Raise `DeclarationError` unless `value` is a regularizer with usable numbers, or None."""
    if value is None:
        return
    if not isinstance(value, Regularizer):
        raise DeclarationError(
            f"{what}: a regularizer is sb.L1, sb.L2, or one of sb.regularizers (ElasticNet, "
            "Orthogonal, Penalty); "
            f"got {type(value).__name__} {value!r}"
        )
    for name in _numbers(value):
        check_strength(getattr(value, name), f"{type(value).__name__}'s {name}")
    if isinstance(value, Penalty) and (value.entry is None) == (value.tensor is None):
        raise DeclarationError("Penalty takes a function of an entry, or tensor= a function of a tensor; one of them")
