"""What an optimizer is: hyper-parameters, states, and the update of one entry as `next(...)` equations."""

from __future__ import annotations

import copy
import math
from numbers import Real
from typing import Any

from ..errors import DeclarationError, did_you_mean
from ..language.tensor import Tensor, check_name, hyper_tensor
from ..records import Equation, Update


class Hyper:
    """A hyper-parameter: a number on an optimizer, a run-time symbol inside its `update`."""

    def __init__(self, name: str, default: float) -> None:
        if name in ("t", "theta", "g"):
            raise DeclarationError(f"a hyper-parameter cannot be called {name}: t, theta and g are taken")
        self.name, self.default = check_name(name, "hyper-parameter"), float(default)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        if owner is None:
            return self
        symbols = owner.__dict__.get("_symbols")
        return owner._values[self.name] if symbols is None else symbols.hyper(self)


def hyper(name: str, default: float) -> Any:
    """A hyper-parameter of an optimizer, a run-time symbol: changing it never recompiles."""
    return Hyper(name, default)


class Choice:
    """A closed option of an optimizer (`form="velocity"`); the first one is the default."""

    def __init__(self, *options: str) -> None:
        self.options = options

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self if owner is None else owner._choices[self.name]


class _Symbols:
    """What `update` declares while it is being read: states, and the hyper-parameters it uses."""

    def __init__(self, values: dict[str, float]) -> None:
        from ..language.nodes import Entry

        self._entry = Entry
        self._values = values
        self.states: dict[str, Tensor] = {}
        self.hypers: dict[str, Tensor] = {}
        self.step = Tensor("t", (), "state")

    def hyper(self, declared: Hyper) -> Any:
        made = self.hypers.setdefault(declared.name, hyper_tensor(declared.name, self._values[declared.name]))
        return self._entry(made)

    def state(self, name: str) -> Any:
        if name in ("t", "theta", "g"):
            raise DeclarationError(f"an optimizer's state cannot be called {name}: t, theta and g are taken")
        if name in self.states:
            raise DeclarationError(f"optimizer state {name!r} is declared twice")
        self.states[name] = Tensor(check_name(name, "state"), (), "state")
        return self._entry(self.states[name])


class Optimizer:
    """Base of all optimizers.

    Positional arguments are the hyper-parameters in the order of declaration; all may be given by name.
    """

    _symbols: _Symbols | None = None

    def __init__(self, *args: float, **kwargs: Any) -> None:
        declared = self._declared(Hyper)
        choices = self._declared(Choice)
        if len(args) > len(declared):
            raise DeclarationError(f"{type(self).__name__} takes at most {len(declared)} numbers; got {len(args)}")
        given = dict(zip(declared, args, strict=False))
        for name, value in kwargs.items():
            if name not in declared and name not in choices:
                raise DeclarationError(
                    f"{type(self).__name__} has no option {name!r}.{did_you_mean(name, [*declared, *choices])}"
                )
            if name in given:
                raise DeclarationError(f"{type(self).__name__}: {name} is given twice")
            given[name] = value
        self._values = {h.name: _number(type(self), h.name, given.get(n, h.default)) for n, h in declared.items()}
        self._choices = {n: _option(type(self), n, c, given.get(n, c.options[0])) for n, c in choices.items()}

    @classmethod
    def _declared(cls, kind: type) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            found |= {n: v for n, v in vars(base).items() if isinstance(v, kind)}
        return found

    def update(self, theta: Any, g: Any) -> dict[Any, Any]:
        """New values of one entry `theta` and of its states, given its gradient entry `g`.

        The right sides see old values; `sb.next(v)` is the new one. `self.t` counts steps from 1.
        """
        raise DeclarationError(f"{type(self).__name__} does not define update(self, theta, g)")

    def state(self, name: str, like: Any) -> Any:
        """A state of the shape of `like` that starts at 0; to be called inside `update`."""
        if self._symbols is None:
            raise DeclarationError("self.state may be called inside update only")
        return self._symbols.state(name)

    @property
    def t(self) -> Any:
        """The number of the step, from 1; a symbol inside `update`."""
        from ..language.nodes import Entry

        if self._symbols is None:
            raise DeclarationError("self.t may be used inside update only")
        return Entry(self._symbols.step)

    @property
    def hypers(self) -> dict[str, float]:
        """Values of the hyper-parameters by name."""
        return dict(self._values)

    @property
    def key(self) -> str:
        """What the generated code depends on; the values of the hyper-parameters are not part of it."""
        kind = type(self)
        if kind.__module__.startswith(__package__.partition(".")[0] + "."):
            return f"{kind.__name__}{sorted(self._choices.items())}"
        from sympy import srepr

        update = self.equations()
        body = ";".join(f"{e.lhs.name}={srepr(e.rhs)}" for e in update.equations)
        return f"{kind.__name__}:{[s.name for s in update.states]}:{list(self._values)}:{body}"

    def equations(self) -> Update:
        """The update as equations, in an order in which every `next` stands after its definition."""
        from ..language.nodes import Entry

        twin = copy.copy(self)
        twin._symbols = symbols = _Symbols(self._values)
        theta, gradient = Tensor("theta", (), "parameter"), Tensor("g", (), "gradient")
        rules = twin.update(Entry(theta), Entry(gradient))
        equations = _ordered(type(self).__name__, rules, theta, symbols)
        # every hyper-parameter keeps its place in the scalar block, used or not
        hypers = tuple(symbols.hypers.get(n) or hyper_tensor(n, v) for n, v in self._values.items())
        return Update(
            type(self).__name__,
            theta,
            gradient,
            symbols.step,
            tuple(symbols.states.values()),
            hypers,
            equations,
        )

    def __repr__(self) -> str:
        options = [f"{n}={v!r}" for n, v in {**self._values, **self._choices}.items()]
        return f"{type(self).__name__}({', '.join(options)})"


def _number(kind: type, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise DeclarationError(f"{kind.__name__}: {name} must be a finite number; got {value!r}")
    return float(value)


def _option(kind: type, name: str, choice: Choice, value: object) -> str:
    if value not in choice.options:
        raise DeclarationError(f"{kind.__name__}: {name}={value!r} is unknown.{did_you_mean(value, choice.options)}")
    return str(value)


def _ordered(name: str, rules: Any, theta: Tensor, symbols: _Symbols) -> tuple[Equation, ...]:
    """The assignments, checked, so ordered that `next(v)` is known before it is used."""
    from sympy import Symbol

    from ..language.nodes import Entry, NextEntry, sympify_number

    if not isinstance(rules, dict) or not rules:
        raise DeclarationError(f"{name}.update must return a dict of new values, {{theta: ...}}; got {rules!r}")
    todo: dict[Tensor, Any] = {}
    for target, value in rules.items():
        if type(target) is not Entry or target.tensor not in (theta, *symbols.states.values()):
            raise DeclarationError(f"{name}.update assigns to {target}; only theta and declared states have new values")
        todo[target.tensor] = sympify_number(value)
        stray = sorted(str(s) for s in todo[target.tensor].atoms(Symbol))
        if stray:
            raise DeclarationError(
                f"{name}.update: {', '.join(stray)} in the new value of {target} is neither theta, g, a state nor a "
                "hyper-parameter; declare it with sb.hyper or self.state"
            )
    for needed in (theta, *symbols.states.values()):
        if needed not in todo:
            raise DeclarationError(f"{name}.update gives no new value for {needed.name}")
    done: list[Equation] = []
    while todo:
        known = {e.lhs for e in done}
        ready = [t for t, v in todo.items() if {n.tensor for n in v.atoms(NextEntry)} <= known]
        if not ready:
            raise DeclarationError(
                f"{name}.update: the new values of {', '.join(t.name for t in todo)} need each other"
            )
        done += [Equation(t, (), todo.pop(t)) for t in ready]
    return tuple(done)
