"""Optimizers: the update of one entry as `next(...)` equations; nothing else is written by hand.

To add one, subclass `Optimizer`: hyper-parameters are class attributes, `update` returns the new values.
List it in `OPTIMIZERS`.
"""

from __future__ import annotations

from typing import Any

from ..errors import DeclarationError, did_you_mean
from ..language.functions import next as next_value
from ..language.functions import sqrt
from .optimizer import Choice, Optimizer, hyper


class SGD(Optimizer):
    """theta - eta g."""

    eta = hyper("eta", 0.01)

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Gradient descent."""
        return {theta: theta - self.eta * g}


class Momentum(Optimizer):
    """`form="torch"`: v = mu v + g, theta - eta v; `form="velocity"`: v = mu v - eta g, theta + v."""

    eta, mu = hyper("eta", 0.01), hyper("mu", 0.9)
    form = Choice("torch", "velocity")

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Heavy-ball momentum."""
        v = self.state("v", like=theta)
        if self.form == "velocity":
            return {v: self.mu * v - self.eta * g, theta: theta + next_value(v)}
        return {v: self.mu * v + g, theta: theta - self.eta * next_value(v)}


class Nesterov(Optimizer):
    """Nesterov's momentum, the gradient taken at the look-ahead point, which is what is stored as theta.

    With phi = theta + mu v the lecture's v = mu v - eta dL/d(theta + mu v), theta + v becomes a step at hand,
    phi + mu next(v) - eta g (`form="velocity"`); `form="torch"` has v = mu v + g, theta - eta (g + mu next(v)).
    """

    eta, mu = hyper("eta", 0.01), hyper("mu", 0.9)
    form = Choice("torch", "velocity")

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Nesterov's momentum."""
        v = self.state("v", like=theta)
        if self.form == "velocity":
            return {v: self.mu * v - self.eta * g, theta: theta + self.mu * next_value(v) - self.eta * g}
        return {v: self.mu * v + g, theta: theta - self.eta * (g + self.mu * next_value(v))}


class Adagrad(Optimizer):
    """s + g^2, theta - eta g/(sqrt(s) + eps)."""

    eta, eps = hyper("eta", 0.01), hyper("eps", 1e-10)

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Adagrad."""
        s = self.state("s", like=theta)
        return {s: s + g**2, theta: theta - self.eta * g / (sqrt(next_value(s)) + self.eps)}


class RMSProp(Optimizer):
    """rho s + (1 - rho) g^2, theta - eta g/(sqrt(s) + eps)."""

    eta, rho, eps = hyper("eta", 0.01), hyper("rho", 0.99), hyper("eps", 1e-8)

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """RMSProp."""
        s = self.state("s", like=theta)
        return {
            s: self.rho * s + (1 - self.rho) * g**2,
            theta: theta - self.eta * g / (sqrt(next_value(s)) + self.eps),
        }


class Adam(Optimizer):
    """Bias-corrected Adam; eps outside the root, added after the correction."""

    eta, beta1, beta2, eps = (
        hyper("eta", 1e-3),
        hyper("beta1", 0.9),
        hyper("beta2", 0.999),
        hyper("eps", 1e-8),
    )

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Adam."""
        m, v = self.state("m", like=theta), self.state("v", like=theta)
        m_hat = next_value(m) / (1 - self.beta1**self.t)
        v_hat = next_value(v) / (1 - self.beta2**self.t)
        return {
            m: self.beta1 * m + (1 - self.beta1) * g,
            v: self.beta2 * v + (1 - self.beta2) * g**2,
            theta: theta - self.eta * m_hat / (sqrt(v_hat) + self.eps),
        }


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSProp,
    "adam": Adam,
}


def as_optimizer(optimizer: Any) -> Optimizer:
    """An optimizer from itself, its class, its name, or None (SGD)."""
    if optimizer is None:
        return SGD()
    if isinstance(optimizer, str):
        if optimizer.lower() not in OPTIMIZERS:
            raise DeclarationError(f"unknown optimizer {optimizer!r}.{did_you_mean(optimizer, OPTIMIZERS)}")
        return OPTIMIZERS[optimizer.lower()]()
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        return optimizer()
    if isinstance(optimizer, Optimizer):
        return optimizer
    raise DeclarationError(f"an optimizer is a name or an sb.Optimizer; got {type(optimizer).__name__} {optimizer!r}")
