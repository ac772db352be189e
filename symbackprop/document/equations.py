"""The sections that are equations: forward pass, loss, backward pass, gradients, prediction, running values."""

from __future__ import annotations

from collections.abc import Iterable

from ..present.terms import Term
from ..present.tree import Leaf
from ..records import Equation
from .records import Block, Formulas, Paragraph, Sentence
from .setting import Setting, batch
from .steps import Explanations


def forward(setting: Setting) -> tuple[Block, ...]:
    """The equations from the input to the output."""
    return _aligned(setting, "forward", setting.derivation.forward)


def loss(setting: Setting) -> tuple[Block, ...]:
    """The objective."""
    return _aligned(setting, "loss", (setting.derivation.objective,))


def backward(setting: Setting) -> tuple[Block, ...]:
    """The derivatives by intermediate tensors, each with its steps."""
    made = setting.derivation.adjoints
    if not made:
        return ()
    source = setting.view.source(made[0].lhs)
    if source is None or setting.view.symbol(made[0].lhs).gradient:
        opening = setting.words("opening.chain")
    else:
        parts = {"delta": Leaf(made[0].lhs), "loss": Leaf(setting.loss), "source": Leaf(source)}
        opening = setting.words("opening.backward", **parts)
    return (Paragraph((*opening, *_per_sample(setting))), *_derived(setting, made))


def gradients(setting: Setting) -> tuple[Block, ...]:
    """The derivatives by the parameters, each with its steps."""
    made = setting.derivation.gradients
    return (Paragraph(setting.words("opening.gradients")), *_derived(setting, made)) if made else ()


def prediction(setting: Setting) -> tuple[Block, ...]:
    """The equations of the other mode that training has not."""
    derivation = setting.derivation
    numbers = {eq.number for eq in (*derivation.forward, derivation.objective)}
    return _aligned(setting, "prediction", [eq for eq in derivation.inference or () if eq.number not in numbers])


def states(setting: Setting) -> tuple[Block, ...]:
    """The new values of states after a step."""
    lines = tuple(setting.formula(eq, new=True) for eq in setting.derivation.updates)
    return (Paragraph(setting.words("opening.states")), Formulas(lines)) if lines else ()


def _aligned(setting: Setting, key: str, made: Iterable[Equation]) -> tuple[Block, ...]:
    equations = tuple(made)
    lines = tuple(map(setting.formula, equations))
    if not lines:
        return ()
    return Paragraph(setting.words(f"opening.{key}")), Formulas(lines)


def _derived(setting: Setting, made: tuple[Equation, ...]) -> tuple[Block, ...]:
    explain = Explanations(setting)
    if setting.level == "summary":
        return (Formulas(tuple(line for eq in made for line in explain(eq).lines)),)
    return tuple(map(explain, made))


def _per_sample(setting: Setting) -> Sentence:
    if not setting.view.scaled:
        return ()
    return (" ", *setting.words("opening.per_sample", factor=Term(denominator=(batch(),)).node()))
