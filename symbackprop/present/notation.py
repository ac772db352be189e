"""Names as people write them, and the functions that have a name on paper only (sigma, softmax).

One table each: `GREEK` for names, `FUNCTIONS` for functions. `name_sigmoid` and `match_softmax` recognize forward
patterns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sympy import Add, Expr, Function, Integer, Mul, Pow, exp

from ..language.indices import free_indices, rewrite, substitute
from ..language.nodes import Index, Sum
from ..language.tensor import Tensor

GREEK = {
    "alpha": ("α", r"\alpha"),
    "beta": ("β", r"\beta"),
    "gamma": ("γ", r"\gamma"),
    "delta": ("δ", r"\delta"),
    "eps": ("ε", r"\varepsilon"),
    "epsilon": ("ϵ", r"\epsilon"),
    "zeta": ("ζ", r"\zeta"),
    "eta": ("η", r"\eta"),
    "theta": ("θ", r"\theta"),
    "kappa": ("κ", r"\kappa"),
    "lam": ("λ", r"\lambda"),
    "mu": ("μ", r"\mu"),
    "nu": ("ν", r"\nu"),
    "xi": ("ξ", r"\xi"),
    "pi": ("π", r"\pi"),
    "rho": ("ρ", r"\rho"),
    "sigma": ("σ", r"\sigma"),
    "tau": ("τ", r"\tau"),
    "phi": ("φ", r"\varphi"),
    "chi": ("χ", r"\chi"),
    "psi": ("ψ", r"\psi"),
    "omega": ("ω", r"\omega"),
}

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
    "diag": r"\operatorname{diag}",
    "sigma": r"\sigma",
}
"""Functions printed as `name(argument)`, with their LaTeX commands; exp, sqrt, abs, floor and ceiling have forms."""


NAME = re.compile(r"(.*?[^\W\d_])(_*\d+|_\w*)?")


@dataclass(frozen=True, slots=True)
class Name:
    """A tensor's name in its parts: `W`, `1`, and whether it is a gradient dL/dW1."""

    base: str
    suffix: str
    gradient: bool


def parts_of(tensor: Tensor) -> Name:
    """The parts of a tensor's name; the underscore before a suffix belongs to the suffix."""
    name = tensor.name
    gradient = tensor.kind == "gradient" and len(name) > 1 and name.startswith("d")
    if gradient:
        name = name[1:].rstrip("_")
    match = NAME.fullmatch(name)
    base, suffix = (match.group(1), match.group(2) or "") if match else (name, "")
    return Name(base, suffix, gradient)


def text_name(tensor: Tensor) -> str:
    """The name in plain text: lam -> λ, delta1 -> δ1, delta_mu -> δ_μ, dW2."""
    name = parts_of(tensor)
    return (
        ("d" if name.gradient else "") + _text_symbol(name.base) + "_".join(map(_text_symbol, name.suffix.split("_")))
    )


def _text_symbol(word: str) -> str:
    return GREEK[word][0] if word in GREEK else word


def latex_name(tensor: Tensor, indices: str = "", mark: str = "") -> str:
    r"""The name in LaTeX, W_{1}, \delta^{(1)}, \hat{x}, with more indices below and a mark (a transpose) above.

    A gradient is \frac{\partial L}{\partial W_{1}}.
    """
    name = parts_of(tensor)
    symbol, below, above = _latex_parts(name.base, name.suffix)
    below = ",".join(filter(None, (below, indices)))
    symbol += (f"_{{{below}}}" if below else "") + (f"^{{{above}{mark}}}" if above or mark else "")
    return rf"\frac{{\partial L}}{{\partial {symbol}}}" if name.gradient else symbol


def _latex_parts(base: str, suffix: str) -> tuple[str, str, str]:
    """Symbol, subscript and superscript."""
    inner = suffix.lstrip("_")
    if base in GREEK:
        symbol = GREEK[base][1]
    elif base.endswith("hat") and len(base) > 3:
        symbol = rf"\hat{{{_latex_parts(base[:-3], '')[0]}}}"
    else:
        symbol = base if len(base) == 1 else rf"\mathit{{{base}}}".replace("_", r"\_")
    if not inner:
        return symbol, "", r"\prime" * len(suffix)
    if inner.isdigit():
        return (symbol, "", f"({inner})") if base == "delta" else (symbol, inner, "")
    match = NAME.fullmatch(inner)
    if match is None:
        return symbol, inner.replace("_", r"\_"), ""
    deeper, below, _ = _latex_parts(match.group(1), match.group(2) or "")
    return symbol, deeper + (f"_{{{below}}}" if below else ""), ""


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
