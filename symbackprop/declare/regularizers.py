"""Regularizers: the penalty's formula for one entry of a parameter; SymPy takes its derivative."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError
from ..language.functions import Sum, absolute
from ..language.tensor import Dim, Tensor, hyper_tensor

if TYPE_CHECKING:
    from sympy import Expr


@dataclass(frozen=True, slots=True)
class L2:
    """lam/2 * sum of squares of the weights.

    `half=False` drops the 1/2, `over_n=True` divides by the number of samples of the batch (lecture 2's form),
    `biases=True` penalizes biases too.
    """

    lam: float
    half: bool = True
    over_n: bool = False
    biases: bool = False
    name = "lam"

    def entry(self, w: Any) -> Any:
        """The penalty of one entry."""
        return w**2 / 2 if self.half else w**2


@dataclass(frozen=True, slots=True)
class L1:
    """lam * sum of absolute values of the weights; its subgradient at 0 is 0."""

    lam: float
    over_n: bool = False
    biases: bool = False
    name = "lam1"

    def entry(self, w: Any) -> Any:
        """The penalty of one entry."""
        return absolute(w)


Regularizer = L1 | L2


def check_strength(value: object, what: str) -> float:
    """`value` as a finite number that is not negative, else a `DeclarationError`."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value < 0:
        raise DeclarationError(f"{what} must be a finite number >= 0; got {value!r}")
    return float(value)


def penalty(
    regularizer: Regularizer, parameters: tuple[Tensor, ...], batch: Dim, name: str
) -> tuple[Tensor, Expr | None]:
    """The run-time strength, and the sum of the penalty over all parameters it applies to (None: over none)."""
    from ..language.nodes import Entry, Index, Size

    lam = hyper_tensor(name, check_strength(regularizer.lam, f"{type(regularizer).__name__}'s lam"))
    total: Any = 0
    for theta in parameters:
        if "weight" in theta.traits or regularizer.biases:
            indices = tuple(Index(c, d) for c, d in zip("jkmpqr", theta.dims, strict=False))
            w = theta[indices]
            total = total + Entry(lam) * (Sum(regularizer.entry(w), *indices) if indices else regularizer.entry(w))
    if total == 0:
        return lam, None
    return lam, total / Size(batch) if regularizer.over_n else total
