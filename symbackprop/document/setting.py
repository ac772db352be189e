"""What every part of a document is made with, and the smallest pieces that they share."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import PresentationError, did_you_mean
from ..language.nodes import Entry
from ..language.tensor import BATCH, Tensor
from ..present.matrix import form
from ..present.notes import sentence
from ..present.pages import notes_of
from ..present.tree import Leaf, Node, Size
from ..present.view import View
from ..present.words import Words
from ..records import Derivation, Equation
from .records import Formula, Sentence

LEVELS = ("summary", "steps", "every-index")


@dataclass(frozen=True, slots=True)
class Setting:
    """One derivation, how it is written, in which language, and how much of it."""

    derivation: Derivation
    view: View
    words: Words
    level: str

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise PresentationError(f"unknown level {self.level!r}.{did_you_mean(self.level, LEVELS)}")

    @property
    def loss(self) -> Tensor:
        """The objective's tensor."""
        return self.derivation.objective.lhs

    @property
    def targets(self) -> tuple[Tensor, ...]:
        """The targets that something reads: a loss may do without."""
        derivation = self.derivation
        read = set[Tensor]().union(*map(tensors_of, (*derivation.forward, derivation.objective)))
        return tuple(t for t in derivation.system.targets if t in read)

    def formula(self, equation: Equation, new: bool = False) -> Formula:
        """An equation as it is printed; `new` marks its left side as a state's next value."""
        shown = form(self.view.shown(equation), view=self.view)
        lhs = Leaf(equation.lhs, new=True) if new and not shown.indexed else shown.lhs
        number = str(equation.number) if equation.number else ""
        return Formula(
            number, lhs, shown.rhs, shape_of(equation.lhs, self.view), (), self.remarks(equation), equation.number
        )

    def remarks(self, equation: Equation) -> tuple[Sentence, ...]:
        """What holds at some entries only, and what was made use of."""
        return tuple(sentence(note, self.words, self.view) for note in notes_of(equation, self.derivation))

    def number(self, equation: Equation) -> str:
        """The equation's number as a sentence refers to it."""
        return f"({equation.number})"


def shape_of(tensor: Tensor, view: View) -> tuple[Node, ...]:
    """The sizes of a tensor's axes in the order in which they are printed."""
    return tuple(Size(tensor.dims[axis]) for axis in view.order(tensor))


def batch() -> Node:
    """The number of samples."""
    return Size(BATCH)


def tensors_of(equation: Equation) -> set[Tensor]:
    """The tensors that an equation reads."""
    return {entry.tensor for entry in equation.rhs.atoms(Entry)}
