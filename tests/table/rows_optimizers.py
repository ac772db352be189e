"""One row an optimizer and form: steps from given gradients, against formulas transcribed by hand from PyTorch's
documentation (Lion: its paper; momentum's velocity form: lecture 1), in plain NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import symbackprop as sb
from symbackprop.runtime import Run
from symbackprop.train.blocks import aligned, views
from tests.table.harness import WRONG, Measured

Array = Any
States = dict[str, Array]
Step = Callable[[Array, Array, States, int], tuple[Array, States]]
"""theta, gradient, states, number of the step (from 1) -> new theta and states."""
SIZE, STEPS, FIRST = 9, 5, 6


def sgd(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    return theta - 0.07 * g, {}


def momentum(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    v = 0.8 * s["v"] + g
    return theta - 0.07 * v, {"v": v}


def momentum_velocity(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    v = 0.8 * s["v"] - 0.07 * g
    return theta + v, {"v": v}


def nesterov(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    v = 0.8 * s["v"] + g
    return theta - 0.07 * (g + 0.8 * v), {"v": v}


def nesterov_velocity(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    """theta is phi = w + mu v, where the gradient is taken; w = phi - mu v makes the lecture's step."""
    w = theta - 0.8 * s["v"]
    v = 0.8 * s["v"] - 0.07 * g
    return (w + v) + 0.8 * v, {"v": v}


def adagrad(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    total = s["s"] + g * g
    return theta - 0.07 * g / (np.sqrt(total) + 1e-6), {"s": total}


def adadelta(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    square = 0.9 * s["s"] + g * g * (1 - 0.9)
    std = np.sqrt(square + 1e-5)
    delta = np.sqrt(s["u"] + 1e-5) / std * g
    return theta - 0.7 * delta, {"s": square, "u": 0.9 * s["u"] + delta * delta * (1 - 0.9)}


def rmsprop(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    average = 0.9 * s["s"] + 0.1 * g * g
    return theta - 0.07 * g / (np.sqrt(average) + 1e-6), {"s": average}


def rmsprop_centered(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    square, mean = 0.9 * s["s"] + 0.1 * g * g, 0.9 * s["m"] + 0.1 * g
    return theta - 0.07 * g / (np.sqrt(square - mean**2) + 1e-6), {"s": square, "m": mean}


def adam(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    m, v = 0.8 * s["m"] + 0.2 * g, 0.95 * s["v"] + 0.05 * g * g
    correction1, correction2 = 1 - 0.8**t, 1 - 0.95**t
    denominator = np.sqrt(v) / np.sqrt(correction2) + 1e-6
    return theta - 0.07 / correction1 * m / denominator, {"m": m, "v": v}


def amsgrad(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    m, v = 0.8 * s["m"] + 0.2 * g, 0.95 * s["v"] + 0.05 * g * g
    largest = np.maximum(s["v_max"], v)
    denominator = np.sqrt(largest) / np.sqrt(1 - 0.95**t) + 1e-6
    return theta - 0.07 / (1 - 0.8**t) * m / denominator, {"m": m, "v": v, "v_max": largest}


def adamw(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    return adam(theta * (1 - 0.07 * 0.3), g, s, t)


def nadam(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    mu = 0.8 * (1 - 0.5 * 0.96 ** (t * 0.01))
    mu_next = 0.8 * (1 - 0.5 * 0.96 ** ((t + 1) * 0.01))
    product = s["c"] * mu
    m, v = s["m"] + (1 - 0.8) * (g - s["m"]), 0.95 * s["v"] + (1 - 0.95) * g * g
    denominator = np.sqrt(v / (1 - 0.95**t)) + 1e-6
    theta = theta + g * (-0.07 * (1 - mu) / (1 - product)) / denominator
    theta = theta + m * (-0.07 * mu_next / (1 - product * mu_next)) / denominator
    return theta, {"m": m, "v": v, "c": product}


def lion(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    update = np.sign(0.8 * s["m"] + (1 - 0.8) * g)
    return theta - 0.07 * (update + 0.3 * theta), {"m": 0.95 * s["m"] + (1 - 0.95) * g}


def rprop(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    sign = np.sign(g * s["before"])
    factor = np.select([sign > 0, sign < 0], [1.3, 0.4], 1.0)
    size = np.clip(s["s"] * factor, 0.1, 0.6)
    rested = np.where(factor == 0.4, 0.0, g)
    return theta - np.sign(rested) * size, {"before": rested, "s": size}


@dataclass(frozen=True)
class StepRow:
    """Some steps of an optimizer from random theta, states and gradients; `starts` are its states before step 1."""

    block: str
    optimizer: sb.Optimizer
    step: Step
    variant: str = ""
    note: str = ""
    starts: tuple[tuple[str, float], ...] = ()
    kind: str = "optimizer"
    tolerance: float = 1e-12

    def measure(self, target: str) -> Measured:
        """The largest relative error of theta and of each state after any of the steps."""
        got, wanted = steps(self, target)
        errors = {name: _error(got[name], wanted[name]) for name in wanted}
        tampered = {name: _error(WRONG * got[name], wanted[name]) for name in wanted}
        return Measured(errors, {n: e for n, e in tampered.items() if wanted[n].any()})


def _error(got: Array, wanted: Array) -> float:
    return float(np.abs(got - wanted).max() / max(np.abs(wanted).max(), 1e-3))


def steps(row: StepRow, target: str) -> tuple[States, States]:
    """theta and states after each step (STEPS, SIZE), from the program and by hand.

    The objective sum(theta * x) has the gradient x; every row of x is a batch.
    """
    net = sb.Network([sb.Input(SIZE), sb.Dense(1, bias=False)], loss=lambda p, t: p * t, reduction="sum")
    model = sb.compile(net, target=target, optimizer=row.optimizer, dtype="float64")
    manifest, rng = model.manifest, np.random.default_rng(5)
    gradients, theta = rng.normal(size=(STEPS, SIZE)), rng.normal(size=SIZE)
    gradients[2, 0] = 0.0
    state = {name: rng.random(SIZE) for name in manifest.states}
    if {"s", "m"} <= set(state):
        state["s"] += 1.0  # a mean of squares is larger than the mean's square
    run = run_of(model, gradients)
    views(manifest, run.params)["W1"][...] = theta
    for place, name in enumerate(manifest.states):
        views(manifest, run.state[place])["W1"][...] = state[name]
    got: dict[str, list[Array]] = {name: [] for name in ("theta", *manifest.states)}
    wanted: dict[str, list[Array]] = {name: [] for name in got}
    for t in range(FIRST + 1, FIRST + STEPS + 1):
        assert model._module.train(run, 1) == 1
        theta, state = row.step(theta, gradients[t - FIRST - 1], state, t)
        for name, value in {"theta": theta, **state}.items():
            wanted[name].append(value)
        for name, block in zip(got, (run.params, *run.state), strict=True):
            got[name].append(views(manifest, block)["W1"][0].copy())
    return {n: np.array(v) for n, v in got.items()}, {n: np.array(v) for n, v in wanted.items()}


def run_of(model: Any, X: Array) -> Run:
    """Batches of one row each, in their order, from step FIRST on."""
    manifest = model.manifest
    return Run(
        params=aligned((manifest.block,), "float64"),
        state=aligned((len(manifest.states), manifest.block), "float64"),
        hypers=np.array([model.hypers[name] for name, _ in manifest.hypers]),
        data=(X, np.ones((len(X), 1))),
        rows=len(X),
        batch=1,
        seed=0,
        shuffle=False,
        drop_last=False,
        order=np.arange(len(X)),
        order_epoch=-1,
        losses=np.zeros(len(X)),
        step=FIRST,
        first_step=FIRST,
    )


ADAM: dict[str, Any] = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-6}
ROWS: list[StepRow] = [
    StepRow("sgd", sb.SGD(0.07), sgd),
    StepRow("momentum", sb.Momentum(0.07, mu=0.8), momentum),
    StepRow("momentum", sb.Momentum(0.07, 0.8, form="velocity"), momentum_velocity, "velocity", "the lectures' form"),
    StepRow("nesterov", sb.Nesterov(0.07, 0.8), nesterov),
    StepRow("nesterov", sb.Nesterov(0.07, 0.8, form="velocity"), nesterov_velocity, "velocity", "the lectures' form"),
    StepRow("adagrad", sb.Adagrad(0.07, eps=1e-6), adagrad),
    StepRow("adadelta", sb.optimizers.Adadelta(0.7, rho=0.9, eps=1e-5), adadelta),
    StepRow("rmsprop", sb.RMSProp(0.07, rho=0.9, eps=1e-6), rmsprop),
    StepRow("rmsprop", sb.RMSProp(0.07, 0.9, 1e-6, form="centered"), rmsprop_centered, "centered",
            "a variance that rounding made negative counts as 0"),
    StepRow("adam", sb.Adam(0.07, **ADAM), adam),
    StepRow("adam", sb.Adam(0.07, **ADAM, form="amsgrad"), amsgrad, "amsgrad"),
    StepRow("adamw", sb.optimizers.AdamW(0.07, **ADAM, decay=0.3), adamw),
    StepRow("nadam", sb.optimizers.NAdam(0.07, **ADAM, psi=0.01), nadam, starts=(("c", 1.0),)),
    StepRow("lion", sb.optimizers.Lion(0.07, 0.8, 0.95, decay=0.3), lion, note="not in PyTorch; as in its paper"),
    StepRow("rprop", sb.optimizers.Rprop(0.5, down=0.4, up=1.3, least=0.1, most=0.6), rprop, starts=(("s", 0.5),)),
]  # fmt: skip
