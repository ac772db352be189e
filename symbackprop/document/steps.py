"""How a backward equation comes about, step by step, in three levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sympy import Add, Expr

from ..language.nodes import Entry, Sum
from ..language.tensor import Tensor
from ..present.matrix import form
from ..present.notes import sentence
from ..present.pages import kinked, remarks_on
from ..present.tree import Leaf
from ..present.words import Sentence
from ..records import Equation, Note, Step
from ..simplify.compute import STABLE
from ..simplify.shorten import REUSE
from ..simplify.tidy import tidy
from . import lines as made
from .handovers import Handover, Handovers
from .lines import Line, Sides
from .records import Derived
from .setting import Setting

Rules = tuple[Note, ...]
SILENT = frozenset({"common_factor", "cancel"})
"""Rules that need no mention where something else happens in the same step."""


class Explanations:
    """How the backward equations of a derivation come about: called with one of them, it gives its lines.

    The level is "summary" (the equation alone), "steps" (those that lead to it, in matrices where they can be) or
    "every-index" (every step entry by entry). In a notation that writes dL/da as an equation of its own, that one comes
    before at every level.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.handovers = Handovers(setting.derivation)
        self.kinks = kinked(setting.derivation)

    def __call__(self, equation: Equation) -> Derived:
        """The steps to one adjoint or gradient equation; the last line is the equation itself."""
        view, number = self.setting.view, equation.number
        work = _Explanation(self.setting, self.handovers, self.kinks)
        source = view.source(equation.lhs)
        if source is None:
            work.add(made.in_matrices(equation, view))
        else:
            work.explain(source, equation)
        lines = made.without_repetitions(work.lines)
        numbers = [f"{number}.{step}" for step in range(1, len(lines))] + [str(number)]
        formulas = (made.formula(line, name, number, view) for line, name in zip(lines, numbers, strict=True))
        return Derived(self.setting.words("steps.heading", tensor=Leaf(source or equation.lhs)), tuple(formulas))


class _Explanation:
    """The lines of one explanation, written so far."""

    def __init__(self, setting: Setting, handovers: Handovers, kinks: frozenset[Tensor]) -> None:
        self.derivation, self.view = setting.derivation, setting.view
        self.words, self.level = setting.words, setting.level
        self.handovers, self.kinks = handovers, kinks
        self.lines: list[Line] = []
        self.told: set[Tensor] = set()
        self.named_notes: set[Note] = set()

    def add(self, sides: Sides, *rules: Sentence, remarks: Iterable[Sentence] = ()) -> None:
        """Write a line."""
        self.lines.append(Line(sides, tuple(filter(None, rules)), tuple(remarks)))

    def explain(self, source: Tensor, equation: Equation, reader: Handover | None = None) -> None:
        """The lines that end with an equation: the derivative of the loss by `source`.

        It is one of the derivation or, with a `reader`, one that stands in the place where that makes use of it.
        """
        parts = self.handovers.of(source)
        for part in parts:
            self._before(part)
        product = self._with_product(parts, equation)
        if self.level != "summary":
            totals = [self._handed(part, equation, len(parts) > 1, product) for part in parts]
            if len(parts) > 1:
                numbers = ", ".join(f"({part.number})" for part in parts)
                self.write(replace(equation, rhs=Add(*totals)), self.words("steps.added", equations=numbers))
            for after, rules in () if product else self._rewritings(source, equation, reader is not None):
                self.write(replace(equation, rhs=after), *self.named(rules))
        if reader is None or self.level == "steps" or self._is_product(reader):
            self._end(product or equation)

    def _before(self, part: Handover) -> None:
        """The derivative by the left side of an equation, where that is no equation of the derivation."""
        source = part.through
        if part.is_last or source in self.told or self.handovers.is_told(source):
            return
        if self.level == "summary" and not self._is_product(part):
            return
        self.told.add(source)
        total = Equation(self.handovers.derivative(source), part.indices, self.handovers.total(source))
        self.explain(source, tidy(total)[0], part)

    def _is_product(self, part: Handover) -> bool:
        """Whether the notation names what comes back through a product, and this does."""
        if not self.view.profile.products or part.is_last or self.handovers.is_told(part.through):
            return False
        return bool(part.is_entrywise and part.adjoint.has(Sum))

    def _with_product(self, parts: tuple[Handover, ...], equation: Equation) -> Equation | None:
        """The equation written with dL/da, where the notation does so."""
        if len(parts) != 1 or not self._is_product(parts[0]):
            return None
        derivative = self.handovers.derivative(parts[0].through)
        return tidy(replace(equation, rhs=parts[0].contracted(derivative), computed=None))[0]

    def _handed(self, part: Handover, equation: Equation, several: bool, product: Equation | None) -> Expr:
        """The lines of what one equation adds to a derivative, and what that is."""
        total = part.total
        rules: tuple[Sentence, ...] = (self._rule(part, equation),)
        if several:
            short, steps = tidy(replace(equation, rhs=total, computed=None))
            total, rules = short.rhs, (*rules, *self.named([r for s in steps for r in s.rules], silent=True))
        if self.level == "steps":
            if not part.is_last and not part.is_plain:
                self._partial(part)
            done = replace(equation, rhs=product.rhs if product else total)
            self.write(done, *rules, number=part.number if several else 0)
        elif part.is_last:
            self.write(replace(equation, rhs=total), *rules, number=part.number if several else 0)
        else:
            self._summed(part, equation, several, product)
            if several:
                self.write(replace(equation, rhs=total), *rules[1:], number=part.number)
        return total

    def _rule(self, part: Handover, equation: Equation) -> Sentence:
        number = f"({part.number})"
        if not part.is_last:
            return self.words("steps.chain", equation=number)
        penalty = part.chains[0].source in self.derivation.system.parameters
        return self.words("steps.penalty" if penalty else "steps.derivative", equation=number)

    def _partial(self, part: Handover) -> None:
        """The derivative of an equation where it is not 0."""
        sides, expr = made.local_derivative(part, self.view)
        rules = [
            self.words("steps.derivative" if part.local() is None else "steps.entrywise", equation=f"({part.number})")
        ]
        rules += self.named([Note(REUSE)]) if part.is_rewritten else ()
        self.add(sides, *rules, remarks=self._remarks(part, expr))

    def _summed(self, part: Handover, equation: Equation, several: bool, product: Equation | None) -> None:
        """The chain rule entry by entry: a sum over the left side, the derivative in it, the sum without deltas."""
        derivative, number = self.handovers.derivative(part.through), f"({part.number})"
        place = part.number if several else 0
        sides = made.chain_rule(part, (equation.lhs, derivative), self.view)
        rule = self.words("steps.chain_sum", equation=number, tensor=Leaf(part.through))
        self.add(made.through(sides, place) if several else sides, rule)
        sides, expr = made.jacobian(part, self.view, "partial" if part.is_rewritten else "factor")
        self.add(sides, self.words("steps.derivative", equation=number), remarks=self._remarks(part, expr))
        if part.is_rewritten:
            sides, expr = made.jacobian(part, self.view)
            self.add(sides, *self.named([Note(REUSE)]), remarks=self._remarks(part, expr))
        done = replace(equation, rhs=part.contracted(derivative))
        self.write(done, self.words("steps.contraction"), number=place)
        if not product and not self.handovers.is_told(part.through) and derivative.kind == "gradient":
            put_in = replace(equation, rhs=part.total)
            self.write(put_in, *self.named([Note("put_in", (derivative,))]), number=place)

    def _rewritings(self, source: Tensor, equation: Equation, in_place: bool) -> Iterable[tuple[Expr, Rules]]:
        """The simplifications of an equation: what it is after each, and the rules."""
        if in_place:
            _, steps = tidy(replace(equation, rhs=self.handovers.total(source)))
        else:
            steps = tuple(s for s in self.derivation.steps if s.tensor == equation.lhs.name and STABLE not in s.rules)
        for place, step in enumerate(steps, 1):
            if step.rules[0].key == "put_in":
                yield from self._put_in(step)
            elif place == len(steps) or any(rule.key not in SILENT for rule in step.rules):
                yield step.after, step.rules

    def _put_in(self, step: Step) -> Iterable[tuple[Expr, Rules]]:
        """Derivatives put in, as they are, and with what their tensors' definitions say."""
        expr, gone = self.handovers.written_out(step.before)
        yield expr, step.rules
        if expr != step.after:
            before = {e.tensor for e in expr.atoms(Entry)}
            new = {e.tensor for e in step.after.atoms(Entry)} - before
            yield step.after, (Note("definitions", (*gone, *sorted(new, key=lambda t: t.name))),)

    def _end(self, equation: Equation) -> None:
        """The equation itself, as it is printed."""
        shown = form(self.view.shown(equation), view=self.view)
        rules = []
        if self.level == "every-index" and equation.indices and not shown.indexed:
            rules.append(self.words("steps.matrices"))
        notes = [note for note in remarks_on(equation, self.kinks) if note not in self.named_notes]
        self.add((shown.lhs, shown.rhs), *rules, remarks=(sentence(n, self.words, self.view) for n in notes))

    def _remarks(self, part: Handover, expr: Expr) -> Iterable[Sentence]:
        notes = remarks_on(Equation(part.through, part.indices, expr), self.kinks)
        return (sentence(note, self.words, self.view) for note in notes)

    def write(self, equation: Equation, *rules: Sentence, number: int = 0) -> None:
        """Write an equation, or the part of it that comes through the equation with a number."""
        sides = (made.in_matrices if self.level == "steps" else made.by_entries)(equation, self.view)
        self.add(made.through(sides, number) if number else sides, *rules)

    def named(self, rules: Sequence[Note], silent: bool = False) -> tuple[Sentence, ...]:
        """Rules in words; those that need no mention only where nothing else happens, and not at all if `silent`."""
        self.named_notes.update(rules)
        loud = [rule for rule in rules if rule.key not in SILENT]
        return tuple(sentence(rule, self.words, self.view) for rule in (loud if loud or silent else rules))
