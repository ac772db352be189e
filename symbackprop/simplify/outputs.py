"""Expressions rewritten in outputs a = f(u), where u = exp(g) or an entry that f is affine in can be solved for.

With a = 1/(1 + exp(-z)), exp(z) is a/(1 - a); with a = z w, z w^2 is a w.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from .exponentials import exponential_form
from .forms import written_forms
from .rational import Algebra, Element, OutOfReachError, algebra, by_powers, factors, to_fraction
from .trees import logistic_argument, subtrees

Definitions = tuple[tuple[sp.Symbol, sp.Expr], ...]


def solved(expr: sp.Expr, definitions: Definitions) -> Iterator[sp.Expr]:
    """`expr` with exponentials written in the outputs, one output at a time and all in turn."""
    plain = exponential_form(expr)
    rewritten = [(a, exponential_form(f)) for a, f in definitions]
    try:
        within = algebra([plain, *(f for _, f in rewritten)], [a for a, _ in definitions])
        value = to_fraction(plain, within)
        outputs = [(a, to_fraction(f, within)) for a, f in rewritten]
    except OutOfReachError:
        return
    if not within.generators.exponents:
        return
    together = value
    for a, output in outputs:
        form = _in_output(value, a, output, within)
        if form is not None:
            yield from written_forms(form, within)
        together = _in_output(together, a, output, within) or together
    if together != value:
        yield from written_forms(together, within)


def _in_output(value: Element, a: sp.Symbol, output: Element, within: Algebra) -> Element | None:
    """`value` with u = (B - D a)/(C a - A) put in, where output = (A u + B)/(C u + D); None where it is not."""
    index = _only_generator(output, within)
    return None if index is None else _put_in(value, a, output, within, index)


def _put_in(value: Element, a: sp.Symbol, output: Element, within: Algebra, index: int) -> Element | None:
    """`value` with one variable solved for; None where the output is no ratio of terms linear in a power of it."""
    above, below = by_powers(output.numer, index), by_powers(output.denom, index)
    steps = (above.keys() | below.keys()) - {0}
    if len(steps) != 1:
        return None
    step = steps.pop()
    zero = within.field.ring.zero
    top, bottom = within.field(above.get(0, zero)), within.field(below.get(0, zero))
    slope, low = within.field(above.get(step, zero)), within.field(below.get(step, zero))
    letter = within.variable(a)
    u = (top - bottom * letter) / (low * letter - slope)
    rows = [by_powers(p, index) for p in (value.numer, value.denom)]
    if any(k % step for row in rows for k in row) or not any(k for row in rows for k in row):
        return None
    numer, denom = (_substituted(row, u, step, within) for row in rows)
    return numer / denom if denom else None


def _only_generator(output: Element, within: Algebra) -> int | None:
    """The one generator in an output whose other variables do not depend on what the generator does."""
    used = {i for p in (output.numer, output.denom) for m in p for i, k in enumerate(m) if k}
    found = [i for i in used if i < len(within.generators.exponents)]
    if len(found) != 1:
        return None
    inside = within.generators.exponents[found[0]].free_symbols
    others = (within.variables[i].free_symbols for i in used if i != found[0])
    return None if any(inside & symbols for symbols in others) else found[0]


def _substituted(rows: Mapping[int, Any], u: Element, step: int, within: Algebra) -> Element:
    total = within.field.zero
    for k, row in rows.items():
        total += within.field(row) * u ** (k // step)
    return total


def through_logistic(expr: sp.Expr, definitions: Definitions) -> Iterator[sp.Expr]:
    """`expr` in w = 1/(1 + exp(-g)) where it divides by 1 + exp(g), and in outputs that are affine in an entry then."""
    for g in _logistic_arguments(expr):
        w, f = sp.Symbol("logistic", real=True), 1 / (1 + sp.exp(-g))
        plain = exponential_form(expr)
        rewritten = [(a, exponential_form(d)) for a, d in definitions]
        try:
            within = algebra([plain, f, *(d for _, d in rewritten)], [w, *(a for a, _ in definitions)])
            value, output = to_fraction(plain, within), to_fraction(f, within)
            found = [_in_output(value, w, output, within)]
            for a, d in rewritten:
                own = _in_output(to_fraction(d, within), w, output, within)
                if own is not None and found[0] is not None:
                    found += _affine(found[0], a, own, within)
            shown = replace(within, variables=tuple(f if v == w else v for v in within.variables))
            for form in found:
                if form is not None:
                    yield from written_forms(form, shown)
        except OutOfReachError:
            continue


def _logistic_arguments(expr: sp.Expr) -> list[sp.Expr]:
    """g for every 1/(1 + exp(g)) in `expr`, without the sign."""
    found: dict[sp.Expr, None] = {}
    for node in subtrees(expr):
        z = logistic_argument(node)
        if z is not None and not z.is_number:
            found[-z if z.could_extract_minus_sign() else z] = None
    return list(found)


def _affine(value: Element, a: sp.Symbol, output: Element, within: Algebra) -> Iterator[Element]:
    """`value` with an entry that the output is affine in put in, where that brings no division with it."""
    known = {f for part in (value.denom, output.denom) for f, _ in factors(part)[1]}
    for index, variable in enumerate(within.variables):
        if variable.is_Symbol and variable != a and any(m[index] for m in output.numer):
            form = _put_in(value, a, output, within, index)
            if form is not None and {f for f, _ in factors(form.denom)[1]} <= known:
                yield form
