"""Trees in presentation MathML. Operators at which a long line may be broken carry the mark `BREAK` in front."""

from __future__ import annotations

from collections.abc import Mapping

from ..language.tensor import Dim, Tensor
from .mathml import BREAK, PLUS, THIN, TOP, bare, fenced, identifier, mathml_symbol, operator, row, script, tight, words
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
    Node,
    Norm,
    Ones,
    Power,
    Running,
    Size,
    Spread,
    Subscript,
    Total,
    Trace,
    Transpose,
)
from .typeset import Typeset, is_short, is_signed, log_takes
from .view import PLAIN, View

TALL = ("<mfrac", "<mtable", "<msqrt", "∑")
LEADING = '<mo form="infix">'
SPACED = '<mo form="infix" lspace="0.2222em" rspace="0.2222em">'
ENGLISH = {"if": "if", "otherwise": "otherwise", "and": "and", "or": "or"}
SIGNS = {">=": "≥", "<=": "≤", "!=": "≠", "<": "<", ">": ">", "=": "=", "mod": "mod"}
FENCES = {"abs": ("|", "|"), "floor": ("⌊", "⌋"), "ceiling": ("⌈", "⌉")}


class MathmlPrinter(Typeset):
    """`labels` are the words inside formulas ("if", "otherwise", "and", "or") in another language than English."""

    plus = BREAK + operator("+")
    minus = BREAK + operator("−")
    times = BREAK + operator("⊙")
    over = BREAK + operator("⊘")
    negative = operator("−", "prefix")
    space = ""
    dot = operator("⋅")
    one = "<mn>1</mn>"

    def __init__(self, view: View = PLAIN, labels: Mapping[str, str] = ENGLISH) -> None:
        super().__init__(view)
        self.labels = {**ENGLISH, **labels}
        self.words = {sign: operator(shown) for sign, shown in SIGNS.items()}
        self.words |= {word: words(f" {self.labels[word]} ") for word in ("and", "or")}

    def printed(self, node: Node) -> Printed:
        """The node and how tightly it binds; with its shape below, where the notation has shapes."""
        text, level = super().printed(node)
        return (self._above_shape(text, node), level) if self.view.notation.shapes else (text, level)

    def name(self, node: Leaf | Subscript) -> str:
        """A tensor's name; next(v) is v with a plus."""
        return self.symbol(node.tensor, mark=PLUS if isinstance(node, Leaf) and node.new else "")

    def symbol(self, tensor: Tensor, indices: str = "", mark: str = "") -> str:
        """The tensor's symbol in the view's notation."""
        return mathml_symbol(self.view.symbol(tensor), indices, mark)

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
        return fenced("(", text, ")", _is_tall(text))

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
        return "<mn>\N{MATHEMATICAL BOLD DIGIT ONE}</mn>", ATOM

    def _transpose(self, node: Transpose) -> Printed:
        if isinstance(node.arg, Leaf):
            if self.view.symbol(node.arg.tensor).gradient in ("", "d"):
                return self.symbol(node.arg.tensor, mark=TOP), FACTOR
            return script(self.group(self.name(node.arg)), "", TOP), FACTOR
        arg = super().printed(node.arg)[0] if isinstance(node.arg, Ones) else self.show(node.arg, ATOM)
        return script(arg, "", TOP), FACTOR

    def _power(self, node: Power) -> Printed:
        base, mark = node.base, (tight("∘") if node.elementwise else "") + row(self.show(node.exponent))
        if isinstance(base, (Leaf, Subscript)):
            symbol = self.view.symbol(base.tensor)
            if not (symbol.above or symbol.primes or symbol.gradient or (isinstance(base, Leaf) and base.new)):
                return mathml_symbol(symbol, self._indices(base) if isinstance(base, Subscript) else "", mark), FACTOR
            return script(self.group(super().printed(base)[0]), "", mark), FACTOR
        return script(self.show(base, ATOM), "", mark), FACTOR

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
        letters = row((tight(",") if long else "").join(map(identifier, node.letters)))
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

    def _bracket(self, node: Bracket) -> Printed:
        inner = self.show(node.condition)
        return fenced("[", inner, "]", _is_tall(inner)), ATOM

    def _cases(self, node: Cases) -> Printed:
        pairs = [(self.show(v), words(f"{self.labels['if']} ") + self.show(c)) for v, c in node.branches]
        if node.otherwise is not None:
            pairs.append((self.show(node.otherwise), words(self.labels["otherwise"])))
        rows = "".join(f"<mtr><mtd>{row(v)}</mtd><mtd>{row(c)}</mtd></mtr>" for v, c in pairs)
        return f'<mrow><mo form="prefix">{{</mo><mtable class="cases">{rows}</mtable></mrow>', ATOM

    def _spread(self, node: Spread) -> Printed:
        if self.view.notation.shapes and isinstance(node.arg, Leaf):
            return self._under(super().printed(node.arg)[0], node.arg.tensor.dims), ATOM
        return self.printed(node.arg)

    def _above_shape(self, text: str, node: Node) -> str:
        """The text with the shape of a matrix or a column below it."""
        turned = isinstance(node, Transpose)
        inner = node.arg if isinstance(node, Transpose) else node.base if isinstance(node, Power) else node
        one = Dim("one", 1)
        if isinstance(inner, Ones):
            dims: tuple[Dim, ...] = (inner.dim, one)
        elif isinstance(inner, Leaf) and inner.tensor.dims:
            dims = tuple(inner.tensor.dims[axis] for axis in self.view.order(inner.tensor))
            dims = (*dims, one) if len(dims) == 1 else dims
        else:
            return text
        return self._under(text, dims[::-1] if turned else dims)

    def _under(self, text: str, dims: tuple[Dim, ...]) -> str:
        shown = tight("×").join(map(self._dim, dims))
        return f'<munder>{row(text)}<mrow class="shape">{THIN}{shown}{THIN}</mrow></munder>'


def _is_tall(text: str) -> bool:
    return any(tall in text for tall in TALL)


def math(text: str, display: bool = False) -> str:
    """A whole formula of printed elements; `display` gives sums and fractions their full size."""
    style = ' displaystyle="true"' if display else ""
    return f"<math{style}>{row(text) if text else ''}</math>"


def parts(text: str) -> tuple[str, ...]:
    """Printed elements cut at the places where a line may end; each part but the first begins with an operator.

    Its spaces are said outright, for a browser takes an operator in front for a sign.
    """
    first, *others = text.split(BREAK)
    return (first, *(part.replace(LEADING, SPACED, 1) for part in others))
