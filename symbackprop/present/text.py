"""A derivation in plain text, in aligned columns: equation, shape, number, remarks."""

from __future__ import annotations

from ..records import Derivation, Note, Update
from .notes import SIGMA, definition_of_sigma, english
from .pages import Line, Section, sections, update_tensors
from .printer import ADD, ATOM, CALL, FACTOR, HADAMARD, PRODUCT, SUM, Printed, Printer
from .symbols import GREEK, text_name
from .tree import (
    Add,
    Apply,
    Bracket,
    Cases,
    Constant,
    Divide,
    Hadamard,
    Leaf,
    Letter,
    Node,
    Norm,
    Number,
    Ones,
    Partial,
    Power,
    Running,
    Scale,
    Spread,
    Subscript,
    Through,
    Total,
    Trace,
    Transpose,
)

SHAPES_AT = 44
"""Width of the column of equations, if no equation with a shape needs more."""
LONGEST = 76
"""An equation longer than this does not push the columns to the right."""
SUPERSCRIPT = {"2": "²", "3": "³"}


WORDS = {"sigma": "σ", ">=": "≥", "<=": "≤", "!=": "≠"}


class TextPrinter(Printer):
    """Unicode text: x W1ᵀ + 1 b1ᵀ, (δ2 W2) ⊙ [z1 > 0], ‖W1‖²."""

    words = WORDS

    def name(self, node: Leaf | Subscript) -> str:
        """A tensor's name; next(v) is v⁺."""
        return text_name(node.tensor) + ("⁺" if isinstance(node, Leaf) and node.new else "")

    def fraction(self, above: str, below: str) -> str:
        """above/below."""
        return f"{above}/{below}"

    def _letter(self, node: Letter) -> Printed:
        return node.name, ATOM

    def _constant(self, node: Constant) -> Printed:
        return GREEK.get(node.name, (node.name,))[0], ATOM

    def _subscript(self, node: Subscript) -> Printed:
        return f"{self.name(node)}[{', '.join(self.show(i) for i in node.indices)}]", ATOM

    def _ones(self, node: Ones) -> Printed:
        return "1", ATOM

    def _transpose(self, node: Transpose) -> Printed:
        return self.show(node.arg, ATOM) + "ᵀ", FACTOR

    def _scale(self, node: Scale) -> Printed:
        """(p - y)/N and 2 (z - y)/N, but λ/2 (‖W1‖² + ‖W2‖²) and 1/N δᵀ a."""
        core, below = node.core, self._below(node)
        last, alone = (FACTOR, FACTOR) if core is not None else (FACTOR if below else CALL, PRODUCT)
        above = self.factors(node.numerator, last, alone)
        if core is None:
            return (f"{above or '1'}/{below}" if below else above), PRODUCT
        plain = all(isinstance(n, Number) for n in node.numerator)
        if below and plain and isinstance(core, Add) and not _holds_totals(core):
            return f"{above} {self.show(core, FACTOR)}/{below}".lstrip(), PRODUCT
        front = f"{above or '1'}/{below}" if below else above
        level = {Total: SUM, Running: SUM, Hadamard: HADAMARD, Divide: HADAMARD}.get(type(core), PRODUCT)
        return f"{front} {self.show(core, level)}", level

    def _below(self, node: Scale) -> str:
        if len(node.denominator) > 1:
            return self.group(self.factors(node.denominator))
        return "".join(self.show(n, FACTOR) for n in node.denominator)

    def _power(self, node: Power) -> Printed:
        exponent = self.show(node.exponent, ATOM)
        if node.elementwise:
            return f"{self.show(node.base, ATOM)}^∘{exponent}", FACTOR
        return self.show(node.base, ATOM) + SUPERSCRIPT.get(exponent, f"^{exponent}"), FACTOR

    def _apply(self, node: Apply) -> Printed:
        arg = node.args[0]
        if node.function == "abs":
            return f"|{self.show(arg)}|", ATOM
        if node.function in ("floor", "ceiling"):
            left, right = ("⌊", "⌋") if node.function == "floor" else ("⌈", "⌉")
            return left + self.show(arg) + right, ATOM
        if node.function == "sqrt":
            return f"√{self.show(arg, ATOM)}", FACTOR
        if node.function == "exp" and _is_short(arg):
            return f"e^{self.show(arg)}", FACTOR
        if node.function == "log" and isinstance(arg, (Leaf, Subscript, Apply)) and self.printed(arg)[1] == ATOM:
            return f"log {self.show(arg)}", CALL
        return self._call(node)

    def _total(self, node: Total) -> Printed:
        least = HADAMARD if isinstance(node.arg, Hadamard) else CALL
        return f"Σ {self.show(node.arg, least)}", SUM

    def _running(self, node: Running) -> Printed:
        letters = ",".join(f"0≤{','.join(some)}<{size}" if size else ",".join(some) for some, size in node.parts())
        if node.kind == "sum":
            return f"Σ_{letters} {self.show(node.body, SUM)}", SUM
        return f"{node.kind}_{letters}({self.show(node.body)})", ATOM

    def _spread(self, node: Spread) -> Printed:
        return self.printed(node.arg)

    def _trace(self, node: Trace) -> Printed:
        return f"tr({self.show(node.arg)})", ATOM

    def _norm(self, node: Norm) -> Printed:
        return f"‖{self.show(node.arg)}‖{'²' if node.kind == 2 else '₁'}", ATOM

    def _bracket(self, node: Bracket) -> Printed:
        return f"[{self.show(node.condition)}]", ATOM

    def _cases(self, node: Cases) -> Printed:
        parts = [f"{self.show(value)} if {self.show(condition)}" for value, condition in node.branches]
        if node.otherwise is not None:
            parts.append(f"{self.show(node.otherwise)} otherwise")
        return "{" + "; ".join(parts) + "}", ATOM

    def _partial(self, node: Partial) -> Printed:
        return f"∂{self.show(node.of, ATOM)}/∂{self.show(node.by, ATOM)}", FACTOR

    def _through(self, node: Through) -> Printed:
        return f"{self.show(node.derivative, ATOM)}|({node.number})", ATOM


def _holds_totals(core: Add) -> bool:
    return any(isinstance(t, (Total, Norm, Trace, Running, Scale)) for _, t in core.terms)


def _is_short(node: Node) -> bool:
    if isinstance(node, Add) and len(node.terms) == 1:
        node = node.terms[0][1]
    return isinstance(node, (Leaf, Subscript))


def show(node: Node, least: int = ADD) -> str:
    """One node in plain text."""
    return TextPrinter().show(node, least)


def text(derivation: Derivation, computed: bool = False) -> str:
    """The derivation in plain text: forward, loss, backward, gradients, update.

    Every equation stands with the shape of its left side and its number. `computed=True` adds the form that kernels
    compute below each equation where it differs from the printed one.
    """
    blocks = [(section, _rows(section, computed)) for section in sections(derivation)]
    shaped = [len(row[0]) for _, rows in blocks for row in rows if row[1]]
    column = max([SHAPES_AT, *(width for width in shaped if width <= LONGEST)]) + 2
    shapes = max((len(row[1]) for _, rows in blocks for row in rows), default=0)
    lines = []
    for section, rows in blocks:
        lines.append(section.name if section.update is None else f"update   ({_remark(section.update)})")
        lines += [_line(row, column, shapes + 3) for row in rows]
    return "\n".join(lines)


def _remark(update: Update) -> str:
    """What the letters of an update stand for."""
    used, fresh = update_tensors(update)
    parts = [f"{text_name(update.theta)} is an entry of a parameter", f"{text_name(update.gradient)} of its gradient"]
    if update.step in used:
        parts.append(f"{text_name(update.step)} counts steps from 1")
    return f"{update.name}; {', '.join(parts)}; {text_name(fresh)}⁺ is the new {text_name(fresh)}"


Row = tuple[str, str, str, str]


def _rows(section: Section, computed: bool) -> list[Row]:
    """Equation, shape, number and remarks of every line of a section."""
    names = [show(line.form.lhs) for line in section.lines]
    width = max(2, *map(len, names))
    rows = []
    for name, line in zip(names, section.lines, strict=True):
        number = f"({line.number})" if line.number else ""
        rows.append(
            (f"  {name.ljust(width)} = {show(line.form.rhs)}", line.shape, number, "; ".join(map(_note, line.notes)))
        )
        if computed and line.computed is not None:
            rows.append((f"    computed as {_computed(line)}", "", "", ""))
    if section.update is not None and section.update.hypers:
        values = ", ".join(f"{text_name(h)} = {h.value!r}" for h in section.update.hypers)
        rows.append((f"  with {values}", "", "", ""))
    return rows


def _note(note: Note) -> str:
    return show(definition_of_sigma()) if note == SIGMA else english(note)


def _computed(line: Line) -> str:
    assert line.computed is not None
    left = f"{show(line.computed.lhs)} = " if line.computed.indexed != line.form.indexed else ""
    return left + show(line.computed.rhs)


def _line(row: Row, column: int, shapes: int) -> str:
    equation, shape, number, note = row
    if not shape and not number:
        return f"{equation}   {note}".rstrip()
    left = f"{equation.ljust(column - 2)}  {shape}" if shape else equation
    return f"{left.ljust(column + shapes - 2)}  {number.ljust(4)}  {note}".rstrip()
