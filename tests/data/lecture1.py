"""Lecture 1's backpropagation for the XOR network, line by line, as data.

The network is S1 = X W1^T + 1 b1^T, O1 = sigmoid(S1), S2 = O1 W2^T + 1 b2^T, O2 = sigmoid(S2) with rows as samples,
and the loss is cross-entropy summed over the batch. Nothing here comes from symbackprop.

`latex` and `lecture` are the line as printed, `right` the line with its mistake put right (equal where there is none),
`mistake` names it, `as_printed` and `value` evaluate both with NumPy (juxtaposition is the matrix product), and
`text` is the right side that `derivation.text()` prints: x, z, a, y stand for X, S, O, Y, and delta for dL/dS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Line:
    """One formula of the lecture."""

    of: str
    ours: str
    latex: str
    lecture: str
    right: str
    mistake: str
    as_printed: Callable[[Any], Array]
    value: Callable[[Any], Array]
    text: str


def sigmoid(s: Array) -> Array:
    return 1 / (1 + np.exp(-s))


def forward(X: Array, Y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> SimpleNamespace:
    """The lecture's forward pass; the result has its letters as attributes."""
    ones = np.ones((len(X), 1))
    S1 = X @ W1.T + ones @ b1[None]
    O1 = sigmoid(S1)
    S2 = O1 @ W2.T + ones @ b2[None]
    return SimpleNamespace(X=X, Y=Y, W1=W1, W2=W2, S1=S1, O1=O1, S2=S2, O2=sigmoid(S2), ones=ones[:, 0])


def loss(v: Any) -> float:
    return float(np.sum(-v.Y * np.log(v.O2) - (1 - v.Y) * np.log(1 - v.O2)))


TRANSPOSE = "a transpose is lost"
SUM = "the sum over the batch is lost"
PRODUCT = "the sign of the elementwise product is lost"

LINES = (
    Line(
        of="dL/dS2",
        ours="delta2",
        latex=r"\frac{\partial L}{\partial s_2} = O_2 - Y",
        lecture="O2 - Y",
        right="O2 - Y",
        mistake="",
        as_printed=lambda v: v.O2 - v.Y,
        value=lambda v: v.O2 - v.Y,
        text="a2 - y",
    ),
    Line(
        of="dL/dS1",
        ours="delta1",
        latex=r"\frac{\partial L}{\partial s_1} = \frac{\partial L}{\partial o_1} \cdot "
        r"\frac{\partial o_1}{\partial s_1} = (O_2 - Y) W_2 \underbrace{\sigma(s_1)}_{o_1} "
        r"\underbrace{(1-\sigma(s_1))}_{o_1}",
        lecture="(O2 - Y) W2 sigma(S1) (1 - sigma(S1))",
        right="((O2 - Y) W2) ⊙ O1 ⊙ (1 - O1)",
        mistake=PRODUCT,
        as_printed=lambda v: (v.O2 - v.Y) @ v.W2 @ v.O1 @ (1 - v.O1),
        value=lambda v: ((v.O2 - v.Y) @ v.W2) * v.O1 * (1 - v.O1),
        text="(δ2 W2) ⊙ a1 ⊙ (1 - a1)",
    ),
    Line(
        of="dL/dW1",
        ours="dW1",
        latex=r"\frac{\partial L}{\partial W_1} = \left(\frac{\partial L}{\partial S_1} \right)^T "
        r"\frac{\partial S_1}{\partial W_1} = (O_2 - Y) W_2 \odot O_1 \odot (1 - O_1) X",
        lecture="(O2 - Y) W2 ⊙ O1 ⊙ (1 - O1) X",
        right="(((O2 - Y) W2) ⊙ O1 ⊙ (1 - O1))^T X",
        mistake=TRANSPOSE,
        as_printed=lambda v: (((v.O2 - v.Y) @ v.W2) * v.O1 * (1 - v.O1)) @ v.X,
        value=lambda v: (((v.O2 - v.Y) @ v.W2) * v.O1 * (1 - v.O1)).T @ v.X,
        text="δ1ᵀ x",
    ),
    Line(
        of="dL/db1",
        ours="db1",
        latex=r"\frac{\partial L}{\partial b_1} = \frac{\partial L}{\partial S_1} \frac{\partial "
        r"S_1}{\partial b_1} = (O_2 - Y) W_2 \odot O_1 \odot (1 - O_1) \cdot 1",
        lecture="(O2 - Y) W2 ⊙ O1 ⊙ (1 - O1) · 1",
        right="(((O2 - Y) W2) ⊙ O1 ⊙ (1 - O1))^T 1",
        mistake=SUM,
        as_printed=lambda v: ((v.O2 - v.Y) @ v.W2) * v.O1 * (1 - v.O1) * 1,
        value=lambda v: (((v.O2 - v.Y) @ v.W2) * v.O1 * (1 - v.O1)).T @ v.ones,
        text="δ1ᵀ 1",
    ),
    Line(
        of="dL/dW2",
        ours="dW2",
        latex=r"\frac{\partial L}{\partial W_2} = \left(\frac{\partial L}{\partial S_2} \right)^T "
        r"\frac{\partial S_2}{\partial W_2} = (O_2 - Y) O_1",
        lecture="(O2 - Y) O1",
        right="(O2 - Y)^T O1",
        mistake=TRANSPOSE,
        as_printed=lambda v: (v.O2 - v.Y) @ v.O1,
        value=lambda v: (v.O2 - v.Y).T @ v.O1,
        text="δ2ᵀ a1",
    ),
    Line(
        of="dL/db2",
        ours="db2",
        latex=r"\frac{\partial L}{\partial b_2} = \frac{\partial L}{\partial S_2} \cdot "
        r"\frac{\partial S_2}{\partial b_2} = (O_2 - Y) \cdot 1",
        lecture="(O2 - Y) · 1",
        right="(O2 - Y)^T 1",
        mistake=SUM,
        as_printed=lambda v: (v.O2 - v.Y) * 1,
        value=lambda v: (v.O2 - v.Y).T @ v.ones,
        text="δ2ᵀ 1",
    ),
)


FORWARD = (
    ("1", r"S_1 = X W_1^T + b^1", r"$b^1$ stands for as many equal rows as $X$ has."),
    ("2", r"O_1 = \sigma(S_1)", ""),
    ("3", r"S_2 = O_1 W_2^T + b_2^2", r"$b_2^2$ is what is $b_2$ below."),
    ("4", r"O_2 = \sigma(S_2)", ""),
    ("5", r"L(x, y) = -y \log(O_2(x)) - (1-y) \log(1-O_2(x))", "Of one sample; ours is the sum over the rows."),
)
"""The lines before the derivatives: the number of ours, the lecture's LaTeX, and what is to be known beside it."""

BETWEEN = (
    r"\frac{\partial L}{\partial o_1} = \frac{\partial L}{\partial s_2} \cdot "
    r"\frac{\partial s_2}{\partial o_1} = (O_2 - Y) W_2"
)
"""The derivative by O_1, which is right."""
