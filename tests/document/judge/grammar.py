r"""Reads a formula: side by side binds more tightly than \odot and \oslash, those more tightly than + and -.

A sum sign reaches to the next + or -; a function without parentheses takes what stands next to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from tests.document.judge.lines import UnreadableError
from tests.document.judge.names import is_partial, key, symbol_at
from tests.document.judge.tokens import group, parted, tokens
from tests.document.judge.tree import (
    Call,
    Cases,
    Compared,
    Entrywise,
    Iverson,
    Joined,
    Modulo,
    Node,
    Number,
    Ones,
    Power,
    Product,
    Quotient,
    Running,
    Sum,
    Symbol,
    Tokens,
    Transposed,
)

WORD = re.compile(r"\\(text|operatorname|mathrm)\{(.*)\}")
FUNCTIONS = {
    rf"\{name}": name
    for name in ("exp", "log", "ln", "tanh", "sinh", "cosh", "sin", "cos", "arctan", "max", "min", "sigma")
}
FENCES = {r"\lvert": (r"\rvert", "abs"), r"\lfloor": (r"\rfloor", "floor"), r"\lceil": (r"\rceil", "ceil")}
RELATIONS = {"<": "<", ">": ">", "=": "=", r"\le": "<=", r"\leq": "<=", r"\ge": ">=", r"\geq": ">=", r"\ne": "!="}
ENDS = {")", "]", "}", ",", ";", "&", "+", "-", r"\odot", r"\oslash", r"\bmod", r"\rVert", r"\}", r"\\", *RELATIONS}
ENDS |= {close for close, _ in FENCES.values()} | {r"\end{cases}"}


class Grammar:
    """One formula. `known` are the names that are defined: \\sigma( and d Z mean something else where they are."""

    def __init__(self, found: Tokens, known: Collection[str]) -> None:
        self.tokens, self.place, self.known = found, 0, known

    def whole(self) -> Node:
        made = self.sum()
        if self.place < len(self.tokens):
            raise UnreadableError(f"cannot read on at: {' '.join(self.tokens[self.place :])}")
        return made

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if not token or token not in wanted:
            return ""
        self.place += 1
        return token

    def expect(self, *wanted: str) -> str:
        token = self.take(*wanted)
        if not token:
            raise UnreadableError(f"{wanted} expected before: {' '.join(self.tokens[self.place :])}")
        return token

    def group(self) -> Tokens:
        found, self.place = group(self.tokens, self.place)
        return found

    def inner(self, found: Tokens) -> Node:
        return Grammar(found, self.known).whole()

    def sum(self) -> Node:
        signs = [-1 if self.take("-") else 1]
        terms = [self.entrywise()]
        while sign := self.take("+", "-"):
            signs.append(1 if sign == "+" else -1)
            terms.append(self.entrywise())
        made = terms[0] if signs == [1] else Sum(tuple(terms), tuple(signs))
        if self.take(r"\bmod"):
            right = self.product()
            if signs != [1] or self.peek() in {"+", "-", r"\odot", r"\oslash"}:
                raise UnreadableError(r"what \bmod stands between is not clear")
            return Modulo(made, right)
        return made

    def entrywise(self) -> Node:
        factors, signs = [self.product()], []
        while sign := self.take(r"\odot", r"\oslash"):
            signs.append(sign)
            factors.append(self.product())
        return Entrywise(tuple(factors), tuple(signs)) if signs else factors[0]

    def product(self) -> Node:
        factors: list[Node] = []
        while self.peek() and not self.ends():
            if self.take("/"):
                factors = [Quotient(_product(factors), self.factor())]
            elif not self.take(r"\cdot"):
                factors.append(self.factor())
        return _product(factors)

    def ends(self) -> bool:
        return self.peek() in ENDS or self.peek().startswith(r"\text{")

    def factor(self) -> Node:
        made = self.atom()
        while self.take("^"):
            made = self.raised(made, self.group())
        if self.peek() == "_":
            raise UnreadableError(f"an index below what is no name: {' '.join(self.tokens)}")
        return made

    def raised(self, base: Node, above: Tokens) -> Node:
        if above and above[-1] == r"\top":
            return Transposed(self.raised(base, above[:-1]) if len(above) > 1 else base)
        if above and above[0] == r"\circ":
            return Power(base, self.inner(above[1:]), entrywise=True)
        return Power(base, self.inner(above))

    def atom(self) -> Node:
        token = self.peek()
        if token in _ATOMS:
            self.place += 1
            return _ATOMS[token](self)
        if token == r"\frac" and not is_partial(self.tokens, self.place):
            self.place += 1
            return self.fraction()
        if token in FUNCTIONS and token not in self.known:
            return self.function(FUNCTIONS[self.expect(token)])
        if token in FENCES:
            close, name = FENCES[self.expect(token)]
            made = self.sum()
            self.expect(close)
            return Call(name, (made,))
        if word := WORD.fullmatch(token):
            self.place += 1
            return self.function(word.group(2).replace(r"\,", ""))
        if token[:1].isdigit():
            self.place += 1
            return Number(float(token))
        made, self.place = symbol_at(self.tokens, self.place, self.known)
        return made

    def function(self, name: str) -> Node:
        below = self.group() if self.take("_") else ()
        if name in {"max", "argmax"} and below:
            letters, written = _letters(below)
            return Running(name, letters, self.factor(), written)
        name = f"{name}_{''.join(below)}" if below else name
        if not self.take("("):
            return Call(name, (self.factor(),))
        args = [self.sum()]
        while self.take(","):
            args.append(self.sum())
        self.expect(")")
        return Call(name, tuple(args))

    def running_sum(self) -> Node:
        letters, written = _letters(self.group()) if self.take("_") else ((), ())
        return Running("sum", letters, self.entrywise(), written)

    def parenthesis(self) -> Node:
        start = self.place
        made = self.sum()
        end = self.place
        self.expect(")")
        if self.peek() == "_" and isinstance(made, Symbol) and not made.below:
            whole, _ = symbol_at(self.tokens[start:end], 0, self.known)
            self.expect("_")
            return Symbol(key(whole), parted(self.group()))
        return made

    def bracket(self) -> Node:
        made = self.condition()
        self.expect("]")
        return Iverson(made)

    def condition(self) -> Node:
        made = [self.comparison()]
        words = set()
        while self.peek() in {r"\text{ and }", r"\text{ or }"}:
            words.add("and" if "and" in self.expect(self.peek()) else "or")
            made.append(self.comparison())
        if len(words) > 1:
            raise UnreadableError("and beside or")
        return Joined(words.pop(), tuple(made)) if words else made[0]

    def comparison(self) -> Node:
        start = self.place
        try:
            return self.compared()
        except UnreadableError:
            self.place = start
            self.expect("(")
            made = self.condition()
            self.expect(")")
            return made

    def compared(self) -> Node:
        sides, signs = [self.sum()], []
        while self.peek() in RELATIONS:
            signs.append(RELATIONS[self.expect(*RELATIONS)])
            sides.append(self.sum())
        if not signs:
            raise UnreadableError(f"no condition: {' '.join(self.tokens)}")
        return Compared(tuple(sides), tuple(signs))

    def cases(self, close: str) -> Node:
        values, conditions = [], []
        while True:
            value = self.sum()
            self.take("&")
            if self.take(r"\text{otherwise}"):
                self.expect(close)
                return Cases(tuple(values), tuple(conditions), value)
            self.expect(r"\text{if }", r"\text{if}")
            values.append(value)
            conditions.append(self.condition())
            if self.take(close):
                return Cases(tuple(values), tuple(conditions), None)
            self.expect(r"\\", ";")

    def fraction(self) -> Node:
        above, below = self.group(), self.group()
        return Quotient(self.inner(above), self.inner(below))

    def norm(self) -> Node:
        made = self.sum()
        self.expect(r"\rVert")
        if self.take("_"):
            return Call("norm_" + "".join(self.group()), (made,))
        return Call("norm", (made,))


def _product(factors: list[Node]) -> Node:
    if not factors:
        raise UnreadableError("a factor is missing")
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def _letters(found: Tokens) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...]]:
    r"""The letters below a sum sign, and how far those run that stand between 0 \le and < 2.

    With commas each part is a letter, k1 among them.
    """
    letters: list[str] = []
    written: list[tuple[str, int]] = []
    begun: list[str] | None = None
    for part in parted(found) if "," in found else (found,) if r"\le" in found else tuple((c,) for c in found):
        from_0 = part[:2] == ("0", r"\le")
        begun = [] if from_0 and begun is None else begun
        name, less, end = "".join(part[2 * from_0 :]).partition("<")
        letters.append(name)
        if begun is not None:
            begun.append(name)
        if less and begun and end.isdigit():
            written += [(c, int(end)) for c in begun]
            begun = None
        elif less:
            begun = [""]
    if begun is not None or not all(c[:1].isalpha() for c in letters):
        raise UnreadableError(f"what a sum runs over: {' '.join(found)}")
    return tuple(letters), tuple(written)


_ATOMS: dict[str, Callable[[Grammar], Node]] = {
    "(": Grammar.parenthesis,
    "[": Grammar.bracket,
    r"\sum": Grammar.running_sum,
    r"\mathbf{1}": lambda g: Ones(),
    r"\sqrt": lambda g: Call("sqrt", (g.inner(g.group()),)),
    r"\lVert": Grammar.norm,
    r"\begin{cases}": lambda g: g.cases(r"\end{cases}"),
    r"\{": lambda g: g.cases(r"\}"),
}


def read(text: str, known: Collection[str]) -> Node:
    """The tree of a formula."""
    return Grammar(tokens(text), known).whole()
