"""Losses of one class among K: rows of K scores or probabilities, and labels as rows with a 1."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import DeclarationError, ShapeError
from ...language.functions import Sum, exp, log, maximum, where
from ...language.tensor import Tensor
from ...records import Equation, Initializer
from ..equation import equation
from .base import Loss, Terms, check_depends, places, squashed
from .pointwise import positive


def cross_entropy_entry(prediction: Any, target: Any) -> Any:
    """-y log p; rows of p are probabilities, rows of y sum to 1."""
    return -target * log(prediction)


def focal_entry(prediction: Any, target: Any, gamma: float) -> Any:
    """-(1 - p)^gamma y log p, of log p: its slope divides by no p, which may be 0 in floating point."""
    return -((1 - exp(prediction)) ** gamma) * target * prediction


def kl(prediction: Any, target: Any) -> Any:
    """y (log y - z) of log-probabilities z; 0 where y = 0."""
    return target * log(where(target > 0, target, 1)) - target * prediction


@dataclass(frozen=True, slots=True)
class ClassLoss(Loss):
    """A sum over the classes of `entry(probability, label)`, with weights, smoothed and ignored labels."""

    class_weights: tuple[float, ...] = ()
    label_smoothing: float = 0.0
    ignore_index: int | None = None

    def target(self, name: str, predictions: tuple[Tensor, ...]) -> Tensor | None:
        """The target (N, ..., K): one class's row, or all zero for a label that is ignored."""
        z = predictions[0]
        if len(z.dims) < 2:
            raise ShapeError(f"this loss takes one score a class, (N, ..., K); {z.name} is {z.shape_text}")
        if self.class_weights and len(self.class_weights) != z.dims[-1].size:
            raise ShapeError(
                f"{len(self.class_weights)} class weights were given for {z.dims[-1]} classes, the last axis of "
                f"{z.name} {z.shape_text}"
            )
        if self.ignore_index is None:
            return Tensor(name, z.dims, "target", traits=frozenset(self.traits))
        return Tensor(name, z.dims, "target", traits=frozenset({"unit", "classes"}), value=float(self.ignore_index))

    def terms(self, predictions: tuple[Tensor, ...], target: Tensor | None, tag: str) -> Terms:
        """The loss of one label; "mean" divides by the labels' weights where some are weighted or ignored."""
        assert target is not None
        before, p = squashed(self.squash, predictions[0], tag)
        smooth, y = self._smoothed(target, tag)
        at = places(p)
        entry = self.formula(p[at], y[at])
        check_depends(entry, p)
        scale: Any = 1
        if self.class_weights:
            init = Initializer("values", self.class_weights)
            scale = Tensor(f"class_weight{tag}", p.dims[-1:], "state", init)[at[-1]]
        divided = bool(self.class_weights) or self.ignore_index is not None
        divisor = Sum(scale * target[at], *at) if divided else None
        return Terms((*before, *smooth), scale * entry, at[:-1], at[-1:], divisor)

    def _smoothed(self, y: Tensor, tag: str) -> tuple[tuple[Equation, ...], Tensor]:
        """q = (1 - s) y + s/K, of labels that are not ignored."""
        from ...language.nodes import Size

        if not self.label_smoothing:
            return (), y
        at = places(y)
        share: Any = self.label_smoothing / Size(y.dims[-1])
        if self.ignore_index is not None:
            other = at[-1].fresh()
            share = share * Sum(y[(*at[:-1], other)], other)
        known = frozenset({"unit"} if self.ignore_index is not None else {"unit", "normalized"})
        q = Tensor(f"q{tag}", y.dims, traits=known)
        made = equation(q[at], (1 - self.label_smoothing) * y[at] + share)
        return (made,), q


@dataclass(frozen=True, slots=True)
class MultiHinge(Loss):
    """A sum over the wrong classes of max(0, margin - z_right + z_j), divided by K."""

    def terms(self, predictions: tuple[Tensor, ...], target: Tensor | None, tag: str) -> Terms:
        """The score of the right class, then the hinge of every other one."""
        from ...language.nodes import Size

        assert target is not None
        (z,) = predictions
        *lead, j = places(z)
        k = j.fresh()
        right = Tensor(f"right{tag}", z.dims[:-1])
        score = equation(right[tuple(lead)], Sum(target[(*lead, k)] * z[(*lead, k)], k))
        at = (*lead, j)
        body = (1 - target[at]) * self.formula(right[tuple(lead)], z[at]) / Size(z.dims[-1])
        return Terms((score,), body, tuple(lead), (j,))


def hinge_of_classes(right: Any, other: Any, margin: float) -> Any:
    """max(0, margin - z_right + z_other)."""
    return maximum(0, margin - right + other)


def _class_loss(
    entry: Any, squash: str | None, weights: Any, smoothing: float, ignore: int | None, reduction: str, **options: Any
) -> ClassLoss:
    chosen = _class_weights(weights)
    smoothed = positive(smoothing, "label_smoothing", zero=True)
    if smoothed > 1:
        raise DeclarationError(f"label_smoothing must be in [0, 1]; got {smoothing!r}")
    ignored = None if ignore is None else _label(ignore)
    known, numbers = ("normalized", "unit"), tuple(options.items())
    return ClassLoss(entry, reduction, squash, known, "argmax", numbers, chosen, float(smoothed), ignored)


def _class_weights(weights: Any) -> tuple[float, ...]:
    """One number a class, () for none; a dict is refused, for its keys would be taken for the weights."""
    if weights is None:
        return ()
    if isinstance(weights, (str, Mapping)) or not isinstance(weights, Iterable):
        raise DeclarationError(
            f"class_weights are numbers in the order of the classes, as (0.5, 2.0); got {type(weights).__name__} "
            f"{weights!r}"
        )
    return tuple(float(positive(w, "a class weight", zero=True)) for w in weights)


def _label(value: Any) -> int:
    try:
        label = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        label = None
    if label is None:
        raise DeclarationError(f"ignore_index is a whole number, as -100; got {value!r}")
    return label


def cross_entropy(
    class_weights: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "batch_mean",
) -> ClassLoss:
    """-sum over the classes of y log p, of probabilities p (N, ..., K); see `softmax_cross_entropy`."""
    return _class_loss(cross_entropy_entry, None, class_weights, label_smoothing, ignore_index, reduction)


def softmax_cross_entropy(
    class_weights: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "batch_mean",
) -> ClassLoss:
    """-sum over the classes of y log softmax(z), of scores z (N, ..., K); PyTorch's CrossEntropyLoss, classes last.

    It is divided by N (PyTorch: by the number of labels, N T for (N, T, K)). With `class_weights` (K numbers) or an
    `ignore_index` (a label that counts as none; PyTorch's default is -100, here it is off) it is divided by the sum
    of the labels' weights, as PyTorch does for integer labels; a batch with no label left is 0/0, as there.
    `label_smoothing` s takes (1 - s) y + s/K for y. Labels: integers (N, ...), or rows (N, ..., K).
    """
    return _class_loss(cross_entropy_entry, "softmax", class_weights, label_smoothing, ignore_index, reduction)


def focal(
    gamma: float = 2.0, class_weights: Any = None, ignore_index: int | None = None, reduction: str = "batch_mean"
) -> ClassLoss:
    """-sum over the classes of (1 - p)^gamma y log p, of scores z: p = softmax(z). (gamma 0: cross-entropy.)"""
    chosen = positive(gamma, "focal's gamma", zero=True)
    return _class_loss(focal_entry, "log_softmax", class_weights, 0.0, ignore_index, reduction, gamma=chosen)


def multi_hinge(margin: float = 1.0, reduction: str = "batch_mean") -> MultiHinge:
    """Sum over the wrong classes of max(0, margin - z_right + z_j), divided by K; PyTorch's MultiMarginLoss, p=1."""
    options = (("margin", positive(margin, "multi_hinge's margin")),)
    return MultiHinge(hinge_of_classes, reduction, None, ("normalized", "unit"), "argmax", options)
