"""Optimizers: the update of one entry as `next(...)` equations; nothing else is written by hand.

To add one, subclass `Optimizer`: hyper-parameters are class attributes, `update` returns the new values.
List it in `OPTIMIZERS`.
"""

from __future__ import annotations

from typing import Any

from ..errors import DeclarationError, did_you_mean
from ..language.functions import maximum, minimum, sign, sqrt, where
from ..language.functions import next as next_value
from .optimizer import Choice, Optimizer, hyper
from .schedule import first_value


class SGD(Optimizer):
    """theta - eta g."""

    eta = hyper("eta", 0.01, least=0)

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Gradient descent."""
        return {theta: theta - self.eta * g}


class Momentum(Optimizer):
    """`form="torch"`: v = mu v + g, theta - eta v; `form="velocity"`: v = mu v - eta g, theta + v."""

    eta, mu = hyper("eta", 0.01, least=0), hyper("mu", 0.9, least=0)
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

    eta, mu = hyper("eta", 0.01, least=0), hyper("mu", 0.9, least=0)
    form = Choice("torch", "velocity")

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Nesterov's momentum."""
        v = self.state("v", like=theta)
        if self.form == "velocity":
            return {v: self.mu * v - self.eta * g, theta: theta + self.mu * next_value(v) - self.eta * g}
        return {v: self.mu * v + g, theta: theta - self.eta * (g + self.mu * next_value(v))}


class Adagrad(Optimizer):
    """s + g^2, theta - eta g/(sqrt(s) + eps)."""

    eta, eps = hyper("eta", 0.01, least=0), hyper("eps", 1e-10, least=0)

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Adagrad."""
        s = self.state("s", like=theta)
        return {s: s + g**2, theta: theta - self.eta * g / (sqrt(next_value(s)) + self.eps)}


class Adadelta(Optimizer):
    """s = rho s + (1 - rho) g^2, d = sqrt(u + eps)/sqrt(s + eps) g, theta - eta d, u = rho u + (1 - rho) d^2.

    Both eps stand inside the roots, as in PyTorch.
    """

    eta, rho, eps = hyper("eta", 1.0, least=0), hyper("rho", 0.9, least=0, most=1), hyper("eps", 1e-6, least=0)

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Adadelta."""
        s, u = self.state("s", like=theta), self.state("u", like=theta)
        d = self.let("d", g * sqrt(u + self.eps) / sqrt(next_value(s) + self.eps))
        return {
            s: self.rho * s + (1 - self.rho) * g**2,
            theta: theta - self.eta * d,
            u: self.rho * u + (1 - self.rho) * d**2,
        }


class RMSProp(Optimizer):
    """rho s + (1 - rho) g^2, theta - eta g/(sqrt(s) + eps).

    `form="centered"` has sqrt(s - m^2) instead, with the mean gradient m = rho m + (1 - rho) g.
    """

    eta, rho, eps = hyper("eta", 0.01, least=0), hyper("rho", 0.99, least=0, most=1), hyper("eps", 1e-8, least=0)
    form = Choice("plain", "centered")

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """RMSProp."""
        s = self.state("s", like=theta)
        rules = {s: self.rho * s + (1 - self.rho) * g**2}
        variance = next_value(s)
        if self.form == "centered":
            m = self.state("m", like=theta)
            rules[m] = self.rho * m + (1 - self.rho) * g
            variance = maximum(0, variance - next_value(m) ** 2)  # rounding may make it negative
        return {**rules, theta: theta - self.eta * g / (sqrt(variance) + self.eps)}


class Adam(Optimizer):
    """Bias-corrected Adam; eps outside the root, added after the correction.

    `form="amsgrad"` divides by the largest v so far (before its correction, as PyTorch does).
    """

    eta, beta1, beta2, eps = (
        hyper("eta", 1e-3, least=0),
        hyper("beta1", 0.9, least=0, below=1),
        hyper("beta2", 0.999, least=0, below=1),
        hyper("eps", 1e-8, least=0),
    )
    form = Choice("adam", "amsgrad")

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Adam."""
        return self.adaptive(theta, g, start=theta)

    def adaptive(self, theta: Any, g: Any, start: Any) -> dict[Any, Any]:
        """Adam's step from `start`."""
        m, v = self.state("m", like=theta), self.state("v", like=theta)
        rules = {m: self.beta1 * m + (1 - self.beta1) * g, v: self.beta2 * v + (1 - self.beta2) * g**2}
        spread = next_value(v)
        if self.form == "amsgrad":
            largest = self.state("v_max", like=theta)
            rules[largest] = maximum(largest, next_value(v))
            spread = next_value(largest)
        m_hat = next_value(m) / (1 - self.beta1**self.t)
        v_hat = spread / (1 - self.beta2**self.t)
        return {**rules, theta: start - self.eta * m_hat / (sqrt(v_hat) + self.eps)}


class AdamW(Adam):
    """Adam from theta - eta decay theta on: weight decay that the moments do not see.

    It decays every parameter, biases too, as PyTorch's does; `groups={"b*": {"decay": 0}}` leaves some out.
    """

    decay = hyper("decay", 0.01, least=0)

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """AdamW."""
        return self.adaptive(theta, g, start=theta - self.eta * self.decay * theta)


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, whose mu_t = beta1 (1 - 0.96^(t psi)/2) grows from step to step.

    c is the product of all mu_t so far; the step is theta - eta ((1 - mu_t)/(1 - c) g +
    mu_(t+1)/(1 - c mu_(t+1)) m)/(sqrt(v_hat) + eps).
    """

    eta, beta1, beta2, eps, psi = (
        hyper("eta", 2e-3, least=0),
        hyper("beta1", 0.9, least=0, below=1),
        hyper("beta2", 0.999, least=0, below=1),
        hyper("eps", 1e-8, least=0),
        hyper("psi", 4e-3, least=0),
    )

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """NAdam."""
        m, v, c = self.state("m", like=theta), self.state("v", like=theta), self.state("c", like=theta, init=1.0)
        mu = self.let("mu_now", self.beta1 * (1 - 0.96 ** (self.t * self.psi) / 2))
        ahead = self.let("mu_next", self.beta1 * (1 - 0.96 ** ((self.t + 1) * self.psi) / 2))
        v_hat = next_value(v) / (1 - self.beta2**self.t)
        now = (1 - mu) / (1 - next_value(c)) * g
        then = ahead / (1 - next_value(c) * ahead) * next_value(m)
        return {
            m: self.beta1 * m + (1 - self.beta1) * g,
            v: self.beta2 * v + (1 - self.beta2) * g**2,
            c: c * mu,
            theta: theta - self.eta * (now + then) / (sqrt(v_hat) + self.eps),
        }


class Lion(Optimizer):
    """theta - eta (sign(beta1 m + (1 - beta1) g) + decay theta), m = beta2 m + (1 - beta2) g; sign(0) = 0.

    The decay is decoupled and touches every parameter; `groups={"b*": {"decay": 0}}` leaves some out.
    """

    eta, beta1, beta2, decay = (
        hyper("eta", 1e-4, least=0),
        hyper("beta1", 0.9, least=0, below=1),
        hyper("beta2", 0.99, least=0, below=1),
        hyper("decay", 0.0, least=0),
    )

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Lion."""
        m = self.state("m", like=theta)
        direction = sign(self.beta1 * m + (1 - self.beta1) * g)
        return {
            m: self.beta2 * m + (1 - self.beta2) * g,
            theta: theta - self.eta * (direction + self.decay * theta),
        }


class Rprop(Optimizer):
    """Step sizes s, one an entry, which grow while the gradient keeps its sign: theta - s sign(g).

    s begins at eta, is multiplied by `up` while g and the gradient before have one sign and by `down` when the sign
    changes, and stays within [least, most]. After a change the entry rests for one step (its gradient counts as 0),
    as in PyTorch. Meant for batches of all rows.
    """

    eta, down, up, least, most = (
        hyper("eta", 0.01, least=0),
        hyper("down", 0.5, above=0, below=1),
        hyper("up", 1.2, above=1),
        hyper("least", 1e-6, least=0),
        hyper("most", 50.0, least=0),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        least, most = first_value(self.least), first_value(self.most)
        if least > most:
            raise DeclarationError(f"Rprop: least must not exceed most; got {least:g} and {most:g}")

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """Rprop."""
        before, s = self.state("before", like=theta), self.state("s", like=theta, init=self.eta)
        factor = where(g * before > 0, self.up, where(g * before < 0, self.down, 1))
        rested = self.let("g_rest", where(g * before < 0, 0, g))
        return {
            s: minimum(maximum(s * factor, self.least), self.most),
            before: rested,
            theta: theta - next_value(s) * sign(rested),
        }


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "lion": Lion,
    "rprop": Rprop,
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
