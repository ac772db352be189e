"""The search for an accurate form: which rewrites are tried, in which order, on the whole and on its parts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import sympy as sp

from .branches import EXPONENT, Branches, branches_of
from .labels import label_ends, rejoined
from .peepholes import with_merged_exponentials, with_peepholes
from .probes import Grade, Probe
from .rational import OutOfReachError, is_exponential
from .roots import without_cancelling_roots
from .scaling import scaled
from .signs import without_signs
from .trees import cost, inline, rebuild, replace_values, subtrees
from .trees import replace as exchange
from .writing import cancels, in_tanh, near_zero, one_sided, proper, two_sided

DIGITS = "small_differences"
BRANCHES = "one_exponential"
LABELS = "split_by_label"
CANCELLED = "cancel"
LARGEST = "largest exponent taken out"

_SHORT_SEARCH = 3
"""After so many stages a form whose error rounded inputs explain is good enough."""

_DEEPEST = 12
"""How many searches may stand open inside each other."""

Candidate = tuple[sp.Expr, tuple[str, ...]]


@dataclass(slots=True)
class Search:
    """One search: what is known of the symbols, where forms are compared, and the results so far."""

    definitions: Mapping[sp.Symbol, sp.Expr]
    domains: Mapping[sp.Symbol, str]
    probe: Probe
    done: dict[sp.Expr, Candidate] = field(default_factory=dict)
    pending: tuple[sp.Expr, ...] = ()

    def best(self, expr: sp.Expr) -> sp.Expr:
        """The cheapest accurate form of `expr`, else the most accurate one."""
        return self.found(expr)[0]

    def found(self, expr: sp.Expr) -> Candidate:
        """The best form, and the names of the rewrites that led to it."""
        if expr not in self.done:
            self.done[expr] = (expr, ())
            if expr.args and len(self.pending) < _DEEPEST:
                self.pending += (expr,)
                self.done[expr] = self._search(expr)
                self.pending = self.pending[:-1]
        return self.done[expr]

    def _search(self, expr: sp.Expr) -> Candidate:
        tried: dict[sp.Expr, tuple[Grade, tuple[str, ...]]] = {expr: (self.probe.grade(expr, expr), ())}
        stages = iter(()) if tried[expr][0].passes else self._stages(expr)
        for count, stage in enumerate(stages):
            for form, rules in stage:
                if form not in tried:
                    tried[form] = (self.probe.grade(form, expr), rules)
            if any(g.passes or (count >= _SHORT_SEARCH and g.is_fair) for g, _ in tried.values()):
                break
        chosen = min(tried, key=lambda form: (*_rank(tried[form][0]), cost(form)))
        return chosen, tried[chosen][1]

    def _rules(self, parts: Iterable[sp.Expr], *rules: str) -> tuple[str, ...]:
        """`rules` after the rules that the parts took."""
        inner = (rule for part in parts if part in self.done for rule in self.done[part][1])
        return tuple(dict.fromkeys((*inner, *rules)))

    def _stages(self, expr: sp.Expr) -> Iterator[Iterable[Candidate]]:
        """Candidates, the cheap ones first; the search stops at the first stage with an accurate one."""
        if isinstance(expr, sp.Piecewise):
            yield [self._branch_by_branch(expr)]
            return
        small = with_peepholes(expr)
        yield [(small, (DIGITS,)), (with_merged_exponentials(small), (DIGITS,))]
        full = inline(expr, self.definitions)
        yield self._cancelled(full)
        found = list(branches_of(full))
        first = (c for b in found for c in self._finished(self._first_forms(b), b))
        own = (self._by_label(expr), self._part_by_part(small))
        yield from (*own, first) if full != expr else (first, *own)
        if full != expr:
            yield from self._as_it_stands(expr)
        for branches in found:
            yield self._finished(_second_forms(branches), branches)
        if full != expr:
            yield [(with_peepholes(full), (DIGITS,))]
            yield self._part_by_part(with_peepholes(full))
        yield [(form, (LARGEST,)) for form in scaled(full)]
        yield self._hoisted(expr)

    def _as_it_stands(self, expr: sp.Expr) -> Iterator[Iterable[Candidate]]:
        """Forms in outputs at hand, whose formulas need not be written out."""
        found = list(branches_of(expr))
        for forms in (self._first_forms, _second_forms):
            for branches in found:
                yield self._finished(forms(branches), branches)
        yield [(form, (LARGEST,)) for form in scaled(expr)]

    def _cancelled(self, full: sp.Expr) -> Iterator[Candidate]:
        """Without exponentials: the cancelled quotient, with |x| sign(x) = x, and roots that do not cancel."""
        if not any(is_exponential(n) for n in subtrees(full)):
            yield from ((form, (CANCELLED,)) for form in without_signs(full))
            yield from ((form, (CANCELLED,)) for form in without_cancelling_roots(full))

    def _branch_by_branch(self, expr: sp.Piecewise) -> Candidate:
        """Each branch made accurate where it is chosen."""
        left: sp.Basic = sp.true
        args: list[tuple[sp.Expr, sp.Basic]] = []
        rules: list[str] = []
        for value, condition in expr.args:
            here = self.probe.where(sp.And(left, condition, evaluate=False))
            form, inner = replace(self, probe=here, done={e: (e, ()) for e in self.pending}).found(value)
            args.append((form, condition))
            rules += inner
            left = sp.And(left, sp.Not(condition, evaluate=False), evaluate=False)
        return sp.Piecewise(*args, evaluate=False), tuple(dict.fromkeys(rules))

    def _hoisted(self, expr: sp.Expr) -> Iterator[Candidate]:
        """The only choice inside an expression made first, if it is one by itself."""
        choices = [n for n in subtrees(expr) if isinstance(n, sp.Piecewise)]
        if choices and all(choices[0].has(c) for c in choices[1:]):
            branches = ((exchange(expr, {choices[0]: value}), c) for value, c in choices[0].args)
            yield self._branch_by_branch(sp.Piecewise(*branches, evaluate=False))

    def _by_label(self, expr: sp.Expr) -> Iterator[Candidate]:
        for y in sorted(expr.free_symbols, key=lambda s: s.name):
            ends = label_ends(expr, y) if self.domains.get(y) == "unit" else None
            if ends is not None:
                zero, one = (self.best(e) for e in ends)
                rules = self._rules(ends, LABELS)
                yield from ((form, rules) for form in rejoined(y, zero, one))

    def _part_by_part(self, expr: sp.Expr) -> Iterator[Candidate]:
        """Terms or factors that share exponentials made accurate together, or the arguments one by one."""
        if isinstance(expr, sp.Piecewise):
            yield self._branch_by_branch(expr)
            return
        groups = self._groups(expr) if expr.is_Add or expr.is_Mul else []
        parts = groups if len(groups) > 1 else expr.args
        form = rebuild(expr, tuple(map(self.best, parts)))
        yield form, self._rules(parts)
        yield with_peepholes(form), self._rules(parts, DIGITS)

    def _groups(self, expr: sp.Expr) -> list[sp.Expr]:
        groups: list[tuple[set[sp.Symbol], list[sp.Expr]]] = []
        for arg in expr.args:
            full = inline(arg, self.definitions)
            symbols = {s for n in subtrees(full) if is_exponential(n) for s in n.free_symbols}
            touching = [g for g in groups if symbols & g[0]]
            merged = (symbols.union(*(g[0] for g in touching)), [a for g in touching for a in g[1]] + [arg])
            groups = [g for g in groups if all(g is not t for t in touching)] + [merged]
        return [expr.func(*members) for _, members in groups]

    def _first_forms(self, branches: Branches) -> Iterator[sp.Expr]:
        signs = self.probe.signs(branches.exponent)
        for sign in (1, -1):
            for shifted in (False, True)[: 1 + cancels(branches.value(sign))]:
                form = one_sided(branches, sign, shifted)
                if not branches.decided or signs == {sign}:
                    yield form
        tanh = in_tanh(branches) if not branches.decided else None
        if tanh is not None:
            yield tanh
        if len(signs) > 1:
            yield from two_sided(branches, False)

    def _finished(self, forms: Iterable[sp.Expr], branches: Branches) -> Iterator[Candidate]:
        """The forms with their inner functions made accurate, and with outputs at hand in place of their formulas."""
        g = branches.exponent
        inner = [v for v in branches.algebra.variables[2:] if v.args and not v.is_number]
        inner = [exchange(v, {EXPONENT: g}) for v in inner] + [n for n in subtrees(g) if isinstance(n, sp.Function)]
        table = {n: self.best(n) for n in inner}
        table = {n: form for n, form in table.items() if form != n}
        outputs = {f: a for a, f in self.definitions.items()}
        rules = self._rules(table, BRANCHES)
        try:
            for raw in forms:
                form = replace_values(raw, table)
                variants = (form, with_merged_exponentials(form), exchange(form, outputs))
                yield from ((variant, rules) for variant in dict.fromkeys(variants))
        except OutOfReachError:
            return


def _second_forms(branches: Branches) -> Iterator[sp.Expr]:
    if any(cancels(branches.value(sign)) for sign in (1, -1)):
        yield from two_sided(branches, True)
    for sign in (1, -1):
        if not branches.decided:
            quotient = proper(branches, sign)
            if quotient is not None:
                yield quotient
    if branches.slots:
        for far in two_sided(branches, False):
            near = near_zero(branches, far)
            if near is not None:
                yield near


def _rank(grade: Grade) -> tuple[int, int]:
    """Right everywhere, right but for rounded inputs, else by the decade of the error and how often it occurs."""
    if grade.passes or grade.is_fair:
        return (0 if grade.passes else 1), 0
    return (1000 if math.isinf(grade.fair) else 2 + int(math.log10(grade.fair))), grade.failures
