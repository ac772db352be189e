"""Equations as one line of text, for the comments above the loops that compute them."""

from __future__ import annotations

from sympy import Expr

from ..language.nodes import Entry, Index, Over, Size, Sum
from ..records import Equation
from .dialect import Dialect, c_dialect
from .names import index_letters
from .printer import ATOM, Printer

_C = c_dialect("float64")
PLAIN_TEXT = Dialect(
    "numpy",
    {**_C.functions, **{f: n.replace("sbp_", "").replace("fabs", "abs") for f, n in _C.functions.items()}},
    suffix="",
    choice="where({condition}, {yes}, {no})",
    both="({left}) and ({right})",
    either="({left}) or ({right})",
    power="{base}^{exponent}",
)


def equation_text(eq: Equation) -> str:
    """`(7) delta1[n, j] = sum(W2[i, j]*delta2[n, i], i)*where(z1[n, j] > 0, 1, 0)`."""
    letters: dict[Index, str] = {}
    bound = [i for node in sorted(eq.rhs.atoms(Over), key=lambda s: s.sort_key()) for i in node.bound]
    tensors = {e.tensor.name for e in eq.rhs.atoms(Entry)} | {eq.lhs.name}
    letters = index_letters(dict.fromkeys((*eq.indices, *bound)), tensors)
    left = f"{eq.lhs.name}[{', '.join(letters[i] for i in eq.indices)}]" if eq.indices else eq.lhs.name
    return f"({eq.number}) {left} = {_Text(letters).text(eq.rhs)}"


class _Text(Printer):
    """The scalar printer with entries and sums as people write them in one line."""

    def __init__(self, letters: dict[Index, str]) -> None:
        self.letters = letters
        super().__init__(PLAIN_TEXT, self._leaf)

    def _leaf(self, e: Expr) -> tuple[str, int] | None:
        if isinstance(e, Index):
            return self.letters.get(e, e.name), ATOM
        if isinstance(e, Size):
            return e.dim.name if e.dim.size is None else str(e.dim.size), ATOM
        if isinstance(e, Entry):
            inner = ", ".join(self.text(i) for i in e.indices)
            return (f"{e.tensor.name}[{inner}]" if inner else e.tensor.name), ATOM
        if isinstance(e, Over):
            word = "sum" if isinstance(e, Sum) else type(e).__name__
            over = ", ".join(self.text(i) for i in e.bound)
            return f"{word}({self.text(e.body)}, {over})", ATOM
        return None
