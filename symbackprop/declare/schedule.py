"""What a schedule is: the values of a hyper-parameter over the steps of training, computed at run time.

Wherever a hyper-parameter's number is given, a schedule may stand: one of `sb.schedules`, a SymPy expression of the
symbols `t` (the step, from 1) and `e` (the epoch, from 1), or a function of (t) or (t, e) on arrays. Nothing is
compiled again.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError
from .bounds import FREE, Bounds

if TYPE_CHECKING:
    import numpy as np
    from sympy import Expr

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Clock:
    """When some steps take place, as arrays of one shape: all count over all calls of `fit`.

    `t` is the number of the step and `e` that of its epoch, both from 1; `past` is how many epochs, a fraction
    too, were done before the step; `per` is how many steps an epoch of the call at hand has.
    """

    t: Array
    e: Array
    past: Array
    per: int

    @classmethod
    def of(cls, steps: Array, first_step: int, first_epoch: int, per: int) -> Clock:
        """The clock of `steps` (from 0); the epoch `first_epoch` (from 0) began at step `first_step`."""
        import numpy as np

        epochs, rest = np.divmod(steps - first_step, per)
        past = first_epoch + epochs
        return cls(steps + 1, past + 1, past + rest / per, per)  # the same bits wherever a chunk begins

    def done(self, steps: int | None) -> Array:
        """Steps done before each step; measured in epochs (`steps` is None) times the steps of an epoch."""
        done: Array = self.past * self.per if steps is None else self.t - 1
        return done

    def later(self, steps: int | None, epochs: float | None) -> Clock:
        """The clock set back by so many steps, or by so many epochs."""
        import numpy as np

        back, whole = (steps, steps / self.per) if steps is not None else ((epochs or 0) * self.per, epochs or 0)
        past = self.past - whole
        return Clock(self.t - round(back), np.floor(past + 1e-9).astype(np.int64) + 1, past, self.per)


def start(per: int = 1) -> Clock:
    """The clock of the first step."""
    import numpy as np

    return Clock(np.array([1]), np.array([1]), np.array([0.0]), per)


class Schedule:
    """Values of a hyper-parameter by step. Schedules are never changed; `observe` returns the next one."""

    def at(self, clock: Clock) -> Array:
        """The values (steps,) at these steps."""
        raise NotImplementedError

    @property
    def watches(self) -> bool:
        """Whether the values depend on the losses of the epochs before."""
        return False

    def observe(self, loss: float) -> Schedule:
        """The schedule after an epoch with this loss (the validation loss where there is one)."""
        return self

    @property
    def memory(self) -> tuple[float, ...]:
        """What `observe` has learned, to be saved with a model."""
        return ()

    def recall(self, memory: tuple[float, ...]) -> Schedule:
        """This schedule with what was saved."""
        return self


@dataclass(frozen=True, slots=True)
class Expression(Schedule):
    """A SymPy expression of the symbols t and e."""

    expr: Expr

    def at(self, clock: Clock) -> Array:
        """See `Schedule.at`."""
        from ..language.evaluate import evaluate

        return _spread(evaluate(self.expr, {"t": clock.t, "e": clock.e}), clock, str(self.expr))


@dataclass(frozen=True, slots=True)
class Function(Schedule):
    """A Python function of (t) or (t, e), which takes and returns arrays (steps,)."""

    function: Callable[..., Any]
    arguments: int

    def at(self, clock: Clock) -> Array:
        """See `Schedule.at`."""
        return _spread(self.function(*(clock.t, clock.e)[: self.arguments]), clock, self.name)

    @property
    def name(self) -> str:
        """The function's own name."""
        return str(getattr(self.function, "__name__", repr(self.function)))

    def __repr__(self) -> str:
        return self.name

    def tried(self) -> Function:
        """This schedule, tried on two steps; `DeclarationError` where the function takes no arrays."""
        import numpy as np

        clock = Clock(np.array([1, 2]), np.array([1, 1]), np.array([0.0, 0.5]), 2)
        try:
            self.at(clock)
        except DeclarationError:
            raise
        except (TypeError, ValueError) as error:  # what NumPy raises where one number is wanted
            raise DeclarationError(
                f"the schedule {self.name} takes arrays: np.where(t < 3, 0.1, 0.01) in place of a branch, np.exp in "
                f"place of math.exp; on two steps it raised: {error}"
            ) from error
        return self


def _spread(values: Any, clock: Clock, what: str) -> Array:
    import numpy as np

    try:
        return np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), clock.t.shape))
    except (TypeError, ValueError):
        raise DeclarationError(
            f"the schedule {what} must return one number a step, shape {clock.t.shape}; got "
            f"{type(values).__name__} of shape {np.shape(values)}"
        ) from None


def as_schedule(value: Any) -> Schedule | None:
    """A schedule from itself, a SymPy expression or a function; None for anything else (a number)."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, (Real, str, type)):
        return None
    if (sympy := sys.modules.get("sympy")) is not None and isinstance(value, sympy.Expr):
        from ..language.evaluate import check

        return Expression(check(value))
    if str(getattr(value, "__module__", "")) == f"{__package__}.schedules":
        raise DeclarationError(f"sb.schedules.{value.__name__} stands without its numbers; write it with them in ()")
    return Function(value, _arguments(value)).tried() if callable(value) else None


def _arguments(function: Callable[..., Any]) -> int:
    """1 for a function of (t), 2 for one of (t, e)."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        given = [p for p in inspect.signature(function).parameters.values() if p.kind in kinds]
    except (TypeError, ValueError):
        return 1
    needed = [p for p in given if p.default is inspect.Parameter.empty]
    if not given or len(needed) > 2:
        raise DeclarationError(
            "a schedule's function takes (t) or (t, e), the step and the epoch from 1; got one of "
            f"{inspect.signature(function)}"
        )
    return max(1, len(needed))


def finite(value: object, what: str, bounds: Bounds = FREE) -> float:
    """`value` as a finite number within its bounds, else a `DeclarationError`."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or not bounds.holds(value):
        raise DeclarationError(f"{what} must be {bounds.wanted}; got {value!r}")
    return float(value)


def number_or_schedule(value: object, what: str, bounds: Bounds = FREE) -> float | Schedule:
    """`value` as a finite number within its bounds or a schedule that begins with one, else a `DeclarationError`."""
    schedule = as_schedule(value)
    if schedule is None:
        return finite(value, what, bounds)
    first = float(schedule.at(start())[0])
    if not math.isfinite(first) or not bounds.holds(first):
        raise DeclarationError(
            f"{what}: the schedule {schedule!r} is {first:g} at the first step; it must be {bounds.wanted}"
        )
    return schedule


def first_value(value: object, what: str = "a hyper-parameter") -> float:
    """The number that a hyper-parameter begins with: itself, or its schedule's value at the first step."""
    made = number_or_schedule(value, what)
    return float(made.at(start())[0]) if isinstance(made, Schedule) else made
