"""The judge of printed formulas: what it understands, what it refuses, and that it is independent."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.document.judge.lines import Line, UnreadableError, equations
from tests.document.judge.page import DisagreementError, Page

RNG = np.random.default_rng(5)
A, B, V, W = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)), RNG.normal(size=4), RNG.normal(size=(4, 2))
X = RNG.normal(size=(2, 5, 6))
T = np.array([1, 0, 2])
GIVEN = {"A": A, "B_{1}": B, "v": V, "W": W, "x": X, "t": T, "N": 3, "s^{2}": 1.5, r"\lambda": 0.1, r"\hat{y}^{[2]}": B}


def computed(latex: str, left: str = "q", **options: Any) -> Any:
    found = Page(GIVEN, **options).read(rf"\begin{{align}} {left} &= {latex} \tag{{1}} \end{{align}}")
    (made,) = found.values()
    return made


VALUES = [
    (r"A W", A @ W),
    (r"A^{\top} B_{1} v", A.T @ B @ V),
    (r"v^{\top} W", (V @ W)),
    (r"A \odot B_{1}^{\circ 2} \oslash (A - 3)", A * B**2 / (A - 3)),
    (r"2 A \odot B_{1} - \frac{1}{N} A", 2 * A * B - A / 3),
    (r"A - \mathbf{1} v^{\top}", A - V),
    (r"A^{\top} \mathbf{1}", A.sum(0)),
    (r"\mathbf{1} \mathbf{1}^{\top} A + B_{1}", A.sum(0) + B),
    (r"\lVert A \rVert^{2} + \lVert A \rVert_{1}", (A**2).sum() + np.abs(A).sum()),
    (r"-\frac{1}{N} \sum A \odot B_{1} + 1", 1 - (A * B).sum() / 3),
    (r"\sum \bigl(A \odot B_{1}\bigr) \cdot 2", 2 * (A * B).sum()),
    (r"\operatorname{tr}(A B_{1}^{\top})", np.trace(A @ B.T)),
    (r"A \operatorname{diag}(v)", A * V),
    (r"\operatorname{rowsum}(A) + \operatorname{sum}_{1}(B_{1})", (A + B).sum(1)),
    (r"\operatorname{sum}_{0}(A) \odot v", A.sum(0) * V),
    (r"\max(0, A) + \min(A, B_{1})", np.maximum(A, 0) + np.minimum(A, B)),
    (r"\log(1 + e^{A}) - \tanh(A) + \sigma(A)", np.log(1 + np.exp(A)) - np.tanh(A) + 1 / (1 + np.exp(-A))),
    (r"e^{-A} + \exp(B_{1}) + \lvert A \rvert", np.exp(-A) + np.exp(B) + np.abs(A)),
    (r"[A > 0] + [0 \le A < 0.5 \text{ or } A < -1]", (A > 0) + 1.0 * (((A >= 0) & (A < 0.5)) | (A < -1))),
    (r"\begin{cases} A & \text{if } A > 0 \\ \lambda A & \text{otherwise} \end{cases}", np.where(A > 0, A, 0.1 * A)),
    (r"\bigl\{A\ \text{if } A > 0; \lambda A\ \text{otherwise}\bigr\}", np.where(A > 0, A, 0.1 * A)),
    (r"\sqrt{s^{2}} + 10^{-5} + 3 \cdot 10^{-2}", np.sqrt(1.5) + 1e-5 + 0.03),
    (r"\hat{y}^{[2]\top} A", B.T @ A),
    (r"1 / (2 N) A", A / 6),
    (r"\operatorname{sign}(A) + \operatorname{erf}(0 A)", np.sign(A)),
]


@pytest.mark.parametrize(("latex", "want"), VALUES)
def test_matrix_formulas(latex: str, want: Any) -> None:
    np.testing.assert_allclose(computed(latex), want, rtol=1e-12)


SOFT = np.exp(A) / np.exp(A).sum(1, keepdims=True)


@pytest.mark.parametrize(("samples", "want"), [(0, SOFT), (1, np.exp(A) / np.exp(A).sum(0))])
def test_softmax_is_of_each_sample(samples: int, want: Any) -> None:
    np.testing.assert_allclose(computed(r"\operatorname{softmax}(A)", samples=samples), want, rtol=1e-12)


def test_a_vector_beside_a_matrix_stands_along_the_features() -> None:
    np.testing.assert_allclose(computed("A + v", implicit=True), A + V)
    np.testing.assert_allclose(computed(r"A^{\top} \odot v", samples=1, implicit=True), (A * V).T)
    for options in ({}, {"implicit": True, "samples": 1}):
        with pytest.raises(UnreadableError):
            computed("A + v", **options)


INDEXED = [
    ("q_{nj}", r"\sum_{k} A_{nk} W_{kj}", A @ W, {}),
    ("q_{n, j}", r"A_{nj} [j = t_{n}]", A * (np.arange(4) == T[:, None]), {}),
    ("q_{n}", r"A_{n, t_{n}}", A[[0, 1, 2], T], {}),
    ("q_{n}", r"\max_{j} A_{nj} + \operatorname{arg\,max}_{j} A_{nj}", A.max(1) + A.argmax(1), {}),
    ("q_{c}", r"\operatorname{arg\,max}_{km} x_{ckm}", X.reshape(2, -1).argmax(1), {}),
    ("q_{ci}", r"\sum_{k} x_{c, i + 2, k} v_{0}", X[:, 2:].sum(2) * V[0], {}),
    ("q_{nj}", r"A_{n, \lfloor \frac{1}{2} j \rfloor} (j \bmod 2)", np.repeat(A, 2, 1) * (np.arange(8) % 2), {}),
    ("q_{nj}", r"\frac{1}{N} A_{nj} \sum_{k,m} x_{0km}", A / 3 * X[0].sum(), {}),
    ("q_{j}", r"v_{j}^{2} e^{-v_{j}}", V**2 * np.exp(-V), {}),
    ("q_{nj}", r"[1 \le j < 3] A_{n, j + 1}", np.c_[np.zeros((3, 1)), A[:, 2:], np.zeros((3, 1))], {"j": 4}),
]


@pytest.mark.parametrize(("left", "latex", "want", "told"), INDEXED)
def test_index_formulas(left: str, latex: str, want: Any, told: dict[str, int]) -> None:
    np.testing.assert_allclose(computed(latex, left, ranges={"q": told}), want, rtol=1e-12)


def test_what_lies_beyond_the_ends_is_zero_and_never_the_largest() -> None:
    options: dict[str, Any] = {"padded": ("x",), "ranges": {"q": {"i": 5, "u": 3}}}
    beyond = np.pad(X, ((0, 0), (1, 1), (0, 0)))
    windows = np.stack([beyond[:, u : u + 5] for u in range(3)])
    np.testing.assert_allclose(computed(r"\sum_{u} x_{c, i + u - 1, j}", "q_{cij}", **options), windows.sum(0))
    lowest = np.where(np.pad(np.zeros_like(X), ((0, 0), (1, 1), (0, 0)), constant_values=1) == 1, -np.inf, beyond)
    windows = np.stack([lowest[:, u : u + 5] for u in range(3)])
    np.testing.assert_allclose(computed(r"\max_{u} x_{c, i + u - 1, j}", "q_{cij}", **options), windows.max(0))
    half = np.zeros((2, 9, 6))
    half[:, ::2] = X
    options["ranges"] = {"q": {"i": 9}}
    np.testing.assert_allclose(computed(r"x_{c, \frac{1}{2} i, j}", "q_{cij}", **options), half)
    with pytest.raises(UnreadableError, match="no value"):
        computed(r"\sum_{u} x_{c, i + u - 1, j}", "q_{cij}", ranges={"q": {"i": 5, "u": 3}})


REFUSED = {
    r"A B_{1}": "a product of",
    r"A \odot W": "beside",
    r"A \odot 2": "a scalar beside",
    r"A + v": "column of ones",
    r"v v": "no product",
    r"A^{2}": "a power of",
    r"\mathbf{1} v^{\top}": "how long",
    r"\mathbf{1}^{\top} \mathbf{1}": "how long",
    r"\frac{1}{A}": "a matrix below",
    r"A + C": "not defined",
    r"s": "not defined",
    r"\sum N": "the entries of a number",
    r"(A": "expected",
    r"A)": "read on",
    r"A +": "missing",
    r"x": "more than two axes",
    r"A_{nk}": "nothing says|not defined",
    r"\operatorname{tr}(A)": "tr of",
    r"\operatorname{magic}(A)": "magic",
}


@pytest.mark.parametrize(("latex", "why"), REFUSED.items())
def test_what_has_no_meaning_is_refused(latex: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        computed(latex)


REFUSED_INDEXED = {
    ("q_{nn}", r"A_{nn}"): "twice",
    ("q_{n}", r"A_{nj}"): "not defined",
    ("q_{n}", r"\sum_{n} A_{nn}"): "in use",
    ("q_{nj}", r"A_{nj} + W_{nj}"): "axes of",
    ("q_{nj}", r"A_{nj} \mathbf{1}"): "column of ones",
    ("q_{cij}", r"\max_{u} x_{c, 2 i + u, j}"): "how far",
    ("q_{j}", r"v_{j + 1 \bmod 2}"): "bmod",
    ("q_{j}", r"A v_{j}"): "not defined",
}


@pytest.mark.parametrize(("formula", "why"), REFUSED_INDEXED.items())
def test_index_formulas_without_meaning_are_refused(formula: tuple[str, str], why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        computed(formula[1], formula[0])


def test_a_script_with_two_meanings_is_refused() -> None:
    """s^{2} is the second layer's s, or the square of s: where both are defined nobody knows."""
    page = Page({**GIVEN, "s": 2.0})
    with pytest.raises(UnreadableError, match="may be"):
        page.read(r"\begin{align} q &= s^{2} \end{align}")


def test_what_is_defined_twice_must_be_equal() -> None:
    page = Page(GIVEN)
    twice = r"\begin{align} q &= A W \tag{1.1} \\ &= %s \tag{1} \end{align}"
    page.read(twice % r"(W^{\top} A^{\top})^{\top}")
    with pytest.raises(DisagreementError):
        page.read(twice % "2 A W")
    with pytest.raises(UnreadableError, match="which is given"):
        page.read(r"\begin{align} A &= B_{1} \end{align}")


def test_equations_are_taken_out_of_a_document() -> None:
    text = r"""
    In $x = 1$ nothing is defined. % \begin{align} no &= 1 \end{align}
    \begin{align}
    z_{1} &= x W \notag \\*
    &\quad + \mathbf{1} b^{\top} \tag{7} \\[1ex]
    a &= \begin{cases} 1 & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases} \tag{8}
    \end{align}
    \begin{align*} c &= a \notag \end{align*}"""
    cases = r"\begin{cases} 1 & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}"
    found = [
        Line(line.left, " ".join(line.right.replace(r"\quad", "").split()), line.number) for line in equations(text)
    ]
    assert found == [Line("z_{1}", r"x W + \mathbf{1} b^{\top}", "7"), Line("a", cases, "8"), Line("c", "a", "")]


HERE = Path(__file__).resolve().parent
FORBIDDEN = "symbackprop"


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_the_judge_shares_no_code_with_what_it_judges() -> None:
    """Followed through every module of the tests that it imports; the tables by hand are no part of the printers."""
    root = HERE.parents[1]
    own_files = ("gallery_names", "gallery_reader", "gallery_reference", "mutants", "operations", "textbook")
    waiting = [*(HERE / "judge").glob("*.py"), *(HERE / f"{name}.py" for name in own_files)]
    seen: set[Path] = set()
    assert len(waiting) > 8
    while waiting:
        path = waiting.pop()
        seen.add(path)
        names = imported(path)
        assert not [n for n in names if n.split(".")[0] == FORBIDDEN], path
        assert not names & {"importlib", "runpy", "subprocess"}, path
        own = (root / (name.replace(".", "/") + ".py") for name in names if name.split(".")[0] == "tests")
        waiting += [p for p in own if p.is_file() and p not in seen]
    assert seen == {p for p in seen if HERE in {p.parent, p.parent.parent}}
