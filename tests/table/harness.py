"""The table's rows: one building block each, measured in every target against JAX's gradients of a forward formula
transcribed by hand.

A row has `kind`, `block` (its name in the library's registry), `variant` (its numbers), `note` (where PyTorch's
definition differs), `tolerance`, and `measure(target)`. Rows of gradients are `GradientRow`s; a row of another kind
(an optimizer's step) brings its own `measure`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402  (after the switch to float64)

from symbackprop import streams  # noqa: E402
from tests.calculus.compare import relative_errors  # noqa: E402
from tests.calculus.programs import fresh_model  # noqa: E402

Array = Any
Arrays = Mapping[str, Array]
TOLERANCE = 1e-10
WRONG = 1.0005
DRAW = 3, 5
"""The seed and the step that key random tensors."""


@dataclass(frozen=True)
class Measured:
    """What a row found in one target: error by quantity, and the same of values that are slightly wrong."""

    errors: dict[str, float]
    tampered: dict[str, float] = field(default_factory=dict)


class Row(Protocol):
    """One line of the table."""

    kind: str
    block: str
    variant: str
    note: str
    tolerance: float

    def measure(self, target: str) -> Measured:
        """Errors of the emitted program, "numpy" or "c"."""


@dataclass(frozen=True)
class GradientRow:
    """A network with one block in it.

    `declare()` gives the network (or anything with a `system` and `strengths`); `data(draw)` all inputs and targets by
    name, in float64; `forward(p, d)` is the objective in jax.numpy, from parameters and data by name (states and random
    tensors stand in `d` too); `start(draw, name, shape)` a parameter's value, by default normal.
    """

    kind: str
    block: str
    declare: Callable[[], Any]
    forward: Callable[[Arrays, Arrays], Array]
    data: Callable[[np.random.Generator], dict[str, Array]]
    variant: str = ""
    note: str = ""
    start: Callable[[np.random.Generator, str, tuple[int, ...]], Array] | None = None
    seed: int = 0
    tolerance: float = TOLERANCE

    def measure(self, target: str) -> Measured:
        """The objective's and every gradient's relative error."""
        net = self.declare()
        model = fresh_model(net, target)
        draw = np.random.default_rng(self.seed)
        parameters = self._parameters(model, draw)
        data = self.data(draw)
        value, got, known = _emitted(model, parameters, data)
        for tensor in net.system.randoms:
            shape = tuple(len(known[model.manifest.inputs[0].name]) if d.size is None else d.size for d in tensor.dims)
            known[tensor.name] = streams.tensor(*DRAW, tensor.name, shape, np.float64)
        wanted, gradients = jax.value_and_grad(lambda p: self.forward(p, known))(
            {name: jnp.asarray(v) for name, v in parameters.items()}
        )
        reference = {name: np.asarray(g) for name, g in gradients.items()}
        assert np.isfinite(wanted) and all(np.isfinite(g).all() for g in reference.values()), "JAX is not finite"
        assert any(g.any() for g in reference.values()), "the gradient is 0, which shows nothing"
        errors = {"L": abs(value - float(wanted)) / max(abs(float(wanted)), 1e-3)}
        errors |= {f"d{name}": e for name, e in relative_errors(got, reference).items()}
        wrong = {"L": abs(WRONG * value - float(wanted)) / max(abs(float(wanted)), 1e-3)} if wanted else {}
        largest = max(float(np.abs(g).max()) for g in reference.values())
        for name in (n for n, g in reference.items() if np.abs(g).max() > 1e-4 * largest):
            wrong[f"d{name}"] = relative_errors({**got, name: WRONG * got[name]}, reference)[name]
        return Measured(errors, wrong)

    def _parameters(self, model: Any, draw: np.random.Generator) -> dict[str, Array]:
        start = self.start or (lambda rng, name, shape: rng.normal(size=shape))
        made = {name: np.asarray(start(draw, name, v.shape), float) for name, v in model.parameters.items()}
        model.parameters = made
        return made


def _emitted(model: Any, parameters: Arrays, data: Arrays) -> tuple[float, dict[str, Array], dict[str, Array]]:
    """Objective and gradients of the emitted program, and all that is known beside the parameters."""
    from symbackprop.train.blocks import aligned, views

    module, blocks, manifest = model._module, model._blocks, model.manifest
    ports = (*manifest.inputs, *manifest.targets)
    arrays = tuple(np.ascontiguousarray(data[port.name], np.float64) for port in ports)
    out = aligned((manifest.block,), manifest.dtype)
    with np.errstate(all="ignore"):
        value = module.gradients(blocks.params, blocks.hypers, arrays, out, DRAW)
    known = {port.name: array for port, array in zip(ports, arrays, strict=True)}
    for slot in manifest.fixed:
        size = int(np.prod(slot.shape))
        known[slot.name] = blocks.params[slot.offset : slot.offset + size].reshape(slot.shape)
    got = {name: np.array(part) for name, part in views(manifest, out).items() if name in parameters}
    return value, got, known
