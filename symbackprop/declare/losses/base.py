"""Losses: forward formulas of one entry of prediction and target; SymPy takes their derivatives.

To add one, write its formula as a function of one entry each and list it in `LOSSES` with its default reduction.
`squash` names an activation that turns the prediction (logits) into what the formula takes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError, did_you_mean
from ..language.functions import Sum, absolute, log
from ..language.tensor import Tensor, check_traits
from ..records import Equation
from .activations import activate, apply_function, check_activation, is_expression

if TYPE_CHECKING:
    from sympy import Expr

REDUCTIONS = ("mean", "batch_mean", "sum")


@dataclass(frozen=True, slots=True)
class Loss:
    """`entry(prediction, target)` summed over all entries and divided as `reduction` says.

    `mean` divides by all entries, `batch_mean` by the samples, `sum` by nothing. `traits` are the target's
    ("unit", "normalized"); `metric` is "argmax", "threshold:T" or None.
    """

    entry: Any
    reduction: str = "mean"
    squash: str | None = None
    traits: tuple[str, ...] = ()
    metric: str | None = None


def mse(prediction: Any, target: Any) -> Any:
    """Squared error."""
    return (prediction - target) ** 2


def half_mse(prediction: Any, target: Any) -> Any:
    """Half the squared error."""
    return (prediction - target) ** 2 / 2


def mae(prediction: Any, target: Any) -> Any:
    """Absolute error; the derivative is 0 where prediction and target are equal."""
    return absolute(prediction - target)


def cross_entropy(prediction: Any, target: Any) -> Any:
    """-y log p; rows of p are probabilities, rows of y sum to 1."""
    return -target * log(prediction)


def binary_cross_entropy(prediction: Any, target: Any) -> Any:
    """-y log p - (1 - y) log(1 - p); p is a probability, y in [0, 1]."""
    return -target * log(prediction) - (1 - target) * log(1 - prediction)


LOSSES: dict[str, Loss] = {
    "mse": Loss(mse),
    "half_mse": Loss(half_mse),
    "mae": Loss(mae),
    "cross_entropy": Loss(cross_entropy, "batch_mean", None, ("normalized", "unit"), "argmax"),
    "softmax_cross_entropy": Loss(cross_entropy, "batch_mean", "softmax", ("normalized", "unit"), "argmax"),
    "binary_cross_entropy": Loss(binary_cross_entropy, "mean", None, ("unit",), "threshold:0.5"),
    "sigmoid_cross_entropy": Loss(binary_cross_entropy, "mean", "sigmoid", ("unit",), "threshold:0"),
}


def as_loss(loss: Any, reduction: str | None) -> Loss:
    """A `Loss` from a name, a function `loss(prediction, target)`, or an expression in those two symbols."""
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise DeclarationError(f"unknown loss {loss!r}.{did_you_mean(loss, LOSSES)}")
        made = LOSSES[loss]
    elif isinstance(loss, Loss):
        made = loss
    elif callable(loss) or is_expression(loss):
        made = Loss(loss)
    else:
        raise DeclarationError(f"a loss is a name, a function of (prediction, target), or an expression; got {loss!r}")
    check_traits(made.traits)
    if made.squash is not None:
        check_activation(made.squash)
    chosen = reduction or made.reduction
    if chosen not in REDUCTIONS:
        raise DeclarationError(f"unknown reduction {chosen!r}.{did_you_mean(chosen, REDUCTIONS)}")
    return replace(made, reduction=chosen)


def loss_equations(loss: Loss, prediction: Tensor, target: Tensor) -> tuple[tuple[Equation, ...], Expr]:
    """Equations of the squashed prediction (if any), and the data part of the objective as a scalar expression."""
    from ..language.nodes import Entry, Index, Size

    before: tuple[Equation, ...] = ()
    if loss.squash is not None:
        before = (activate(loss.squash, prediction, "p"),)
        prediction = before[0].lhs
    indices = tuple(Index(c, d) for c, d in zip("njkmpq", prediction.dims, strict=False))
    entry = apply_function(loss.entry, (prediction[indices], target[indices]), ("prediction", "target"), "loss")
    if not any(e.tensor is prediction for e in entry.atoms(Entry)):
        raise DeclarationError(f"the loss {entry} does not depend on the prediction, so there is nothing to learn from")
    total = Sum(entry, *indices)
    if loss.reduction == "sum":
        return before, total
    divisor: Any = 1
    for dim in prediction.dims if loss.reduction == "mean" else prediction.dims[:1]:
        divisor = divisor * Size(dim)
    return before, total / divisor
