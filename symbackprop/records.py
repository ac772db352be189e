"""The records between the stages: one frozen record an arrow (`pipeline.py` shows the arrows).

Nothing here needs SymPy at run time; expressions appear in annotations only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from sympy import Expr

    from .language.nodes import Index
    from .language.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Initializer:
    """How a parameter gets its first values: a kind ("normal", "glorot_uniform", ...) and its numbers."""

    kind: str
    args: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Equation:
    """`lhs[indices] = rhs`; `computed` is an equal form that is safe in floating point.

    `number` is the number in the derivation (0: none yet), `notes` are the short remarks printed beside it.
    """

    lhs: Tensor
    indices: tuple[Index, ...]
    rhs: Expr
    computed: Expr | None = None
    number: int = 0
    notes: tuple[str, ...] = ()

    @property
    def evaluated(self) -> Expr:
        """The form that kernels compute."""
        return self.rhs if self.computed is None else self.computed


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded rewriting of one equation: the rule's name, the form before and after."""

    tensor: str
    rule: str
    before: Expr
    after: Expr


@dataclass(frozen=True, slots=True)
class System:
    """A declared network as equations: forward in order of computation, then the objective."""

    forward: tuple[Equation, ...]
    objective: Equation
    inputs: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parameters: tuple[Tensor, ...]
    hypers: tuple[Tensor, ...]
    metric: str | None


@dataclass(frozen=True, slots=True)
class Update:
    """An optimizer's step for one entry: simultaneous assignments to theta and its state.

    `theta` and `gradient` are scalar tensors standing for any entry; `states` are the optimizer's slots,
    `step` the 1-based step counter.
    """

    name: str
    theta: Tensor
    gradient: Tensor
    step: Tensor
    states: tuple[Tensor, ...]
    hypers: tuple[Tensor, ...]
    equations: tuple[Equation, ...]


@dataclass(frozen=True, slots=True)
class Derivation:
    """Forward, adjoint and gradient equations with the steps that led to them."""

    system: System
    forward: tuple[Equation, ...]
    objective: Equation
    adjoints: tuple[Equation, ...]
    gradients: tuple[Equation, ...]
    steps: tuple[Step, ...]
    update: Update | None = None

    def text(self, computed: bool = False) -> str:
        """The derivation as plain text in matrix notation; `computed` adds the forms that kernels evaluate."""
        from .present.text import text

        return text(self, computed=computed)

    def latex(self, standalone: bool = False) -> str:
        """The derivation as LaTeX: numbered equations, or a whole article with `standalone=True`."""
        from .present.latex import latex

        return latex(self, standalone=standalone)

    def _repr_latex_(self) -> str:
        from .present.latex import repr_latex

        return repr_latex(self)

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class Port:
    """An input, target or output of a program. `shape` is without the batch axis.

    `role`: "real", "unit" (entries in [0, 1]) or "one_hot" (rows sum to 1; integer labels are expanded).
    """

    name: str
    shape: tuple[int, ...]
    role: str = "real"


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter's place in the flat block: `offset` in entries, from `shape` how many."""

    name: str
    shape: tuple[int, ...]
    offset: int
    init: Initializer


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that the runtime must know of a compiled network; stored as JSON beside its sources.

    `block` is the length of the flat parameter block in entries (slots are aligned, gaps are zero);
    every optimizer state is a block of the same length; `hypers` are (name, default) in the order of the
    scalar block; `trace` are the tensors that the NumPy module's `trace` returns, in order of computation.
    """

    dtype: str
    inputs: tuple[Port, ...]
    targets: tuple[Port, ...]
    outputs: tuple[Port, ...]
    parameters: tuple[Slot, ...]
    block: int
    states: tuple[str, ...]
    hypers: tuple[tuple[str, float], ...]
    metric: str | None
    trace: tuple[str, ...]
    optimizer: str

    def to_json(self) -> str:
        """This record as JSON text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The record from `to_json`'s text; raises KeyError, TypeError or ValueError on anything else."""
        raw: dict[str, Any] = json.loads(text)
        ports = {k: tuple(_port(p) for p in raw[k]) for k in ("inputs", "targets", "outputs")}
        slots = tuple(
            Slot(
                s["name"],
                tuple(s["shape"]),
                s["offset"],
                Initializer(s["init"]["kind"], tuple(s["init"]["args"])),
            )
            for s in raw["parameters"]
        )
        return cls(
            dtype=raw["dtype"],
            parameters=slots,
            block=raw["block"],
            states=tuple(raw["states"]),
            hypers=tuple((name, float(value)) for name, value in raw["hypers"]),
            metric=raw["metric"],
            trace=tuple(raw["trace"]),
            optimizer=raw["optimizer"],
            **ports,
        )


def _port(raw: Mapping[str, Any]) -> Port:
    return Port(raw["name"], tuple(raw["shape"]), raw["role"])


@dataclass(frozen=True, slots=True)
class Source:
    """Generated text for one target, with what the runtime must know of it."""

    target: str
    text: str
    manifest: Manifest


@dataclass(slots=True)
class Run:
    """One training run's buffers, shared by Python and the generated loop (the one mutable record).

    `params` and each row of `state` are flat blocks in the model's dtype; `hypers` is float64;
    `data` are the inputs then the targets, each (rows, ...), contiguous, in the model's dtype;
    `first_epoch` is the number of the epoch that began at step `first_step`;
    `order` is the current epoch's permutation (int64), valid for epoch `order_epoch` (-1: none);
    `losses` gets one float64 a step of the current chunk.
    """

    params: np.ndarray[Any, Any]
    state: np.ndarray[Any, Any]
    hypers: np.ndarray[Any, Any]
    data: tuple[np.ndarray[Any, Any], ...]
    rows: int
    batch: int
    seed: int
    shuffle: bool
    drop_last: bool
    order: np.ndarray[Any, Any]
    order_epoch: int
    losses: np.ndarray[Any, Any]
    step: int = 0
    first_step: int = 0
    first_epoch: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """The epoch that the next step belongs to, and its batch within it."""
        epochs, batch = divmod(self.step - self.first_step, self.steps_per_epoch)
        return self.first_epoch + epochs, batch

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one epoch; the last partial batch counts unless `drop_last`."""
        return self.rows // self.batch if self.drop_last else -(-self.rows // self.batch)


class Module(Protocol):
    """A loaded program. All arrays are contiguous and of the manifest's dtype (`hypers`: float64)."""

    manifest: Manifest
    target: str

    def predict(
        self,
        params: np.ndarray[Any, Any],
        hypers: np.ndarray[Any, Any],
        inputs: tuple[np.ndarray[Any, Any], ...],
    ) -> tuple[np.ndarray[Any, Any], ...]:
        """Outputs for a batch."""

    def loss(
        self,
        params: np.ndarray[Any, Any],
        hypers: np.ndarray[Any, Any],
        data: tuple[np.ndarray[Any, Any], ...],
    ) -> float:
        """The objective on a batch, regularizers included."""

    def gradients(
        self,
        params: np.ndarray[Any, Any],
        hypers: np.ndarray[Any, Any],
        data: tuple[np.ndarray[Any, Any], ...],
        out: np.ndarray[Any, Any],
    ) -> float:
        """The objective; its gradient is written to the flat block `out`."""

    def train(self, run: Run, steps: int) -> int:
        """At most `steps` steps from `run.step` (counted from 0 over all epochs) on; advances `run.step`.

        Returns the number of steps done. Fewer than asked: the loss of the last one done, the last written
        in `run.losses`, is not finite; its update was not applied.
        """

    def trace(
        self,
        params: np.ndarray[Any, Any],
        hypers: np.ndarray[Any, Any],
        data: tuple[np.ndarray[Any, Any], ...],
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Every named tensor of forward, loss, adjoints and gradients on a batch, in order of computation."""
