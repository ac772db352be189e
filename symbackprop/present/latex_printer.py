r"""Trees in LaTeX. Where a long line may be broken stands a mark: `BREAK` at an operator, `SOFT` between factors."""

from __future__ import annotations

import re

from ..language.tensor import Dim, Tensor
from .functions import FUNCTIONS
from .printer import ATOM, CALL, FACTOR, HADAMARD, SUM, Printed
from .symbols import GREEK, latex_symbol
from .tree import (
    Apply,
    Bracket,
    Cases,
    Constant,
    Hadamard,
    Leaf,
    Letter,
    Node,
    Norm,
    Ones,
    Partial,
    Power,
    Running,
    Scale,
    Size,
    Subscript,
    Through,
    Total,
    Trace,
    Transpose,
)
from .typeset import Typeset, is_short, is_signed, log_takes
from .view import PLAIN, View

BREAK, SOFT = "\x1f", "\x1e"
INSIDE = 3
"""Factors side by side that make a fraction worth breaking; what is shorter stays one where others are opened."""
WORD = r"\\math(?:it|bf|rm)\{[^{}]{2,}\}"
ENDS, STARTS = re.compile(WORD + r"([_^]\{([^{}]|\{[^{}]*\})*\})*$"), re.compile(rf"[A-Za-z]?{WORD}")
TALL = (r"\frac", r"\sum", r"\begin", r"\sqrt", r"\Bigl")


WORDS = {
    **FUNCTIONS,
    ">=": r"\ge",
    "<=": r"\le",
    "!=": r"\ne",
    "mod": r"\bmod",
}


class LatexPrinter(Typeset):
    r"""x W_{1}^{\top} + \mathbf{1} b_{1}^{\top}.

    `opened` writes sums behind fractions, not in them; `inline` writes quotients on one line; both can be broken.
    `shapes` stand below the factors where the notation says so, if nothing else is asked.
    """

    plus = BREAK + " + "
    minus = BREAK + " - "
    times = BREAK + r" \odot "
    over = BREAK + r" \oslash "
    space = SOFT + " "
    dot = r" \cdot "

    def __init__(
        self,
        view: View = PLAIN,
        inline: bool = False,
        opened: bool = False,
        shapes: bool | None = None,
    ) -> None:
        super().__init__(view, opened, shapes)
        self.inline = inline
        spoken = {word: rf"\text{{ {view.spoken[word]} }}" for word in ("and", "or")}
        self.words = {**WORDS, **spoken}

    def name(self, node: Leaf | Subscript) -> str:
        """A tensor's name; next(v) is v^{+}."""
        return self.symbol(node.tensor, mark="+" if isinstance(node, Leaf) and node.new else "")

    def under(self, text: str, sides: tuple[Dim | int, ...]) -> str:
        """The text with a shape below it."""
        shown = r"\times ".join(str(s) if isinstance(s, int) else self.show(Size(s)) for s in sides)
        return rf"\underset{{\scriptscriptstyle {shown}}}{{{text}}}"

    def symbol(self, tensor: Tensor, indices: str = "", mark: str = "") -> str:
        """The tensor's symbol in the view's notation."""
        return latex_symbol(self.view.symbol(tensor), indices, mark)

    def gap(self, left: str, right: str) -> str:
        """A thin space beside words, and between factors with shapes below them."""
        shapes = r"\underset" in left and right.startswith(r"\underset")
        return r"\," if shapes or ENDS.search(left) or STARTS.match(right) else ""

    def number(self, value: int | float) -> str:
        """1e-08 is written as a power of ten."""
        mantissa, _, exponent = super().number(value).partition("e")
        if not exponent:
            return mantissa
        return ("" if mantissa == "1" else rf"{mantissa} \cdot ") + f"10^{{{int(exponent)}}}"

    def fraction(self, above: str, below: str) -> str:
        r"""\frac{above}{below}."""
        return rf"\frac{{{_whole(above)}}}{{{_whole(below)}}}"

    def group(self, text: str) -> str:
        """Parentheses as large as what they hold needs; they may stand on different lines."""
        if any(tall in text for tall in TALL):
            return rf"\Bigl({text}\Bigr)"
        return rf"\bigl({text}\bigr)" if "(" in text else f"({text})"

    def _letter(self, node: Letter) -> Printed:
        return node.name, ATOM

    def _constant(self, node: Constant) -> Printed:
        return GREEK.get(node.name, ("", node.name))[1], ATOM

    def _subscript(self, node: Subscript) -> Printed:
        shown = [_whole(self.show(i)) for i in node.indices]
        return self.symbol(node.tensor, ("" if all(len(s) == 1 for s in shown) else ", ").join(shown)), ATOM

    def _ones(self, node: Ones) -> Printed:
        return self.shaped(r"\mathbf{1}", (node.dim, 1)), ATOM

    def _transpose(self, node: Transpose) -> Printed:
        arg = node.arg
        if isinstance(arg, Leaf):
            short = self.view.symbol(arg.tensor).gradient in ("", "d")
            name = self.symbol(arg.tensor, mark=r"\top") if short else self.group(self.name(arg)) + r"^{\top}"
            return self.shaped(name, self.shape(arg.tensor, turned=True)), FACTOR
        if isinstance(arg, Ones):
            return self.shaped(r"\mathbf{1}^{\top}", (1, arg.dim)), FACTOR
        return self.show(arg, ATOM) + r"^{\top}", FACTOR

    def _quotient(self, node: Scale, front: tuple[Node, ...], above: str) -> str:
        below = self.factors(node.denominator)
        if not self.inline or (BREAK not in above + below and (above + below).count(SOFT) < INSIDE):
            return super()._quotient(node, front, above)
        if len(node.denominator) > 1:
            below = self.group(below)
        elif self.printed(node.denominator[0])[1] < FACTOR:
            below = self.show(node.denominator[0], FACTOR)
        return f"{above or '1'}{BREAK} / {below}"

    def _power(self, node: Power) -> Printed:
        base, exponent = self.show(node.base, ATOM), _whole(self.show(node.exponent))
        if "^" in base and isinstance(node.base, (Leaf, Subscript)):
            base = self.group(base)
        mark = r"\circ " if node.elementwise else ""
        return f"{base}^{{{mark}{exponent}}}", FACTOR

    def _apply(self, node: Apply) -> Printed:
        arg = node.args[0]
        if node.function in FENCES:
            left, right = FENCES[node.function]
            return f"{left} {self.show(arg)} {right}", ATOM
        if node.function == "sqrt":
            return (rf"\sqrt{{{_whole(self.show(arg))}}}", FACTOR) if not self.inline else self._root(arg)
        if node.function == "exp":
            inner, short = self.show(arg), is_short(arg) or is_signed(arg)
            return (f"e^{{{inner}}}", FACTOR) if short else (r"\exp" + self.group(inner), ATOM)
        if node.function == "log" and log_takes(self, arg):
            return rf"\log {self.show(arg)}", CALL
        inner = ", ".join(self.show(a) for a in node.args)
        return self.words.get(node.function, rf"\operatorname{{{node.function}}}") + self.group(inner), ATOM

    def _root(self, arg: Node) -> Printed:
        return self.show(arg, ATOM) + "^{1/2}", FACTOR

    def _total(self, node: Total) -> Printed:
        least = HADAMARD if isinstance(node.arg, Hadamard) else CALL
        return rf"\sum {self.show(node.arg, least)}", SUM

    def _running(self, node: Running) -> Printed:
        plain = not node.windows and node.kind != "sum" and all(len(c) == 1 for c in node.letters)
        ranges = (rf"0 \le {', '.join(some)} < {size}" if size else ",".join(some) for some, size in node.parts())
        letters = "".join(node.letters) if plain else r",\, ".join(ranges)
        if node.kind == "sum":
            return rf"\sum_{{{letters}}} {self.show(node.body, SUM)}", SUM
        word = r"\max" if node.kind == "max" else r"\operatorname{arg\,max}"
        return rf"{word}_{{{letters}}} {self.show(node.body, FACTOR)}", CALL

    def _trace(self, node: Trace) -> Printed:
        return r"\operatorname{tr}" + self.group(self.show(node.arg)), ATOM

    def _norm(self, node: Norm) -> Printed:
        mark = "^{2}" if node.kind == 2 else "_{1}"
        return rf"\lVert {self.show(node.arg)} \rVert{mark}", ATOM

    def _bracket(self, node: Bracket) -> Printed:
        return f"[{self.show(node.condition)}]", ATOM

    def _cases(self, node: Cases) -> Printed:
        spoken = self.view.spoken
        when = rf"\text{{{spoken['if']} }} "
        pairs = [(self.show(value), when + self.show(condition)) for value, condition in node.branches]
        if node.otherwise is not None:
            pairs.append((self.show(node.otherwise), rf"\text{{{spoken['otherwise']}}}"))
        if self.inline:
            return r"\bigl\{" + f";{BREAK} ".join(rf"{v}\ {c}" for v, c in pairs) + r"\bigr\}", ATOM
        rows = r" \\ ".join(f"{_whole(v)} & {_whole(c)}" for v, c in pairs)
        return rf"\begin{{cases}} {rows} \end{{cases}}", ATOM

    def _partial(self, node: Partial) -> Printed:
        of, by = self.show(node.of), self.show(node.by)
        return rf"\frac{{\partial {of}}}{{\partial {by}}}", FACTOR

    def _through(self, node: Through) -> Printed:
        return rf"{self.show(node.derivative)}\Big|_{{({node.number})}}", ATOM


FENCES = {
    "abs": (r"\lvert", r"\rvert"),
    "floor": (r"\lfloor", r"\rfloor"),
    "ceiling": (r"\lceil", r"\rceil"),
}


def _whole(text: str) -> str:
    """A part of a formula that no line break may cut."""
    return text.replace(BREAK, "").replace(SOFT, "")
