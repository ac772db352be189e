"""Trees in presentation MathML. Operators at which a long line may be broken carry the mark `BREAK` in front."""

from __future__ import annotations

import re
from html import escape

from ..language.tensor import Dim, Tensor
from .mathml import (
    BREAK,
    DEL,
    PLUS,
    SOFT,
    THIN,
    TOP,
    bare,
    fenced,
    identifier,
    mathml_symbol,
    operator,
    row,
    script,
    tight,
    whole,
    words,
)
from .printer import ATOM, CALL, FACTOR, HADAMARD, SUM, Printed
from .symbols import GREEK
from .tree import (
    Apply,
    Bracket,
    Cases,
    Constant,
    Hadamard,
    Leaf,
    Letter,
    Norm,
    Ones,
    Partial,
    Power,
    Running,
    Size,
    Subscript,
    Through,
    Total,
    Trace,
    Transpose,
)
from .typeset import Typeset, is_short, is_signed, log_takes
from .view import PLAIN, View

ONES = "<mn>\N{MATHEMATICAL BOLD DIGIT ONE}</mn>"
TALL = ("<mfrac", "<mtable", "<msqrt", "∑")
LEADING = '<mo form="infix">'
ENDS = re.compile(r"(<mtext>[^<]*</mtext></mrow>|<mi>[^<]{2,}</mi>(<m[in]>[^<]*</m[in]></msub>)?)$")
STARTS = re.compile(r"(<m(sub|sup|subsup)>)?<mi>[^<]{2,}</mi>")
SPACED = '<mo form="infix" lspace="0.2222em" rspace="0.2222em">'
SIGNS = {">=": "≥", "<=": "≤", "!=": "≠", "<": "<", ">": ">", "=": "=", "mod": "mod"}
FENCES = {"abs": ("|", "|"), "floor": ("⌊", "⌋"), "ceiling": ("⌈", "⌉")}


class MathmlPrinter(Typeset):
    """Elements of MathML one after the other: `math` or `parts` make whole formulas of them.

    `flat` parentheses have one of two sizes, so that lines may end between them; others are as large as what they hold.
    """

    plus = BREAK + operator("+")
    minus = BREAK + operator("−")
    times = BREAK + operator("⊙")
    over = BREAK + operator("⊘")
    negative = operator("−", "prefix")
    space = SOFT
    dot = operator("⋅")
    one = "<mn>1</mn>"

    def __init__(self, view: View = PLAIN, shapes: bool | None = None, flat: bool = False) -> None:
        super().__init__(view, shapes=shapes)
        self.flat = flat
        signs = {sign: ("" if sign == "mod" else BREAK) + operator(shown) for sign, shown in SIGNS.items()}
        self.words = {**signs, **{word: words(f" {view.spoken[word]} ") for word in ("and", "or")}}

    def name(self, node: Leaf | Subscript) -> str:
        """A tensor's name; next(v) is v with a plus."""
        return self.symbol(node.tensor, mark=PLUS if isinstance(node, Leaf) and node.new else "")

    def symbol(self, tensor: Tensor, indices: str = "", mark: str = "") -> str:
        """The tensor's symbol in the view's notation."""
        return mathml_symbol(self.view.symbol(tensor), indices, mark)

    def gap(self, left: str, right: str) -> str:
        """A thin space beside words."""
        return THIN if ENDS.search(left) or STARTS.match(right) else ""

    def number(self, value: int | float) -> str:
        """1e-08 is written as a power of ten."""
        mantissa, _, exponent = super().number(value).partition("e")
        if not exponent:
            return f"<mn>{mantissa}</mn>"
        power = int(exponent)
        shown = (tight("−") if power < 0 else "") + f"<mn>{abs(power)}</mn>"
        return ("" if mantissa == "1" else f"<mn>{mantissa}</mn>{self.dot}") + script("<mn>10</mn>", "", shown)

    def fraction(self, above: str, below: str) -> str:
        """above/below."""
        return f"<mfrac>{row(above)}{row(below)}</mfrac>"

    def group(self, text: str) -> str:
        """Parentheses, as large as what they hold."""
        return fenced("(", text, ")", _is_tall(text), self.flat)

    def _letter(self, node: Letter) -> Printed:
        return identifier(node.name), ATOM

    def _constant(self, node: Constant) -> Printed:
        return identifier(GREEK.get(node.name, (node.name,))[0]), ATOM

    def _size(self, node: Size) -> Printed:
        return self._dim(node.dim), ATOM

    def _dim(self, dim: Dim) -> str:
        return identifier(self.view.batch) if dim.size is None else f"<mn>{dim.size}</mn>"

    def _subscript(self, node: Subscript) -> Printed:
        return self.symbol(node.tensor, self._indices(node)), ATOM

    def _indices(self, node: Subscript) -> str:
        shown = [row(self.show(i)) for i in node.indices]
        return ("" if all(len(bare(s)) == 1 for s in shown) else tight(",")).join(shown)

    def _ones(self, node: Ones) -> Printed:
        return self.shaped(ONES, (node.dim, 1)), ATOM

    def _transpose(self, node: Transpose) -> Printed:
        arg = node.arg
        if isinstance(arg, Leaf):
            short = self.view.symbol(arg.tensor).gradient in ("", "d")
            name = self.symbol(arg.tensor, mark=TOP) if short else script(self.group(self.name(arg)), "", TOP)
            return self.shaped(name, self.shape(arg.tensor, turned=True)), FACTOR
        if isinstance(arg, Ones):
            return self.shaped(script(ONES, "", TOP), (1, arg.dim)), FACTOR
        return script(self.show(arg, ATOM), "", TOP), FACTOR

    def _power(self, node: Power) -> Printed:
        base, mark = node.base, (tight("∘") if node.elementwise else "") + row(self.show(node.exponent))
        if not isinstance(base, (Leaf, Subscript)):
            return script(self.show(base, ATOM), "", mark), FACTOR
        symbol = self.view.symbol(base.tensor)
        indices = self._indices(base) if isinstance(base, Subscript) else ""
        if symbol.above or symbol.primes or symbol.gradient or (isinstance(base, Leaf) and base.new):
            shown = script(self.group(self.symbol(base.tensor, indices) if indices else self.name(base)), "", mark)
        else:
            shown = mathml_symbol(symbol, indices, mark)
        return (self.shaped(shown, self.shape(base.tensor)) if isinstance(base, Leaf) else shown), FACTOR

    def _apply(self, node: Apply) -> Printed:
        arg = node.args[0]
        if node.function in FENCES:
            inner = self.show(arg)
            left, right = FENCES[node.function]
            return row(fenced(left, inner, right, _is_tall(inner))), ATOM
        if node.function == "sqrt":
            return f"<msqrt>{row(self.show(arg))}</msqrt>", FACTOR
        if node.function == "exp" and (is_short(arg) or is_signed(arg)):
            return script("<mi>e</mi>", "", self.show(arg)), FACTOR
        if node.function == "log" and log_takes(self, arg):
            return f"<mi>log</mi>{THIN}{self.show(arg)}", CALL
        inner = operator(",").join(self.show(a) for a in node.args)
        return self._function(node.function) + self.group(inner), ATOM

    def _function(self, name: str) -> str:
        if name in ("sum_0", "sum_1"):
            return f"<msub><mi>sum</mi><mn>{name[-1]}</mn></msub>"
        return identifier({"sigma": "σ", "atan": "arctan"}.get(name, name))

    def _total(self, node: Total) -> Printed:
        least = HADAMARD if isinstance(node.arg, Hadamard) else CALL
        return f"<mo>∑</mo>{self.show(node.arg, least)}", SUM

    def _running(self, node: Running) -> Printed:
        long = node.kind == "sum" or any(len(c) > 1 for c in node.letters)
        letters = row(tight(",").join(_range(some, size, long or bool(node.windows)) for some, size in node.parts()))
        if node.kind == "sum":
            return f"<munder><mo>∑</mo>{letters}</munder>{self.show(node.body, SUM)}", SUM
        word = "max" if node.kind == "max" else "arg\u2009max"
        sign = f'<mo movablelimits="true" lspace="0" rspace="0">{word}</mo>'
        return f"<munder>{sign}{letters}</munder>{THIN}{self.show(node.body, FACTOR)}", CALL

    def _trace(self, node: Trace) -> Printed:
        return "<mi>tr</mi>" + self.group(self.show(node.arg)), ATOM

    def _norm(self, node: Norm) -> Printed:
        inner = self.show(node.arg)
        whole = row(fenced("‖", inner, "‖", _is_tall(inner)))
        return (script(whole, "", "<mn>2</mn>") if node.kind == 2 else script(whole, "<mn>1</mn>", "")), ATOM

    def _partial(self, node: Partial) -> Printed:
        above, below = (row(self.show(n)) for n in (node.of, node.by))
        return f"<mfrac><mrow>{DEL}{above}</mrow><mrow>{DEL}{below}</mrow></mfrac>", FACTOR

    def _through(self, node: Through) -> Printed:
        bar = '<mo form="postfix" stretchy="true" lspace="0" rspace="0">|</mo>'
        number = tight("(") + f"<mn>{escape(node.number)}</mn>" + tight(")")
        return f"<msub><mrow>{row(self.show(node.derivative))}{bar}</mrow>{row(number)}</msub>", ATOM

    def _bracket(self, node: Bracket) -> Printed:
        inner = self.show(node.condition)
        return fenced("[", inner, "]", _is_tall(inner), self.flat), ATOM

    def _cases(self, node: Cases) -> Printed:
        spoken = self.view.spoken
        pairs = [(self.show(v), words(f"{spoken['if']} ") + self.show(c)) for v, c in node.branches]
        if node.otherwise is not None:
            pairs.append((self.show(node.otherwise), words(spoken["otherwise"])))
        rows = "".join(f"<mtr><mtd>{row(v)}</mtd><mtd>{row(c)}</mtd></mtr>" for v, c in pairs)
        return f'<mrow><mo form="prefix">{{</mo><mtable class="cases">{rows}</mtable></mrow>', ATOM

    def under(self, text: str, sides: tuple[Dim | int, ...]) -> str:
        """The text with a shape below it."""
        shown = tight("×").join(f"<mn>{s}</mn>" if isinstance(s, int) else self._dim(s) for s in sides)
        return f'<munder>{row(text)}<mrow class="shape">{THIN}{shown}{THIN}</mrow></munder>'


def _range(letters: tuple[str, ...], size: int, commas: bool) -> str:
    """Letters below a sum: with their range, where that is no axis's."""
    names = (tight(",") if commas else "").join(map(identifier, letters))
    return f"<mn>0</mn>{operator('≤')}{names}{operator('&lt;')}<mn>{size}</mn>" if size else names


def _is_tall(text: str) -> bool:
    return any(tall in text for tall in TALL)


def math(text: str, display: bool = False) -> str:
    """A whole formula of printed elements; `display` gives sums and fractions their full size."""
    style = ' displaystyle="true"' if display else ""
    return f"<math{style}>{row(text) if text else ''}</math>"


def parts(text: str, widest: int | None = None) -> tuple[str, ...]:
    """Printed elements cut at the operators where a line may end, and between factors what has more letters.

    An operator in front has its spaces said outright, for a browser takes it for a sign.
    """
    made: list[str] = []
    for place, part in enumerate(text.split(BREAK)):
        spaced = part.replace(LEADING, SPACED, 1) if place else part
        soft = widest is not None and len(bare(part)) > widest
        made += spaced.split(SOFT) if soft else [whole(spaced)]
    return tuple(filter(None, made))
