"""What an optimizer is: hyper-parameters, states, and the update of one entry as `next(...)` equations."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ..errors import DeclarationError, did_you_mean
from ..records import Update
from .bounds import POSITIVE, Bounds
from .schedule import finite, first_value, number_or_schedule
from .updating import CLIPS, Symbols, own_name


class Hyper:
    """A hyper-parameter: a number on an optimizer, a run-time symbol inside its `update`."""

    def __init__(self, name: str, default: float, bounds: Bounds) -> None:
        self.name, self.bounds = own_name(name, "a hyper-parameter"), bounds
        self.default = finite(default, f"the default of {name}", bounds)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        if owner is None:
            return self
        symbols = owner.__dict__.get("_symbols")
        return owner._values[self.name] if symbols is None else symbols.hyper(self.name)


def hyper(
    name: str,
    default: float,
    *,
    least: float | None = None,
    below: float | None = None,
    above: float | None = None,
    most: float | None = None,
) -> Any:
    """A hyper-parameter of an optimizer, a run-time symbol: changing it never recompiles.

    Its numbers, those of a schedule too, are at least `least` and at most `most`, greater than `above` and less than
    `below`: `hyper("beta1", 0.9, least=0, below=1)`. Without them any finite number is taken.
    """
    given = {"least": least, "below": below, "above": above, "most": most}
    bounds = {n: finite(b, f"{name}: {n}") for n, b in given.items() if b is not None}
    return Hyper(name, default, Bounds(**bounds))


class Choice:
    """A closed option of an optimizer (`form="velocity"`); the first one is the default."""

    def __init__(self, *options: str) -> None:
        self.options = options

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self if owner is None else owner._choices[self.name]


class Optimizer:
    """Base of all optimizers.

    Positional arguments are the hyper-parameters in the order of declaration; all may be given by name. Each is a
    number or a schedule (`sb.schedules`, a SymPy expression of t and e, a function of them).

    Every optimizer takes three more options. `clip_norm=c` scales the gradient by min(1, c/(norm + 1e-6)), where
    norm is the Euclidean norm of the whole gradient; `clip_value=c` then bounds every entry to [-c, c]. With both the
    norm is scaled first: it is that of the gradient as it was computed, and both bounds hold after. `groups` gives
    parameters whose names match a pattern hyper-parameters of their own: `groups={"b*": {"eta": 0.1}}` (`*`, `?` and
    `[...]` as in file names); what a group does not set it shares with all others.
    """

    _symbols: Symbols | None = None

    def __init__(
        self,
        *args: Any,
        clip_norm: Any = None,
        clip_value: Any = None,
        groups: Mapping[str, Mapping[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        name, declared, choices = type(self).__name__, self._declared(Hyper), self._declared(Choice)
        if len(args) > len(declared):
            raise DeclarationError(f"{name} takes at most {len(declared)} numbers; got {len(args)}")
        given = dict(zip(declared, args, strict=False))
        for option, value in kwargs.items():
            if option not in declared and option not in choices:
                known = [*declared, *choices, *CLIPS, "groups"]
                raise DeclarationError(f"{name} has no option {option!r}.{did_you_mean(option, known)}")
            if option in given:
                raise DeclarationError(f"{name}: {option} is given twice")
            given[option] = value
        self._bounds = {h.name: h.bounds for h in declared.values()} | dict.fromkeys(CLIPS, POSITIVE)
        self._values = {
            h.name: number_or_schedule(given.get(n, h.default), f"{name}: {h.name}", h.bounds)
            for n, h in declared.items()
        } | _clips(name, clip_norm=clip_norm, clip_value=clip_value)
        self._choices = {n: _option(type(self), n, c, given.get(n, c.options[0])) for n, c in choices.items()}
        self._groups = _groups(name, groups or {}, self._values, self._bounds)

    @classmethod
    def _declared(cls, kind: type) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            found |= {n: v for n, v in vars(base).items() if isinstance(v, kind)}
        return found

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """New values of one entry `theta` and of its states, given its gradient entry `g` (clipped, if asked).

        The right sides see old values; `sb.next(v)` is the new one. `self.t` counts steps from 1.
        """
        raise DeclarationError(f"{type(self).__name__} does not define update(self, theta, g)")

    def state(self, name: str, like: Any, init: Any = 0.0) -> Any:
        """A state of the shape of `like`; to be called inside `update`.

        It starts at `init`: a number, or one of the optimizer's hyper-parameters (`init=self.eta`).
        """
        return self._reading("self.state may be called").state(name, init)

    def let(self, name: str, value: Any) -> Any:
        """A name for a value of one entry that several new values need; to be called inside `update`."""
        return self._reading("self.let may be called").let(name, value)

    @property
    def t(self) -> Any:
        """The number of the step, from 1; a symbol inside `update`."""
        from ..language.nodes import Entry

        return Entry(self._reading("self.t may be used").step)

    @property
    def gradient_norm(self) -> Any:
        """The Euclidean norm of the whole gradient, of all parameters, not clipped; a symbol inside `update`."""
        from ..language.nodes import Entry

        return Entry(self._reading("self.gradient_norm may be used").norm)

    def _reading(self, what: str) -> Symbols:
        if self._symbols is None:
            raise DeclarationError(f"{what} inside update only")
        return self._symbols

    @property
    def hypers(self) -> dict[str, Any]:
        """Values of the hyper-parameters by name, numbers or schedules; a group's own are `pattern.name`."""
        own = {f"{p}.{n}": v for p, group in self._groups.items() for n, v in group.items()}
        return {**self._values, **own}

    @property
    def key(self) -> str:
        """What the generated code depends on; the values of the hyper-parameters are not part of it."""
        kind = type(self)
        beside = f"{sorted(set(self._values) & set(CLIPS))}{[(p, sorted(own)) for p, own in self._groups.items()]}"
        if kind.__module__.startswith(__package__.partition(".")[0] + "."):
            return f"{kind.__name__}{sorted(self._choices.items())}{beside}"
        from sympy import srepr

        update = self.equations()
        body = ";".join(f"{e.lhs.name}={srepr(e.rhs)}" for e in update.equations)
        states = [(s.name, start) for s, start in zip(update.states, update.starts, strict=True)]
        return f"{kind.__name__}:{states}:{[(n, *self._bounds[n]) for n in self._values]}:{body}{beside}"

    def equations(self) -> Update:
        """The update as equations, in an order in which every value stands before it is read."""
        from ..language.nodes import Entry

        twin = copy.copy(self)
        twin._symbols = symbols = Symbols(self._values, self._bounds)
        rules = twin.update(Entry(symbols.theta), symbols.clipped())
        return symbols.record(type(self).__name__, rules, self._groups)

    def __repr__(self) -> str:
        options = [f"{n}={v!r}" for n, v in {**self._values, **self._choices}.items()]
        options += [f"groups={self._groups!r}"] if self._groups else []
        return f"{type(self).__name__}({', '.join(options)})"


def _option(kind: type, name: str, choice: Choice, value: object) -> str:
    if value not in choice.options:
        raise DeclarationError(f"{kind.__name__}: {name}={value!r} is unknown.{did_you_mean(value, choice.options)}")
    return str(value)


def _clips(kind: str, **bounds: Any) -> dict[str, Any]:
    """The bounds that are given, checked."""
    made = {n: number_or_schedule(b, f"{kind}: {n}") for n, b in bounds.items() if b is not None}
    for name, bound in made.items():
        if first_value(bound) <= 0:
            raise DeclarationError(f"{kind}: {name} must be > 0, or None for no clipping; got {bound!r}")
    return made


def _groups(
    kind: str, groups: Any, values: Mapping[str, Any], bounds: Mapping[str, Bounds]
) -> dict[str, dict[str, Any]]:
    """Pattern -> the hyper-parameters that a group has for itself, checked as far as no network is needed."""
    if not isinstance(groups, Mapping):
        raise DeclarationError(f'{kind}: groups is a dict, {{"b*": {{"eta": 0.1}}}}; got {groups!r}')
    made: dict[str, dict[str, Any]] = {}
    for pattern, own in groups.items():
        if not isinstance(pattern, str) or not isinstance(own, Mapping) or not own:
            raise DeclarationError(
                f"{kind}: a group is a pattern of parameters' names with a dict of hyper-parameters; got "
                f"{pattern!r}: {own!r}"
            )
        for name in own:
            if name not in values:
                raise DeclarationError(
                    f"{kind}: group {pattern!r} sets {name!r}, which is no hyper-parameter.{did_you_mean(name, values)}"
                )
        made[pattern] = {
            n: number_or_schedule(v, f"{kind}: {n} of group {pattern!r}", bounds[n]) for n, v in own.items()
        }
    return made
