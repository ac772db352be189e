"""Metrics: how many entries a network gets right, by the rule that its manifest names."""

from __future__ import annotations

import math

import numpy as np

from ..errors import DeclarationError
from .blocks import Array


def check_metric(metric: str | None) -> None:
    """Raise `DeclarationError` unless `metric` is "argmax", "threshold:T" with a finite T, or None."""
    if metric is not None and metric != "argmax":
        threshold(metric)


def threshold(metric: str) -> float:
    """The T of "threshold:T"."""
    word, colon, number = metric.partition(":")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if word != "threshold" or not colon or not math.isfinite(value):
        raise DeclarationError(f"unknown metric {metric!r}; known: 'argmax', 'threshold:T' with a number T, None")
    return value


def hits(metric: str, prediction: Array, target: Array) -> tuple[int, int]:
    """(right, all) decisions on a batch.

    "argmax": one decision a row of the last axis, the largest entry's place (the first of equal ones) must be
    the target's; a target of zeros, a label that is ignored, asks for none. "threshold:T": one decision an entry,
    `prediction > T` must be `target > 0.5`.
    """
    if metric == "argmax":
        asked = target.any(axis=-1)
        right = (np.argmax(prediction, axis=-1) == np.argmax(target, axis=-1))[asked]
    else:
        right = (prediction > threshold(metric)) == (target > 0.5)
    return int(np.count_nonzero(right)), right.size
