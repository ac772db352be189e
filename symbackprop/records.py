"""The records between the stages: one frozen record an arrow (`pipeline.py` shows the arrows; the loaded program's
stand in `runtime.py`).

Nothing here needs SymPy at run time; expressions appear in annotations only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    import os

    from sympy import Expr

    from .document.records import Document
    from .language.nodes import Entry, Index
    from .language.structure import Form
    from .language.tensor import Tensor
    from .present.notation import Notation

Value = TypeVar("Value")
REQUIRED: Any = object()


class Late(Generic[Value]):
    """A field with an expression that is put together when it is first read: in a deep network, most never are.

    It may be given a `language.structure.Instance` in the place of an expression. What it holds stands in the record's
    dictionary, under its name with an underscore.
    """

    def __init__(self, default: Value = REQUIRED) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.place = f"_{name}"

    @overload
    def __get__(self, record: None, owner: type) -> Value: ...
    @overload
    def __get__(self, record: object, owner: type) -> Value: ...
    def __get__(self, record: object | None, owner: type) -> Value:
        if record is None:
            if self.default is REQUIRED:
                raise AttributeError(self.name)  # so the dataclass knows of no default
            return self.default
        value = record.__dict__[self.place]
        if isinstance(value, tuple):
            value = record.__dict__[self.place] = value.expression()  # type: ignore[attr-defined]
        return value  # type: ignore[no-any-return]

    def __set__(self, record: object, value: Value | Form) -> None:
        record.__dict__[self.place] = value


@dataclass(frozen=True, slots=True)
class Initializer:
    """How a parameter gets its first values: a kind ("normal", "glorot_uniform", ...) and its numbers."""

    kind: str
    args: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A remark or the name of a rule: a key of the messages (`note.<key>`), and the tensors or the number in it."""

    key: str
    tensors: tuple[Tensor, ...] = ()
    value: float | None = None


@dataclass(frozen=True)
class Equation:
    """`lhs[indices] = rhs`; `computed` is an equal form that is safe in floating point.

    `number` is the number in the derivation (0: none yet), `notes` are the short remarks printed beside it.
    """

    lhs: Tensor
    indices: tuple[Index, ...]
    rhs: Late[Expr] = Late()
    computed: Late[Expr | None] = Late(None)
    number: int = 0
    notes: tuple[Note, ...] = ()

    @property
    def evaluated(self) -> Expr:
        """The form that kernels compute."""
        return self.rhs if self.computed is None else self.computed

    @property
    def right(self) -> Form:
        """The right side, put together or not."""
        return self.__dict__["_rhs"]

    @property
    def form(self) -> Form:
        """The form that kernels compute, put together or not."""
        computed = self.__dict__["_computed"]
        return self.__dict__["_rhs"] if computed is None else computed


@dataclass(frozen=True)
class Step:
    """One recorded rewriting of one equation: the rules that it used, the form before and after."""

    tensor: str
    rules: tuple[Note, ...]
    before: Late[Expr] = Late()
    after: Late[Expr] = Late()


@dataclass(frozen=True)
class Chain:
    """One use of the chain rule: what one reading of a tensor, `entry`, adds to the derivative of the loss by it.

    The reading stands in the equation of `through[indices]`, under the sums over `bound`. `partial` is the derivative
    of that equation's right side by it as SymPy gives it, `factor` the same with the equation's own output put in.
    `adjoint` is dL/d through[indices]: an entry of a named tensor, or an expression. What is added, at the indices
    `wanted` of the tensor, is `total`, the sum over `indices` and `bound` of adjoint * factor where entry stands at
    `wanted`.
    """

    through: Tensor
    indices: tuple[Index, ...]
    bound: tuple[Index, ...]
    wanted: tuple[Index, ...]
    entry: Late[Entry] = Late()
    partial: Late[Expr] = Late()
    factor: Late[Expr] = Late()
    adjoint: Late[Expr] = Late()
    total: Late[Expr] = Late()

    @property
    def source(self) -> Tensor:
        """The tensor that is read."""
        return self.entry.tensor

    @property
    def forms(self) -> dict[str, Form]:
        """The expressions by their fields' names, put together or not."""
        return {name: self.__dict__[f"_{name}"] for name in ("entry", "partial", "factor", "adjoint", "total")}


@dataclass(frozen=True, slots=True)
class System:
    """A declared network as equations: forward in order of computation, then the objective.

    `forward` is the training mode; `inference` the equations of the other mode, where they differ (None: they do
    not). `states` are kept with the parameters but no gradient is taken of them: running statistics and frozen
    parameters; `updates` are new values of some of them after a training step, from old ones and from tensors of
    `forward`. `randoms` are tensors of kind "random", drawn anew at every step, in `forward` only. A training
    batch has at least `least_rows` samples. `unreduced` are losses before their sum, where they were asked for.
    """

    forward: tuple[Equation, ...]
    objective: Equation
    inputs: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parameters: tuple[Tensor, ...]
    hypers: tuple[Tensor, ...]
    metric: str | None
    inference: tuple[Equation, ...] | None = None
    states: tuple[Tensor, ...] = ()
    updates: tuple[Equation, ...] = ()
    randoms: tuple[Tensor, ...] = ()
    least_rows: int = 1
    unreduced: tuple[Tensor, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters whose names match `pattern` (as file names do), with hyper-parameters of their own.

    `hypers` stand in the order of the update's: an own one named `pattern.name`, or the one of all others.
    """

    pattern: str
    hypers: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """An optimizer's step for one entry: simultaneous assignments to theta and its state.

    `theta` and `gradient` are scalar tensors standing for any entry; `states` are the optimizer's slots, `starts`
    their first values (numbers or names of hyper-parameters), `step` the 1-based step counter. An equation of an
    intermediate tensor names a value that later ones read. `norm`, where the equations read it, is the Euclidean
    norm of the whole gradient. `groups` are the parameters with hyper-parameters of their own.
    """

    name: str
    theta: Tensor
    gradient: Tensor
    step: Tensor
    states: tuple[Tensor, ...]
    hypers: tuple[Tensor, ...]
    equations: tuple[Equation, ...]
    starts: tuple[float | str, ...] = ()
    norm: Tensor | None = None
    groups: tuple[Group, ...] = ()

    @property
    def all_hypers(self) -> tuple[Tensor, ...]:
        """The hyper-parameters, then the groups' own ones."""
        own = (h for g in self.groups for h in g.hypers if h not in self.hypers)
        return (*self.hypers, *own)


@dataclass(frozen=True, slots=True)
class Derivation:
    """Forward, adjoint and gradient equations with the steps that led to them.

    `inference` and `updates` are the system's, numbered and with their computed forms. `chains` are the uses of the
    chain rule in the order of the backward sweep, `steps` the rewritings since.
    """

    system: System
    forward: tuple[Equation, ...]
    objective: Equation
    adjoints: tuple[Equation, ...]
    gradients: tuple[Equation, ...]
    steps: tuple[Step, ...]
    update: Update | None = None
    inference: tuple[Equation, ...] | None = None
    updates: tuple[Equation, ...] = ()
    chains: tuple[Chain, ...] = ()

    def text(self, computed: bool = False) -> str:
        """The derivation as plain text in matrix notation; `computed` adds the forms that kernels evaluate."""
        from .present.text import text

        return text(self, computed=computed)

    def latex(self) -> str:
        """The equations as a LaTeX `align`; `document()` gives a whole article."""
        from .present.latex import latex

        return latex(self)

    def document(
        self,
        path: str | os.PathLike[str] | None = None,
        notation: Notation | str = "rows",
        level: str = "steps",
        language: str = "en",
        slides: bool = False,
    ) -> Document:
        """The derivation as a document, which is also written to `path` where one is given.

        The format is the path's ending: .tex, .pdf (where a LaTeX engine is installed), .html, .md or .ipynb;
        `slides=True` makes a presentation (beamer) of the first two. `notation` is an `sb.Notation` or the name of a
        profile: "rows", "columns", "ng", "torch", "keras" or "lecture-1". `level` is "summary" (the equations),
        "steps" (each with its rule) or "every-index" (through index notation); `language` "en", "pl", "sk" or "ru".

        Raises `PresentationError` for what is none of these.
        """
        from .document.make import document
        from .document.write import write

        made = document(self, notation, level, language)
        if path is not None:
            write(made, path, slides)
        return made

    def _repr_html_(self) -> str:
        from .document.jupyter import derivation_html

        return derivation_html(self)

    def _repr_latex_(self) -> str:
        from .present.latex import repr_latex

        return repr_latex(self)

    def __str__(self) -> str:
        return self.text()
