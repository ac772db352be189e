"""Initializers: plain records; `train.initialize` draws the values from counter-based streams.

fan_in is the product of all axes of a weight but the first, fan_out that of all but the second, so that a filter
(out, in, h, w) has fan_in = in h w and fan_out = out h w, as PyTorch counts them.
"""

from __future__ import annotations

from ..records import Initializer


def constant(value: float = 0.0) -> Initializer:
    """Every entry equal to `value`."""
    return Initializer("constant", (float(value),))


def zeros() -> Initializer:
    """Every entry 0."""
    return constant(0.0)


def ones() -> Initializer:
    """Every entry 1."""
    return constant(1.0)


def values(*entries: float) -> Initializer:
    """These numbers, one for every entry in row-major order."""
    return Initializer("values", tuple(map(float, entries)))


def normal(mu: float = 0.0, sigma: float = 0.01) -> Initializer:
    """N(mu, sigma), sigma being the standard deviation."""
    return Initializer("normal", (float(mu), float(sigma)))


def uniform(low: float, high: float) -> Initializer:
    """Uniform on [low, high)."""
    return Initializer("uniform", (float(low), float(high)))


def truncated_normal(mu: float = 0.0, sigma: float = 0.01) -> Initializer:
    """N(mu, sigma) cut at two standard deviations."""
    return Initializer("truncated_normal", (float(mu), float(sigma)))


def glorot_uniform() -> Initializer:
    """Uniform with variance 2/(fan_in + fan_out) (Xavier)."""
    return Initializer("glorot_uniform")


def glorot_normal() -> Initializer:
    """Normal with variance 2/(fan_in + fan_out) (Xavier)."""
    return Initializer("glorot_normal")


def he_uniform() -> Initializer:
    """Uniform with variance 2/fan_in."""
    return Initializer("he_uniform")


def he_normal() -> Initializer:
    """Normal with variance 2/fan_in."""
    return Initializer("he_normal")


def lecun_normal() -> Initializer:
    """Normal with variance 1/fan_in."""
    return Initializer("lecun_normal")


def lecun_uniform() -> Initializer:
    """Uniform with variance 1/fan_in."""
    return Initializer("lecun_uniform")


def fan_in_uniform() -> Initializer:
    """Uniform on +-1/sqrt(fan_in), PyTorch's default for weights."""
    return Initializer("fan_in_uniform")


torch_default = fan_in_uniform


def orthogonal(gain: float = 1.0) -> Initializer:
    """`gain` times a matrix with orthonormal rows (columns, if it has more rows); rows are the first axis."""
    return Initializer("orthogonal", (float(gain),))


xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
