"""Print scalar expressions. The printer prints: what to compute, share or hoist was decided before."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from sympy import ITE, Add, And, Expr, Float, Integer, Mul, Number, Or, Piecewise, Pow, Rational, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanTrue

from ..errors import EmissionError
from ..language.brackets import At, Inside
from ..language.indices import entries_of
from ..language.nodes import Entry, Index, Over, Size
from ..lower.program import Where
from .dialect import Dialect

FLOAT_MAX, DOUBLE_MAX = Integer(2) ** 128 - Integer(2) ** 103, Integer(2) ** 1024 - Integer(2) ** 970
SUM, MATMUL, PRODUCT, UNARY, POWER, ATOM = 1, 2, 3, 4, 5, 6
RELATIONS = {"==": "==", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


class Printer:
    """Expressions to text. `leaf` spells entries, sizes, indices and any node that the target has words for."""

    def __init__(self, dialect: Dialect, leaf: Callable[[Expr], str | tuple[str, int] | None]) -> None:
        self.dialect = dialect
        self.leaf = leaf

    def text(self, expr: Expr, level: int = 0) -> str:
        """The spelling of `expr`, in parentheses where its surroundings (`level`) bind tighter."""
        spelled, own = self.spelled(expr)
        return f"({spelled})" if own < level else spelled

    def spelled(self, e: Expr) -> tuple[str, int]:
        """The spelling of `e` and how tightly it binds."""
        leaf = self.leaf(e)
        if leaf is not None:
            return leaf if isinstance(leaf, tuple) else (leaf, ATOM)
        if isinstance(e, Number):
            return self._number(e)
        if isinstance(e, Add):
            return self._sum(e), SUM
        if isinstance(e, Mul):
            return self._product(e)
        if isinstance(e, Pow):
            return self._power(e)
        if isinstance(e, Piecewise):
            return self._choice(e.args), ATOM
        if isinstance(e, Where):
            return self._where(e)
        if isinstance(e, (Symbol, Index)):
            return e.name, ATOM
        if isinstance(e, (Entry, Over, Size)):
            raise EmissionError(f"{e} has no spelling here; lowering should have replaced it")
        if e.func in self.dialect.functions:
            return self._call(e), ATOM
        if e.is_number:
            return self._number(Float(e, 20))
        raise EmissionError(f"{e}: {type(e).__name__} has no spelling in {self.dialect.name}")

    def _number(self, e: Number) -> tuple[str, int]:
        if abs(e) > (FLOAT_MAX if self.dialect.suffix == "f" else DOUBLE_MAX):
            raise EmissionError(f"the constant {e} is larger than any number of the program's type")
        if isinstance(e, Integer):
            text = str(int(e)) if self.dialect.name == "numpy" else f"{int(e)}.0{self.dialect.suffix}"
        elif isinstance(e, Rational) and self.dialect.name == "numpy" and max(abs(e.p), e.q) < 1000:
            return f"{e.p}/{e.q}", PRODUCT
        else:
            text = f"{float(e)!r}{self.dialect.suffix}"
        if "inf" in text or "nan" in text:
            raise EmissionError(f"the constant {e} is not a finite number")
        return text, (UNARY if text.startswith("-") else ATOM)

    def _sum(self, e: Add) -> str:
        text = ""
        for term in self._ordered_terms(e):
            negative = _is_negative(term)
            body = self.text(-term if negative else term, MATMUL)
            if text:
                text += f" - {body}" if negative else f" + {body}"
            else:
                text = f"-{body}" if negative else body
        return text

    def _ordered_terms(self, e: Add) -> list[Expr]:
        """Positive terms first, products of tensors before single ones, numbers first of all."""
        return sorted(e.args, key=lambda t: (_is_negative(t), not isinstance(t, Number), -self.weight(t), t.sort_key()))

    def weight(self, e: Expr) -> int:
        """How much stands in a term; heavy ones come first in a sum."""
        return len(entries_of(e)) + 2 * len(e.atoms(Over))

    def _product(self, e: Mul) -> tuple[str, int]:
        if _is_negative(e):
            return f"-{self.text(-e, PRODUCT)}", UNARY if self.dialect.name == "numpy" else PRODUCT
        above, below = [], []
        for factor in sorted(e.args, key=_factor_key):
            if isinstance(factor, Pow) and _is_negative(factor.exp):
                below.append(Pow(factor.base, -factor.exp))
            elif isinstance(factor, Rational) and not isinstance(factor, Integer) and factor.p == 1:
                below.append(Integer(factor.q))
            else:
                above.append(factor)
        top = "*".join(self.text(f, PRODUCT if i == 0 else UNARY) for i, f in enumerate(above)) or self.text(Integer(1))
        if not below:
            return top, PRODUCT
        bottom = self.text(below[0], POWER) if len(below) == 1 else f"({'*'.join(self.text(f, UNARY) for f in below)})"
        return f"{top}/{bottom}", PRODUCT

    def _power(self, e: Pow) -> tuple[str, int]:
        base, exponent = e.base, e.exp
        if _is_negative(exponent):
            return f"{self.text(Integer(1))}/{self.text(Pow(base, -exponent), POWER)}", PRODUCT
        if exponent == Rational(1, 2):
            return f"{self.dialect.root}({self.text(base)})", ATOM
        if self.dialect.name != "numpy" and exponent in (2, 3, 4):
            return f"sbp_pow{exponent}({self.text(base)})", ATOM
        loose = "(" in self.dialect.power
        spelled = self.dialect.power.format(
            base=self.text(base, 0 if loose else ATOM), exponent=self.text(exponent, 0 if loose else POWER)
        )
        return spelled, ATOM if loose else POWER

    def _choice(self, branches: tuple[Expr, ...]) -> str:
        value, condition = branches[0].args
        if isinstance(condition, BooleanTrue):
            return self.text(value)
        if len(branches) == 1:
            raise EmissionError(f"a piecewise expression without a last case: {branches[0]}")
        yes, no = self.text(value), self._choice(branches[1:])
        return self.dialect.choice.format(condition=self.condition(condition), yes=yes, no=no)

    def _where(self, e: Where) -> tuple[str, int]:
        """A value where all tests hold that are still open ("1": it does), else 0."""
        value, *tests = e.args
        asked = [t for t in map(self.condition, tests) if t != "1"]
        if not asked:
            return self.spelled(value)
        condition = reduce(lambda one, two: self.dialect.both.format(left=one, right=two), asked)
        return self.dialect.choice.format(condition=condition, yes=self.text(value), no="0"), ATOM

    def condition(self, e: Expr) -> str:
        """A comparison, or several joined by and, or, if-then-else."""
        if isinstance(e, (At, Inside)):
            return Printer.spelled(self, e)[0]
        if isinstance(e, ITE):
            return self.condition(e.to_nnf())
        if isinstance(e, (And, Or)):
            joint = self.dialect.both if isinstance(e, And) else self.dialect.either
            text, *others = sorted(self.condition(a) for a in e.args)
            for other in others:
                text = joint.format(left=text, right=other)
            return text
        if not isinstance(e, Relational) or e.rel_op not in RELATIONS:
            raise EmissionError(f"the condition {e} has no spelling; use comparisons")
        return f"{self.text(e.lhs, SUM)} {RELATIONS[e.rel_op]} {self.text(e.rhs, SUM)}"

    def _call(self, e: Expr) -> str:
        name = self.dialect.functions[e.func]
        args = sorted(e.args, key=_factor_key) if len(e.args) > 1 else e.args
        text = self.text(args[0])
        for other in args[1:]:
            text = f"{name}({text}, {self.text(other)})"
        return text if len(args) > 1 else f"{name}({text})"


def _is_negative(e: Expr) -> bool:
    if isinstance(e, Number):
        return bool(e < 0)
    return isinstance(e, Mul) and isinstance(e.args[0], Number) and bool(e.args[0] < 0)


def _factor_key(e: Expr) -> tuple[int, object]:
    """Numbers, then scalars, then entries, then everything else; by name within."""
    if isinstance(e, Number):
        rank = 0
    elif isinstance(e, (Symbol, Size)) or (isinstance(e, Entry) and not e.indices):
        rank = 1
    else:
        rank = 2 if isinstance(e, Entry) else 3
    return rank, e.sort_key()
