"""docs/lectures.md: two lectures' backpropagation beside ours, formula by formula; each mistake shown in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symbackprop as sb
from symbackprop.document.make import document
from symbackprop.document.records import Derived, Document, Formula, Formulas
from symbackprop.present.latex_lines import whole
from symbackprop.present.latex_printer import LatexPrinter
from tests.data import lecture1, lecture2

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lectures.md"
SIZES = (4, 5, 4, 3)
SAMPLES = 6
ETA, LAM = 0.3, 0.7

_dense = [sb.Dense(width, "sigmoid") for width in SIZES[1:]]
MSE = sb.Network([sb.Input(4), *_dense], "mse", reduction="batch_mean", regularizers=[sb.L2(0.1, over_n=True)])
CROSS_ENTROPY = sb.Network([sb.Input(4), *_dense], "binary_cross_entropy", reduction="batch_mean")
XOR = sb.Network([sb.Input(2), sb.Dense(2, "sigmoid"), sb.Dense(1, "sigmoid")], "binary_cross_entropy", reduction="sum")
OURS = {
    "5": (MSE, "opening", r"\delta^{1} = \frac{\partial C}{\partial z^{1}}"),
    "6": (MSE, "8", ""),
    "7": (CROSS_ENTROPY, "8", ""),
    "8": (MSE, "10", ""),
    "9": (CROSS_ENTROPY, "14", ""),
    "10": (CROSS_ENTROPY, "13", ""),
    "11": (MSE, "7", ""),
    "12": (MSE, "R7", ""),
    "13": (MSE, "13", ""),
    "14": (MSE, "S13", ""),
    "15": (MSE, "S13", ""),
    "16": (MSE, "17", ""),
}
"""Lecture 2's number -> the network, and the number of the equation in our document of it."""

HEAD = """# Two lectures beside ours

Lecture 1 (Uczenie sieci neuronowych, 2021) derives backpropagation for XOR, lecture 2 (Backpropagation, 2018) for deep
networks. Here are their equations as they were printed, beside those that symbackprop derives from the same network
and prints in the same notation (`notation="lecture-1"`, `notation="columns"`). A mistake is named where the printed
formula has other values than the derivative; `tests/document/test_lectures.py` computes both. This page is its output.
"""
XOR_HEAD = """
## Lecture 1: XOR

A 2-2-1 network with sigmoids and cross-entropy, summed over the rows.

| lecture 1 | symbackprop | |
|---|---|---|
"""
DEEP_HEAD = """
## Lecture 2: equations (5) to (16)

Sigmoid layers and the mean square; (7), (9) and (10) with cross-entropy and without the regularizer. The layer $l$ is
1, 2 or 3 = $L$ in ours.

| | lecture 2 | symbackprop | |
|---|---|---|---|
"""


def lines_of(made: Document) -> Iterator[Formula]:
    for section in made.sections:
        for block in section.blocks:
            if isinstance(block, (Formulas, Derived)):
                yield from block.lines


def printed(net: sb.Network, notation: str) -> dict[str, str]:
    """Number -> our equation in LaTeX."""
    made = document(net.derive("sgd"), notation, "summary")
    show = LatexPrinter(made.view).show
    return {f.number: whole(f"{show(f.lhs)} = {show(f.rhs)}") for f in lines_of(made)}


def page() -> str:
    rows = [HEAD, XOR_HEAD]
    ours = printed(XOR, "lecture-1")
    numbers = {f"d{name}" if name[0] != "d" else name: str(n) for n, name in enumerate(
        ("delta2", "delta1", "W1", "b1", "W2", "b2"), 6)}  # fmt: skip
    rows += [f"| $`{latex}`$ | $`{ours[number]}`$ | {remark} |\n" for number, latex, remark in lecture1.FORWARD]
    for one in lecture1.LINES:
        mistake = f"**{one.mistake[0].upper()}{one.mistake[1:]}.**" if one.mistake else ""
        if one.ours == "delta1":
            rows.append(f"| $`{lecture1.BETWEEN}`$ | $`{ours['7.1']}`$ |  |\n")
        rows.append(f"| $`{one.latex}`$ | $`{ours[numbers[one.ours]]}`$ | {mistake} |\n")
    rows.append(DEEP_HEAD)
    made = {id(net): printed(net, "columns") for net in (MSE, CROSS_ENTROPY)}
    for line in lecture2.LINES:
        net, number, formula = OURS[line.number]
        shown = formula or made[id(net)][number]
        remark = f"**{line.mistake}**" if line.mistake else lecture2.REMARKS.get(line.number, "")
        rows.append(f"| ({line.number}) | $`{line.latex}`$ | $`{shown}`$ | {remark} |\n")
    return "".join(rows)


def test_the_page_is_what_is_derived(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "`pytest tests/document/test_lectures.py --update` rewrites it"


def cost(kind: str, a: Any, y: Any) -> Any:
    """Lecture 2's cost functions; samples are columns."""
    if kind == "mse":
        return jnp.sum((a - y) ** 2) / SAMPLES
    return -jnp.sum(y * jnp.log(a) + (1 - y) * jnp.log(1 - a)) / SAMPLES


def values(kind: str) -> SimpleNamespace:
    """A network's tensors at random numbers, and the derivatives by autodiff."""
    draw = np.random.default_rng(3)
    w = [None, *(draw.normal(size=(m, k)) for k, m in pairwise(SIZES))]
    b = [None, *(draw.normal(size=(m,)) for m in SIZES[1:])]
    x, y = draw.normal(size=(SIZES[0], SAMPLES)), draw.uniform(size=(SIZES[-1], SAMPLES))

    def run(w: Any, b: Any, e: Any) -> tuple[Any, Any]:
        a, z = [x], [None]
        for layer in (1, 2, 3):
            z.append(w[layer] @ a[-1] + b[layer][:, None] + e[layer])
            a.append(1 / (1 + jnp.exp(-z[-1])))
        return cost(kind, a[-1], y), (z, a)

    e = [None, *(np.zeros((m, SAMPLES)) for m in SIZES[1:])]
    with jax.enable_x64(True):
        (total, (z, a)), (d_w, d_b, d_z) = jax.value_and_grad(run, (0, 1, 2), has_aux=True)(w, b, e)
        arrays = {k: [None if t is None else np.asarray(t) for t in v] for k, v in
                  {"w": w, "b": b, "z": z, "a": a, "d_w": d_w, "d_b": d_b, "d_z": d_z}.items()}  # fmt: skip
    penalty = sum(float(np.sum(t**2)) for t in w[1:] if t is not None) / (2 * SAMPLES)
    return SimpleNamespace(x=x, y=y, n=SAMPLES, eta=ETA, lam=LAM, cost=float(total), penalty=penalty, **arrays)


@pytest.mark.parametrize("line", lecture2.LINES, ids=lambda line: line.number)
def test_a_line_of_lecture_2_is_wrong_just_where_a_mistake_is_named(line: lecture2.Line) -> None:
    v = values(line.cost)
    one, other = np.asarray(line.printed(v)), np.asarray(line.right(v))
    agrees = one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-10, atol=1e-12))
    assert agrees == (not line.mistake)
