"""LaTeX: exact lines, balance, notebooks."""

from __future__ import annotations

import re

import pytest

import symbackprop as sb
from symbackprop.present.latex import latex, repr_latex
from symbackprop.present.latex_lines import LIMIT, broken, width
from symbackprop.present.latex_printer import BREAK
from tests.present.networks import NETWORKS

XOR = r"""\begin{align}
% forward
z_{1} &= x W_{1}^{\top} + \mathbf{1} b_{1}^{\top} \tag{1} \\
a_{1} &= \sigma(z_{1}) \tag{2} \\
z_{2} &= a_{1} W_{2}^{\top} + \mathbf{1} b_{2}^{\top} \tag{3} \\
a_{2} &= \sigma(z_{2}) \tag{4} \\[1ex]
% loss
L &= -\sum \bigl(y \odot \log a_{2} + (1 - y) \odot \log(1 - a_{2})\bigr) \tag{5} \\[1ex]
% backward
\delta^{(2)} &= a_{2} - y \tag{6} \\
\delta^{(1)} &= \bigl(\delta^{(2)} W_{2}\bigr) \odot a_{1} \odot (1 - a_{1}) \tag{7} \\[1ex]
% gradients
\frac{\partial L}{\partial W_{1}} &= \delta^{(1)\top} x \tag{8} \\
\frac{\partial L}{\partial b_{1}} &= \delta^{(1)\top} \mathbf{1} \tag{9} \\
\frac{\partial L}{\partial W_{2}} &= \delta^{(2)\top} a_{1} \tag{10} \\
\frac{\partial L}{\partial b_{2}} &= \delta^{(2)\top} \mathbf{1} \tag{11} \\[1ex]
% update
\theta^{+} &= \theta - \eta g \tag{12}
\end{align}
"""


def unescaped(text: str) -> str:
    return re.sub(r"\\[\\{}]", "", text)


def check_balance(text: str) -> None:
    """Braces, sized parentheses and environments close in the order in which they open."""
    open_braces = 0
    for sign in unescaped(text):
        open_braces += {"{": 1, "}": -1}.get(sign, 0)
        assert open_braces >= 0
    assert open_braces == 0
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    for left, right in ((r"\bigl", r"\bigr"), (r"\Bigl", r"\Bigr"), (r"\lVert", r"\rVert"), (r"\lvert", r"\rvert")):
        assert text.count(left) == text.count(right)


def test_the_align_of_lecture_1() -> None:
    assert latex(NETWORKS["xor"].derive("sgd")) == XOR


def test_symbols_of_the_digits_network() -> None:
    printed = latex(NETWORKS["digits"].derive())
    for line in (
        r"a_{1} &= \max(0, z_{1}) \tag{2} \\",
        r"p &= \operatorname{softmax}(z_{2}) \tag{4}",
        r"\delta^{(2)} &= \frac{1}{N} (p - y) \tag{6} \\",
        r"\delta^{(1)} &= \bigl(\delta^{(2)} W_{2}\bigr) \odot [z_{1} > 0] \tag{7}",
        r"\frac{\partial L}{\partial W_{2}} &= \delta^{(2)\top} a_{1} + \lambda W_{2} \tag{10} \\",
    ):
        assert line in printed
    loss = r"-\frac{1}{N} \sum y \odot \log p + \frac{\lambda}{2} (\lVert W_{1} \rVert^{2} + \lVert W_{2} \rVert^{2})"
    assert loss in printed


def test_index_form_has_subscripts() -> None:
    printed = latex(NETWORKS["rbf"].derive())
    assert r"a_{nj} &= \exp\Bigl(-\sum_{k} (x_{nk} - c_{jk})^{2}\Bigr) \tag{1}" in printed
    assert r"\frac{\partial L}{\partial c_{jk}} &= 2 \sum_{n} \delta_{a,nj} a_{nj} (x_{nk} - c_{jk}) \tag{6}" in printed


def test_notebooks_get_one_aligned_block() -> None:
    shown = repr_latex(NETWORKS["digits"].derive(sb.Adam()))
    assert shown.startswith("$$\\begin{aligned}\n")
    assert shown.endswith("\n\\end{aligned}$$")
    assert r"\tag" not in shown
    assert (
        r"\delta^{(1)} &= \bigl(\delta^{(2)} W_{2}\bigr) \odot [z_{1} > 0] && (N, 32) && (7) && \text{0 at the kink}"
        in shown
    )
    check_balance(shown)


@pytest.mark.parametrize("name", NETWORKS)
def test_everything_is_balanced(name: str) -> None:
    derivation = NETWORKS[name].derive(sb.Adam())
    for printed in (latex(derivation), repr_latex(derivation)):
        check_balance(printed)
        assert BREAK not in printed
    numbers = [int(found) for found in re.findall(r"\\tag\{(\d+)\}", latex(derivation))]
    assert derivation.update is not None
    parts = (derivation.forward, derivation.adjoints, derivation.gradients, derivation.update.equations)
    assert numbers == list(range(1, sum(map(len, parts)) + 2))


def test_long_lines_break_at_operators_and_outside_parentheses() -> None:
    term = r"\bigl(aaaa" + BREAK + r" + bbbb\bigr)"
    rows = broken("L", (BREAK + " + ").join([term] * 12))
    assert len(rows) > 1
    assert all(row.startswith(r"&\quad +") for row in rows[1:])
    assert all(row.count("(") == row.count(")") for row in rows)
    assert all(width(row) <= LIMIT for row in rows)
