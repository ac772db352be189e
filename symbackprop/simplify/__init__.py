"""Simplify a derivation: the textbook's form to print, and a form safe in floating point to compute."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..language.nodes import Entry
from ..language.structure import Memo
from ..records import Derivation, Equation, Step, Update
from .compute import Definitions, definitions_of, with_computed
from .inline import inline
from .tidy import tidy


def simplify(derivation: Derivation, update: Update | None = None) -> Derivation:
    """Every equation tidied, given its computed form, and numbered in the order in which it is printed.

    An equation of the inference mode that is one of training keeps its number; those of the update come last.
    """
    derivation = inline(derivation)
    training = definitions_of(derivation.forward)
    inference = training if derivation.inference is None else definitions_of(derivation.inference)
    both = {t: eq for t, eq in training.items() if inference.get(t) == eq}
    work = _Finishing(list(derivation.steps))
    forward = tuple(work.finish(eq, training) for eq in derivation.forward)
    return Derivation(
        derivation.system,
        forward,
        work.finish(derivation.objective, both),
        tuple(work.finish(eq, training, shorten=True) for eq in derivation.adjoints),
        tuple(work.finish(eq, training, shorten=True) for eq in derivation.gradients),
        inference=work.inference(derivation, forward, inference),
        updates=tuple(work.finish(eq, training) for eq in derivation.updates),
        steps=tuple(work.steps),
        update=None if update is None else work.numbered(update),
        chains=derivation.chains,
    )


@dataclass
class _Finishing:
    """The steps and the numbers given so far (lives inside `simplify` only)."""

    steps: list[Step]
    count: int = 0
    memo: Memo = field(default_factory=Memo)

    def finish(self, eq: Equation, definitions: Definitions, shorten: bool = False) -> Equation:
        """The equation with its computed form and the next number; first tidied, with `shorten`."""
        self.count += 1
        finished, done = self._finished(eq, definitions, shorten)
        self.steps += (replace(step, tensor=eq.lhs.name) for step in done)
        return replace(finished, number=self.count)

    def numbered(self, update: Update) -> Update:
        """The update with the next numbers for its equations, which stay as they are."""
        last = self.count
        self.count += len(update.equations)
        return replace(
            update, equations=tuple(replace(eq, number=n) for n, eq in enumerate(update.equations, last + 1))
        )

    def inference(
        self, derivation: Derivation, forward: tuple[Equation, ...], definitions: Definitions
    ) -> tuple[Equation, ...] | None:
        """The equations of the other mode; `forward` are the finished ones of training."""
        if derivation.inference is None:
            return None
        known = {eq.lhs: (eq, done) for eq, done in zip(derivation.forward, forward, strict=True)}
        made = []
        for eq in derivation.inference:
            before, done = known.get(eq.lhs, (None, None))
            if before != eq or done is None:
                made.append(self.finish(eq, definitions))
            else:
                here, _ = self._finished(eq, definitions, False)
                made.append(replace(here, number=done.number))
        return tuple(made)

    def _finished(self, eq: Equation, definitions: Definitions, shorten: bool) -> tuple[Equation, tuple[Step, ...]]:
        """The equation without its number, and the steps; equations of one structure are worked out once."""
        read = dict.fromkeys(e.tensor for e in eq.rhs.atoms(Entry))
        known = [definitions[t] for t in sorted(read, key=lambda t: t.name) if t in definitions and t is not eq.lhs]
        noted = tuple(sorted(t.name for t in read if "normalized" in t.traits))
        inputs = [part for e in (eq, *known) for part in (Entry(e.lhs, *e.indices), e.rhs)]

        def make() -> tuple[Equation, tuple[Step, ...]]:
            tidied, steps = tidy(eq) if shorten else (eq, ())
            computed, more = with_computed(tidied, definitions)
            return computed, (*steps, *more)

        return self.memo((shorten, noted, eq.notes), inputs, make)
