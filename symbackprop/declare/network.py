"""A network: layers in a row, a graph of handles, or plain equations; its system is built on first use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError
from ..records import System
from .graph import Graph, chain, graph
from .handle import Handle
from .key import plain_key, system_key
from .layers import Activation
from .objective import Share, as_shares
from .regularizers import L2, Regularizer, check_regularizer, check_strength, strengths
from .told import told

if TYPE_CHECKING:
    from ..records import Derivation
    from ..runtime import Source
    from .written import Written

OWN_PENALTIES = ("weight_regularizer", "bias_regularizer", "activity_regularizer")


class Network:
    """Layers and losses. Three ways to write one:

    - `Network([sb.Input(64), sb.Dense(10)], loss=...)`: layers in a row. A function of a tensor that returns
      `sb.layer(...)` is a layer too.
    - `Network(inputs=x, outputs=h, loss=...)`: any graph without cycles, of handles: `x = sb.Input(64)`,
      `h = sb.Dense(10)(x)`. Several inputs are a tuple; several outputs a tuple, or a dict that names them.
    - `Network(inputs=x, outputs=z, equations=[...], loss=...)`: equations in any order, of tensors
      (`sb.input_tensor`, `sb.parameter`, `sb.tensor`).

    `loss` is a name, an `sb.losses` one, a function of one entry of (prediction, target) or an expression; for several
    outputs a tuple in their order, with None for an output that is only predicted, or a dict by name. `loss_weights`
    (run-time numbers) is shaped alike. `reduction` overrides the losses' default. The target is `y`, of several each
    `y_` with its output's name. `sample_weights=True` adds a weight for every sample, `w`.

    `weight_decay` is the lam of an L2 penalty on the weights; other penalties stand in `regularizers`. Parameters whose
    names match a pattern of `frozen` (`"W1"`, `"b*"`) keep their first values.

    Raises `DeclarationError` for what cannot be a network; shapes are checked when the equations are written, on first
    use (`ShapeError`).
    """

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        loss: Any = None,
        *,
        inputs: Any = None,
        outputs: Any = None,
        equations: Sequence[Any] | None = None,
        reduction: str | None = None,
        loss_weights: Any = None,
        sample_weights: bool = False,
        weight_decay: Any = 0.0,
        regularizers: Sequence[Regularizer] = (),
        frozen: str | Sequence[str] = (),
    ) -> None:
        self._in_row = layers is not None
        self.body = _body(layers, inputs, outputs, equations)
        if loss is None:
            raise DeclarationError('a network needs a loss, as in loss="mse"')
        names = [name for name, _ in self.body.outputs]
        self.shares: tuple[Share, ...] = as_shares(loss, reduction, loss_weights, names)
        self.sample_weights = _flag(sample_weights)
        decay = (L2(weight_decay),) if check_strength(weight_decay, "weight_decay") else ()
        self.regularizers: tuple[Regularizer, ...] = (*decay, *_checked(regularizers))
        self.frozen = _patterns(frozen)
        for share in self.shares:
            for place in share.outputs:
                _check_two_squashes(share, self.body.outputs[place][1])

    @property
    def layers(self) -> tuple[Any, ...]:
        """The inputs, then every use of a layer in order of computation; () for plain equations."""
        if not isinstance(self.body, Graph):
            return ()
        return (*self.body.inputs, *(node.layer for node in self.body.nodes))

    @property
    def strengths(self) -> dict[str, Any]:
        """Run-time values by name: the penalties' strengths (lam, ...), loss weights, and layers' numbers (drop1, ...).

        Each is a number or a schedule. Imports SymPy only for layers or formulas of a user.
        """
        named: dict[str, Any] = dict(strengths((*self.regularizers, *self._layers_penalties())))
        named |= {s.weight_name: s.weight for s in self.shares if s.weight is not None}
        if self._plain is None:
            return {h.name: named.get(h.name, h.value) for h in self.system.hypers}
        for number, layer in enumerate(self.layers[len(self.body.inputs) :], 1):
            named |= {f"{stem}{number}": getattr(layer, what) for stem, what in layer.run_time.items()}
        return named

    def _layers_penalties(self) -> list[Regularizer]:
        found = [getattr(layer, what, None) for layer in self.layers for what in OWN_PENALTIES]
        return [r for r in found if isinstance(r, Regularizer)]

    @cached_property
    def system(self) -> System:
        """The equations; imports SymPy."""
        from .assemble import assemble

        return assemble(self.body, self.shares, self.regularizers, self.frozen, self.sample_weights)

    def derive(self, optimizer: Any = None) -> Derivation:
        """The derivation of this network, see `pipeline.derive`."""
        from ..pipeline import derive

        return derive(self, optimizer)

    def emit(self, target: str = "c", optimizer: Any = None, dtype: str = "float32") -> Source:
        """The generated source of this network's training program, see `pipeline.emit`."""
        from ..pipeline import emit

        return emit(self, target, optimizer, dtype)

    @cached_property
    def _plain(self) -> str | None:
        return plain_key(self.body, self.shares, self.regularizers, (self.frozen, self.sample_weights))

    @cached_property
    def key(self) -> str:
        """The canonical declaration: equal keys mean equal generated code. Imports SymPy only for user formulas."""
        return self._plain if self._plain is not None else system_key(self.system)

    def _repr_html_(self) -> str:
        from ..document.jupyter import network_html

        return network_html(self.system)

    def _repr_latex_(self) -> str:
        from ..document.jupyter import network_latex

        return network_latex(self.system)

    def __repr__(self) -> str:
        rest = {"regularizers": list(self.regularizers), "frozen": self.frozen, "sample_weights": self.sample_weights}
        return told(self.body, self._in_row, self.shares, rest)


def _flag(sample_weights: Any) -> bool:
    if not isinstance(sample_weights, bool):
        raise DeclarationError(
            f"sample_weights is True or False; got {type(sample_weights).__name__}. The weights themselves are given "
            "to model.fit"
        )
    return sample_weights


def _checked(regularizers: Sequence[Any]) -> tuple[Regularizer, ...]:
    for r in regularizers:
        if r is None:
            raise DeclarationError("regularizers has a None in it; it takes sb.L1, sb.L2, ...")
        check_regularizer(r, "regularizers")
    return tuple(regularizers)


def _patterns(frozen: Any) -> tuple[str, ...]:
    found = (frozen,) if isinstance(frozen, str) else tuple(frozen)
    for pattern in found:
        if not isinstance(pattern, str):
            raise DeclarationError(f'frozen takes names or patterns of parameters, as "W1" or "b*"; got {pattern!r}')
    return found


def _check_two_squashes(share: Share, output: Any) -> None:
    last = getattr(output, "layer", None)
    activation = getattr(last, "activation", None) or (last.function if isinstance(last, Activation) else None)
    own = share.loss.squash
    if own is not None and isinstance(activation, str) and activation in (own, own.removeprefix("log_")):
        raise DeclarationError(
            f"the loss takes logits and applies {own} itself, but the last layer ends in {activation}; "
            "drop that activation, or use the loss that takes probabilities"
        )


def _body(layers: Any, inputs: Any, outputs: Any, equations: Any) -> Graph | Written:
    if layers is not None:
        if isinstance(layers, Handle) or not isinstance(layers, Sequence) or isinstance(layers, str):
            raise DeclarationError(
                f"sb.Network takes a list of layers, or inputs= and outputs=; got {type(layers).__name__} {layers!r}"
            )
        if inputs is not None or outputs is not None or equations is not None:
            raise DeclarationError("a network is a list of layers, or inputs= and outputs=; both were given")
        return chain(tuple(layers))
    if inputs is None or outputs is None:
        lacking = "inputs=" if inputs is None else "outputs="
        raise DeclarationError(f"sb.Network needs a list of layers, or inputs= and outputs=; {lacking} is missing")
    if equations is None:
        return graph(inputs, outputs)
    from .written import system_of_equations

    return system_of_equations(inputs, outputs, equations)
