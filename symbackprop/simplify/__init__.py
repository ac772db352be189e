"""Simplify a derivation: the textbook's form to print, and a form safe in floating point to compute."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..language.memo import Memo
from ..language.structure import Form, tensors_of
from ..records import Derivation, Equation, Note, Step, Update
from .compute import Definitions, defining, definitions_of, with_computed
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


_Notes = tuple[Note, ...]
_Finished = tuple[Form, Form | None, _Notes, tuple[tuple[_Notes, Form, Form], ...]]
"""The right side, the form to compute, the notes; of each step the rules and what stood before and after."""


@dataclass
class _Finishing:
    """The steps and the numbers given so far (lives inside `simplify` only)."""

    steps: list[Step]
    count: int = 0
    memo: Memo = field(default_factory=Memo)

    def finish(self, eq: Equation, definitions: Definitions, shorten: bool = False) -> Equation:
        """The equation with its computed form and the next number; first tidied, with `shorten`."""
        self.count += 1
        rhs, computed, notes, steps = self._finished(eq, definitions, shorten)
        self.steps += [Step(eq.lhs.name, *step) for step in steps]
        return Equation(eq.lhs, eq.indices, rhs, computed, self.count, notes)

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
                rhs, computed, notes, _ = self._finished(eq, definitions, False)
                made.append(Equation(eq.lhs, eq.indices, rhs, computed, done.number, notes))
        return tuple(made)

    def _finished(self, eq: Equation, definitions: Definitions, shorten: bool) -> _Finished:
        """What becomes of an equation; equations of one structure are worked out once."""
        noted = [t for note in eq.notes for t in note.tensors]
        known = defining([t for t in tensors_of(eq.right) if t is not eq.lhs], definitions)

        def make() -> _Finished:
            tidied, steps = tidy(eq) if shorten else (eq, ())
            done, more = with_computed(tidied, definitions, self.memo)
            return done.rhs, done.computed, done.notes, tuple((s.rules, s.before, s.after) for s in (*steps, *more))

        keys = tuple((note.key, note.value, len(note.tensors)) for note in eq.notes)
        return self.memo((shorten, keys, len(eq.indices)), (eq.right, *known, eq.lhs, *eq.indices, *noted), make)
