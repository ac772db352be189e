"""Schedules: how a hyper-parameter changes from step to step or from epoch to epoch.

`sb.SGD(sb.schedules.inverse(0.1))`: a schedule stands wherever a hyper-parameter's number may. In the formulas t is
the number of the step and e that of the epoch, both from 1 and counted over all calls of `fit`; "done" steps and
epochs are those before the step. What takes `epochs=` or `steps=` (one of them) changes at every step; epochs are
counted with their fractions. To add a schedule, write its values in `curves.py`.
"""

from __future__ import annotations

from typing import Any

from ..errors import DeclarationError
from .curves import Cosine, Formula, OneCycle, Plateau, WarmUp
from .schedule import Schedule, as_schedule, finite, number_or_schedule


def constant(value: float) -> Schedule:
    """Always `value`."""
    return Formula("constant", _numbers("constant", value=value))


def inverse(value: float) -> Schedule:
    """`value`/e: the first value divided by the number of the epoch, the classical Robbins-Monro sequence."""
    return Formula("inverse", _numbers("inverse", value=value))


def robbins_monro(value: float, decay: float = 1.0, power: float = 1.0) -> Schedule:
    """`value`/(1 + decay t)^power; the sums of theory (infinite, of squares finite) need 1/2 < power <= 1."""
    numbers = _numbers("robbins_monro", value=value, decay=decay, power=power)
    _require(decay >= 0 and power > 0, "robbins_monro", f"decay >= 0 and power > 0; got {decay} and {power}")
    return Formula("robbins_monro", numbers)


def step(value: float, factor: float = 0.1, every: int = 30) -> Schedule:
    """`value` times `factor` once for every `every` epochs done: value factor^floor((e - 1)/every)."""
    numbers = _numbers("step", value=value, factor=factor)
    return Formula("step", (*numbers, _count("step", "every", every)))


def exponential(value: float, factor: float) -> Schedule:
    """`value` times `factor` for every epoch done: value factor^(e - 1)."""
    return Formula("exponential", _numbers("exponential", value=value, factor=factor))


def cosine(value: float, *, epochs: float | None = None, steps: int | None = None, minimum: float = 0.0) -> Schedule:
    """Half a cosine from `value` to `minimum`: minimum + (value - minimum)(1 + cos(pi x))/2.

    x is the part of the `epochs` or `steps` that is done; afterwards it stays at `minimum`.
    """
    value, minimum = _numbers("cosine", value=value, minimum=minimum)
    return Cosine(value, *_span("cosine", steps, epochs), minimum)


def one_cycle(
    largest: float,
    *,
    epochs: float | None = None,
    steps: int | None = None,
    start: float | None = None,
    end: float | None = None,
    rise: float = 0.3,
) -> Schedule:
    """Half a cosine up from `start` to `largest`, then one down to `end`, over the `epochs` or `steps`.

    As PyTorch's OneCycleLR: the first part ends `rise` of all steps in (less one), `start` is largest/25 and `end`
    start/10^4 if not given. Afterwards it stays at `end`.
    """
    largest, rise = _numbers("one_cycle", largest=largest, rise=rise)
    start = largest / 25 if start is None else finite(start, "one_cycle: start")
    end = start / 1e4 if end is None else finite(end, "one_cycle: end")
    _require(0 <= rise <= 1, "one_cycle", f"0 <= rise <= 1; got {rise}")
    return OneCycle(largest, *_span("one_cycle", steps, epochs), start, end, rise)


def warm_up(then: Any, *, steps: int | None = None, epochs: float | None = None) -> Schedule:
    """Linear for the first n steps (`steps`, or those of the `epochs`), then another schedule, or a number.

    Step t of the n is t/n times the other's first value; the other one's t and e count from the n-th step's end.
    """
    made = number_or_schedule(then, "warm_up: then")
    return WarmUp(made if isinstance(made, Schedule) else constant(made), *_span("warm_up", steps, epochs))


def reduce_on_plateau(
    value: float, factor: float = 0.1, patience: int = 10, minimum: float = 0.0, threshold: float = 1e-4
) -> Schedule:
    """`value`, multiplied by `factor` after more than `patience` epochs without a better loss; at least `minimum`.

    The loss is the validation loss if `fit` has validation data, else the epoch's training loss; it is better when
    it is below the best one times 1 - threshold, as in PyTorch's ReduceLROnPlateau.
    """
    value, factor, minimum, threshold = _numbers(
        "reduce_on_plateau", value=value, factor=factor, minimum=minimum, threshold=threshold
    )
    _require(0 < factor < 1, "reduce_on_plateau", f"0 < factor < 1; got {factor}")
    return Plateau(value, factor, _count("reduce_on_plateau", "patience", patience, 0), minimum, threshold)


def expression(formula: Any) -> Schedule:
    """A SymPy expression of the symbols t and e, or a function of (t) or (t, e) on arrays.

    Both may also be given as the hyper-parameter itself.
    """
    made = as_schedule(formula)
    if made is None:
        raise DeclarationError(
            f"sb.schedules.expression takes a SymPy expression of the symbols t and e, or a function; got {formula!r}"
        )
    return made


def _span(name: str, steps: object, epochs: object) -> tuple[int | None, float | None]:
    if (steps is None) == (epochs is None):
        raise DeclarationError(f"sb.schedules.{name} needs either epochs= or steps=, how long it takes")
    if steps is not None:
        return _count(name, "steps", steps), None
    made = finite(epochs, f"sb.schedules.{name}: epochs")
    _require(made > 0, name, f"epochs > 0; got {made}")
    return None, made


def _numbers(name: str, **values: Any) -> tuple[float, ...]:
    return tuple(finite(v, f"sb.schedules.{name}: {n}") for n, v in values.items())


def _count(name: str, what: str, value: Any, least: int = 1) -> int:
    made = finite(value, f"sb.schedules.{name}: {what}")
    _require(made == int(made) and made >= least, name, f"a whole {what} >= {least}; got {value!r}")
    return int(made)


def _require(holds: bool, name: str, what: str) -> None:
    if not holds:
        raise DeclarationError(f"sb.schedules.{name} needs {what}")
