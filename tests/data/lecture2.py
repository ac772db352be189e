"""Lecture 2's equations (5) to (16), as data: what is printed there, what it says in numbers, and what is right.

Samples are columns. `v` has the network's tensors as attributes: x, y, w[l], b[l], z[l], a[l] for l = 1, 2, 3 (a[0] is
x), n samples, eta, lam, and what autodiff gives: d_z[l], d_w[l], d_b[l] of the cost without its regularizer.
`C` is the lecture's mean square, except where `cost` says that the line is about cross-entropy. The lecture's delta is
that of one sample, and its derivatives by parameters are averaged afterwards; n times the derivative of C is meant.
Nothing here comes from symbackprop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Line:
    """One equation: its number and LaTeX, what it says (`printed`), what is so (`right`), and the mistake in words."""

    number: str
    latex: str
    printed: Callable[[Any], Any]
    right: Callable[[Any], Any]
    mistake: str = ""
    cost: str = "mse"


def _slope(v: Any, layer: int) -> Array:
    return v.a[layer] * (1 - v.a[layer])


def _mean(outer: Array, v: Any) -> Array:
    return outer / v.n


LINES = (
    Line(
        "5",
        r"\delta_j^l = \frac{\partial C}{\partial z_j^l}",
        lambda v: v.n * v.d_z[2],
        lambda v: v.n * v.d_z[2],
    ),
    Line(
        "6",
        r"\delta^L = (a^L - y) \odot \sigma' (z^L)",
        lambda v: (v.a[3] - v.y) * _slope(v, 3),
        lambda v: v.n * v.d_z[3],
        r"The factor 2 is lost that the square $\lVert a^L - y \rVert_2^2$ brings down. Right for half the square.",
    ),
    Line(
        "7",
        r"\delta^L = (a^L - y)",
        lambda v: v.a[3] - v.y,
        lambda v: v.n * v.d_z[3],
        cost="cross-entropy",
    ),
    Line(
        "8",
        r"\delta_j^l = \left( (w^{l+1})^T \delta^{l+1} \right) \odot \sigma' (z^l)",
        lambda v: (v.w[2].T @ (v.n * v.d_z[2])) * _slope(v, 1),
        lambda v: v.n * v.d_z[1],
    ),
    Line(
        "9",
        r"\frac{\partial C}{\partial b_j^l} = \delta_j^l",
        lambda v: _mean((v.n * v.d_z[2]).sum(1), v),
        lambda v: v.d_b[2],
    ),
    Line(
        "10",
        r"\frac{\partial C}{\partial w_{j,k}^l} = a_k^{l-1} \delta_j^l",
        lambda v: _mean(np.einsum("kn,jn->jk", v.a[1], v.n * v.d_z[2]), v),
        lambda v: v.d_w[2],
    ),
    Line(
        "11",
        r"C = C_0 + \lambda R(P)",
        lambda v: v.cost + v.lam * v.penalty,
        lambda v: v.cost + v.lam * v.penalty,
    ),
    Line(
        "12",
        r"R_{L2} = \frac{1}{2n} \sum_{w,j,k} w_{j,k}^2",
        lambda v: sum(np.sum(w**2) for w in v.w[1:]) / (2 * v.n),
        lambda v: v.penalty,
    ),
    Line(
        "13",
        r"\frac{\partial C}{\partial w_{j,k}^l} = \frac{\partial C_0}{\partial w_{j,k}^l} + "
        r"\frac{\partial R}{\partial w_{j,k}^l} = a_k^{l-1} \delta_j^l + \frac{\lambda}{n} w_{j,k}^l",
        lambda v: v.d_w[2] + v.w[2] / v.n,
        lambda v: v.d_w[2] + v.lam * v.w[2] / v.n,
        r"In the middle the factor $\lambda$ of $\partial R/\partial w$ is lost; the right side has it.",
    ),
    Line(
        "14",
        r"w^l := w^l - \eta \frac{\partial C_0}{\partial w^l} - \frac{\eta \lambda}{n} w^l",
        lambda v: v.w[2] - v.eta * v.d_w[2] - v.eta * v.lam / v.n * v.w[2],
        lambda v: v.w[2] - v.eta * (v.d_w[2] + v.lam * v.w[2] / v.n),
    ),
    Line(
        "15",
        r"w^l := \left(1 - \frac{\eta \lambda}{n}\right) w^l - \eta \frac{\partial C_0}{\partial w^l}",
        lambda v: (1 - v.eta * v.lam / v.n) * v.w[2] - v.eta * v.d_w[2],
        lambda v: v.w[2] - v.eta * (v.d_w[2] + v.lam * v.w[2] / v.n),
    ),
    Line(
        "16",
        r"\frac{\partial C}{\partial b^l} = b^l - \eta \frac{\partial C_0}{\partial b^l}",
        lambda v: v.b[2] - v.eta * v.d_b[2],
        lambda v: v.d_b[2],
        r"The right side is the new $b^l$, not a derivative: $b^l := b^l - \eta\, \partial C_0/\partial b^l$.",
    ),
)
REMARKS = {
    "8": "The left side has an index $j$, the right side is the whole vector.",
    "9": r"Of one sample; over a batch the mean is meant, which is our $\delta^{2} \mathbf{1}$.",
    "10": r"Of one sample; over a batch the mean is meant, which is our product.",
    "12": r"Ours is $\lambda R$, as it stands in $C$.",
    "5": r"The lecture's $\delta$ is of one sample's cost; ours has the $1/n$ of the mean.",
}
"""What is no mistake, and yet to be known beside an equation."""
