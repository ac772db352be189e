"""The functions that have a name on paper, some of them there only (sigma, softmax).

`FUNCTIONS` is their table; `name_sigmoid` and `match_softmax` recognize forward patterns.
"""

from __future__ import annotations

from sympy import Add, Expr, Function, Integer, Mul, Pow, exp

from ..language.indices import free_indices, rewrite, substitute
from ..language.nodes import Index, Sum

FUNCTIONS = {
    "log": r"\log",
    "tanh": r"\tanh",
    "sinh": r"\sinh",
    "cosh": r"\cosh",
    "sin": r"\sin",
    "cos": r"\cos",
    "atan": r"\arctan",
    "max": r"\max",
    "min": r"\min",
    "sign": r"\operatorname{sign}",
    "erf": r"\operatorname{erf}",
    "erfc": r"\operatorname{erfc}",
    "log1p": r"\operatorname{log1p}",
    "expm1": r"\operatorname{expm1}",
    "softmax": r"\operatorname{softmax}",
    "rowsum": r"\operatorname{rowsum}",
    "sum_0": r"\operatorname{sum}_{0}",
    "sum_1": r"\operatorname{sum}_{1}",
    "diag": r"\operatorname{diag}",
    "sigma": r"\sigma",
}
"""Functions printed as `name(argument)`, with their LaTeX commands; exp, sqrt, abs, floor and ceiling have forms."""


class Sigma(Function):  # type: ignore[misc]
    """1/(1 + e^-z), for printing only."""

    is_real = True


def name_sigmoid(expr: Expr) -> Expr:
    """`expr` with every 1/(1 + e^-z) and e^z/(1 + e^z) as Sigma(z)."""
    return rewrite(expr, _name_sigmoid)


def _name_sigmoid(e: Expr) -> Expr:
    if isinstance(e, Pow) and isinstance(e.exp, Integer) and e.exp < 0 and isinstance(e.base, Add):
        one, *others = sorted(e.base.args, key=lambda a: not a.is_Number)
        if one == 1 and len(others) == 1 and isinstance(others[0], exp):
            return Sigma(-others[0].args[0]) ** -e.exp
    if isinstance(e, Mul):
        for factor in e.args:
            if isinstance(factor, exp):
                below = Sigma(-factor.args[0])
                if any(f.as_base_exp()[0] == below for f in e.args):
                    return _name_sigmoid(e / factor / below * Sigma(factor.args[0]))
    return e


def match_softmax(e: Mul) -> tuple[Expr, Index, Expr] | None:
    """(f, j, other factors) where e^f_j / sum over k of e^f_k stands among the factors of `e`, else None."""
    for below in e.args:
        base, power = below.as_base_exp()
        if power != -1 or not isinstance(base, Sum) or len(base.bound) != 1 or not isinstance(base.body, exp):
            continue
        (k,) = base.bound
        for above in e.args:
            if isinstance(above, exp):
                for j in free_indices(above):
                    if j.dim == k.dim and substitute(base.body, {k: j}) == above:
                        return above.args[0], j, e / above / below
    return None
