"""Initializers: plain records; `train.initialize` draws the values from counter-based streams."""

from __future__ import annotations

from ..records import Initializer


def constant(value: float = 0.0) -> Initializer:
    """Every entry equal to `value`."""
    return Initializer("constant", (float(value),))


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


def fan_in_uniform() -> Initializer:
    """Uniform on +-1/sqrt(fan_in), PyTorch's default for weights."""
    return Initializer("fan_in_uniform")


def orthogonal(gain: float = 1.0) -> Initializer:
    """A random orthogonal matrix times `gain`."""
    return Initializer("orthogonal", (float(gain),))
