"""Equations as one line of text, for the comments above the loops that compute them."""

from __future__ import annotations

from sympy import Expr

from ..language.brackets import At, Inside, NotAt, Part
from ..language.indices import entries_of
from ..language.nodes import ArgMax, Entry, Held, Index, MaxOver, Over, Size, Sum
from ..language.tensor import Tensor
from ..lower.program import ARGMAX, MAP, MAX, SUM, Kernel
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
    root="sqrt",
    power="{base}^{exponent}",
)


def kernel_comments(kernel: Kernel) -> tuple[str, ...]:
    """A line for every equation that a kernel completes, as `(7) delta1[n, j] = ...`, and for every helper of one.

    Where the computed form is another than the printed one, it follows in terms of the helpers.
    """
    complete = {s.source.number for s in kernel.statements if s.lhs is s.source.lhs}
    lines: list[str] = []
    for s in kernel.statements:
        value = _line(s.lhs, s.indices, OVER[s.op].raw(s.body, s.over) if s.op != MAP else s.body)
        if s.lhs is not s.source.lhs:
            lines += [] if s.source.number in complete else [f"for ({s.source.number}): {' = '.join(value)}"]
            continue
        lines.append(f"({s.source.number}) {' = '.join(_line(s.lhs, s.source.indices, s.source.rhs))}")
        if s.source.computed is not None:
            lines.append(f"    computed as {value[1]}")
    return tuple(lines)


def _line(lhs: Tensor, indices: tuple[Index, ...], form: Expr) -> tuple[str, str]:
    """Left side and right side in one line each."""
    tensors = {e.tensor.name for e in entries_of(form)} | {lhs.name}
    letters = index_letters(dict.fromkeys(indices), tensors)
    left = f"{lhs.name}[{', '.join(letters[i] for i in indices)}]" if indices else lhs.name
    return left, _Text(letters, tensors).text(form)


OVER: dict[str, type[Over]] = {SUM: Sum, MAX: MaxOver, ARGMAX: ArgMax}
WORDS = {Sum: "sum", MaxOver: "max", ArgMax: "argmax"}


class _Text(Printer):
    """The scalar printer with entries and sums as people write them in one line."""

    def __init__(self, letters: dict[Index, str], tensors: set[str]) -> None:
        self.letters, self.tensors = letters, tensors
        super().__init__(PLAIN_TEXT, self._leaf)

    def _leaf(self, e: Expr) -> tuple[str, int] | None:
        if isinstance(e, Index):
            return self.letters.get(e, e.name), ATOM
        if isinstance(e, Size):
            return e.dim.name if e.dim.size is None else str(e.dim.size), ATOM
        if isinstance(e, Entry):
            inner = ", ".join(self.text(i) for i in e.indices)
            return (f"{e.tensor.name}[{inner}]" if inner else e.tensor.name), ATOM
        if isinstance(e, (At, Inside, Part)):
            return self._test(e), ATOM
        if isinstance(e, Over):
            if isinstance(e, Held):
                return f"({self.text(e.body)})", ATOM
            inside = _Text(index_letters((*self.letters, *e.bound), self.tensors), self.tensors)
            over = ", ".join(inside.text(i) for i in e.bound)
            return f"{WORDS[type(e)]}({inside.text(e.body)}, {over})", ATOM
        return None

    def _test(self, e: Expr) -> str:
        """A test in brackets, 1 where it holds; a digit of a number as one."""
        texts = list(map(self.text, e.args))
        if isinstance(e, Part):
            flat = texts[0] if isinstance(e.args[0], Index) else f"({texts[0]})"
            return f"{flat}//{texts[1]}%{texts[2]}"
        if isinstance(e, Inside):
            return f"[0 <= {texts[0]} < {texts[1]}]"
        return f"[{texts[0]} {'!=' if isinstance(e, NotAt) else '='} {texts[1]}]"
