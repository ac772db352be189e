"""Losses of one entry of prediction and target each: regression, and binary decisions.

To add one, write its formula as a function of one entry each and list it in `LOSSES` (`__init__.py`).
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from ...errors import DeclarationError
from ...language.functions import absolute, cosh, exp, log, maximum, where
from .base import Loss


def mse(prediction: Any, target: Any) -> Any:
    """Squared error."""
    return (prediction - target) ** 2


def half_mse(prediction: Any, target: Any) -> Any:
    """Half the squared error."""
    return (prediction - target) ** 2 / 2


def mae(prediction: Any, target: Any) -> Any:
    """Absolute error; the derivative is 0 where prediction and target are equal."""
    return absolute(prediction - target)


def huber_entry(prediction: Any, target: Any, delta: float) -> Any:
    """d^2/2 where |d| < delta, else delta (|d| - delta/2), of d = prediction - target."""
    far = absolute(prediction - target)
    return where(far < delta, (prediction - target) ** 2 / 2, delta * (far - delta / 2))


def smooth_l1_entry(prediction: Any, target: Any, beta: float) -> Any:
    """d^2/(2 beta) where |d| < beta, else |d| - beta/2, of d = prediction - target."""
    far = absolute(prediction - target)
    return where(far < beta, (prediction - target) ** 2 / (2 * beta), far - beta / 2)


def log_cosh(prediction: Any, target: Any) -> Any:
    """log cosh(prediction - target)."""
    return log(cosh(prediction - target))


def binary_cross_entropy(prediction: Any, target: Any) -> Any:
    """-y log p - (1 - y) log(1 - p); p is a probability, y in [0, 1]. (PyTorch cuts its logarithms at -100.)"""
    return -target * log(prediction) - (1 - target) * log(1 - prediction)


def weighted_binary_entry(prediction: Any, target: Any, pos_weight: float) -> Any:
    """-pos_weight y log p - (1 - y) log(1 - p)."""
    return -pos_weight * target * log(prediction) - (1 - target) * log(1 - prediction)


def binary_focal_entry(prediction: Any, target: Any, gamma: float, alpha: float) -> Any:
    """-alpha (1 - p)^gamma y log p - (1 - alpha) p^gamma (1 - y) log(1 - p)."""
    right = alpha * (1 - prediction) ** gamma * target * log(prediction)
    return -right - (1 - alpha) * prediction**gamma * (1 - target) * log(1 - prediction)


def hinge(prediction: Any, target: Any) -> Any:
    """max(0, 1 - y z) with labels y of -1 and 1; derivative 0 where y z = 1."""
    return maximum(0, 1 - target * prediction)


def squared_hinge(prediction: Any, target: Any) -> Any:
    """max(0, 1 - y z)^2 with labels y of -1 and 1."""
    return maximum(0, 1 - target * prediction) ** 2


def poisson_entry(prediction: Any, target: Any) -> Any:
    """e^z - y z: z is the logarithm of the rate."""
    return exp(prediction) - target * prediction


def poisson_rate_entry(prediction: Any, target: Any, eps: float) -> Any:
    """z - y log(z + eps): z is the rate."""
    return prediction - target * log(prediction + eps)


def huber(delta: float = 1.0, reduction: str = "mean") -> Loss:
    """d^2/2 where |d| < delta, else delta (|d| - delta/2); PyTorch's HuberLoss."""
    return Loss(huber_entry, reduction, options=(("delta", positive(delta, "huber's delta")),))


def smooth_l1(beta: float = 1.0, reduction: str = "mean") -> Loss:
    """d^2/(2 beta) where |d| < beta, else |d| - beta/2; PyTorch's SmoothL1Loss."""
    return Loss(smooth_l1_entry, reduction, options=(("beta", positive(beta, "smooth_l1's beta")),))


def sigmoid_cross_entropy(pos_weight: float = 1.0, reduction: str = "mean") -> Loss:
    """Binary cross-entropy of logits, each label by itself; PyTorch's BCEWithLogitsLoss and MultiLabelSoftMarginLoss.

    `pos_weight` multiplies the term of the labels that are 1.
    """
    options = (("pos_weight", positive(pos_weight, "pos_weight")),)
    if pos_weight == 1:
        return Loss(binary_cross_entropy, reduction, "sigmoid", ("unit",), "threshold:0")
    return Loss(weighted_binary_entry, reduction, "sigmoid", ("unit",), "threshold:0", options)


def binary_focal(gamma: float = 2.0, alpha: float = 0.25, reduction: str = "mean") -> Loss:
    """Focal loss of logits, each label by itself (torchvision's sigmoid_focal_loss, whose default is reduction none).

    For labels between 0 and 1 torchvision mixes p_t = p y + (1 - p)(1 - y); here both terms are weighted by y.
    """
    if not 0 <= alpha <= 1:
        raise DeclarationError(f"binary_focal's alpha must be in [0, 1]; got {alpha!r}")
    options = (("gamma", positive(gamma, "binary_focal's gamma", zero=True)), ("alpha", float(alpha)))
    return Loss(binary_focal_entry, reduction, "sigmoid", ("unit",), "threshold:0", options)


def poisson_nll(log_input: bool = True, eps: float = 1e-8, reduction: str = "mean") -> Loss:
    """Poisson likelihood without the term of the target alone; PyTorch's PoissonNLLLoss with full=False.

    The prediction is the logarithm of the rate, or with `log_input=False` the rate itself.
    """
    if log_input:
        return Loss(poisson_entry, reduction)
    return Loss(poisson_rate_entry, reduction, options=(("eps", positive(eps, "poisson_nll's eps", zero=True)),))


def positive(value: object, what: str, *, zero: bool = False) -> float:
    """`value` as a finite number above 0 (or from 0 on), else a `DeclarationError`."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Real)) or not _good(float(value), zero):
        raise DeclarationError(f"{what} must be a finite number {'>= 0' if zero else '> 0'}; got {value!r}")
    return whole(float(value))


def _good(value: float, zero: bool) -> bool:
    return math.isfinite(value) and (value > 0 or (zero and value == 0))


def whole(value: float) -> float:
    """2 for 2.0, so that a square is printed as one."""
    return int(value) if value == int(value) else value
