"""Losses: forward formulas; SymPy takes their derivatives. To add one, write its formula and list it in `LOSSES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...errors import DeclarationError, did_you_mean
from ...language.tensor import check_traits
from ..activations import check_activation, is_expression
from .base import REDUCTIONS, Loss, SignLoss
from .base import LossParts as LossParts
from .base import Terms as Terms
from .base import sample_weights as sample_weights
from .classification import cross_entropy, focal, kl, multi_hinge, softmax_cross_entropy
from .metric import cosine, cosine_embedding, gaussian_nll, info_nce, triplet
from .pointwise import (
    binary_cross_entropy,
    binary_focal,
    half_mse,
    hinge,
    huber,
    log_cosh,
    mae,
    mse,
    poisson_nll,
    sigmoid_cross_entropy,
    smooth_l1,
    squared_hinge,
)

LOSSES: dict[str, Loss] = {
    "mse": Loss(mse),
    "half_mse": Loss(half_mse),
    "mae": Loss(mae),
    "huber": huber(),
    "smooth_l1": smooth_l1(),
    "log_cosh": Loss(log_cosh),
    "cross_entropy": cross_entropy(),
    "softmax_cross_entropy": softmax_cross_entropy(),
    "binary_cross_entropy": Loss(binary_cross_entropy, "mean", None, ("unit",), "threshold:0.5"),
    "sigmoid_cross_entropy": sigmoid_cross_entropy(),
    "multilabel": sigmoid_cross_entropy(),
    "hinge": SignLoss(hinge, metric="threshold:0"),
    "squared_hinge": SignLoss(squared_hinge, metric="threshold:0"),
    "multi_hinge": multi_hinge(),
    "kl": Loss(kl, "batch_mean", None, ("normalized", "unit"), "argmax"),
    "poisson_nll": poisson_nll(),
    "gaussian_nll": gaussian_nll(),
    "cosine": cosine(),
    "cosine_embedding": cosine_embedding(),
    "focal": focal(),
    "binary_focal": binary_focal(),
    "triplet": triplet(),
    "info_nce": info_nce(),
}
"""Every loss by name, with its default numbers."""

FACTORIES: dict[str, Callable[..., Loss]] = {
    f.__name__: f
    for f in (
        huber,
        smooth_l1,
        cross_entropy,
        softmax_cross_entropy,
        sigmoid_cross_entropy,
        multi_hinge,
        poisson_nll,
        gaussian_nll,
        cosine,
        cosine_embedding,
        focal,
        binary_focal,
        triplet,
        info_nce,
    )
}
"""Losses with numbers to choose: calling one makes a `Loss`."""

multilabel = sigmoid_cross_entropy


def as_loss(loss: Any, reduction: str | None) -> Loss:
    """A `Loss` from a name, a function `loss(prediction, target)`, or an expression in those two symbols."""
    made = _named(loss)
    check_traits(list(made.traits))
    if made.squash is not None:
        check_activation(made.squash)
    chosen = reduction or made.reduction
    if chosen not in REDUCTIONS:
        raise DeclarationError(f"unknown reduction {chosen!r}.{did_you_mean(chosen, REDUCTIONS)}")
    return replace(made, reduction=chosen)


def _named(loss: Any) -> Loss:
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise DeclarationError(f"unknown loss {loss!r}.{did_you_mean(loss, LOSSES)}")
        return LOSSES[loss]
    if isinstance(loss, Loss):
        return loss
    if callable(loss) or is_expression(loss):
        if callable(loss) and loss in FACTORIES.values():
            return loss()  # type: ignore[no-any-return]
        for known in LOSSES.values():
            if loss is known.entry:
                return known
        return Loss(loss)
    raise DeclarationError(f"a loss is a name, a function of (prediction, target), or an expression; got {loss!r}")
