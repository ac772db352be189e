"""The record of an optimizer's update: what `update` declares, clipping before it, parameter groups beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ..errors import DeclarationError
from ..language.tensor import Tensor, check_name, hyper_tensor
from ..records import Equation, Group, Update
from .bounds import Bounds
from .schedule import first_value

CLIPS = ("clip_norm", "clip_value")
TAKEN = ("t", "theta", "g", "norm", "g_clip", "groups", *CLIPS)
"""Names that a user's hyper-parameters, states and named values cannot have."""


def own_name(name: str, what: str) -> str:
    """`name` if it may name a `what` of an optimizer, else a `DeclarationError`."""
    if name in TAKEN:
        raise DeclarationError(f"{what} cannot be called {name}: {', '.join(TAKEN)} are taken")
    return check_name(name, what.rsplit(maxsplit=1)[-1])


class Symbols:
    """What `update` declares while it is being read: states, named values, and the hyper-parameters it uses."""

    def __init__(self, values: Mapping[str, Any], bounds: Mapping[str, Bounds]) -> None:
        from ..language.nodes import Entry

        self._entry = Entry
        self._values, self._bounds = values, bounds
        self.states: dict[str, Tensor] = {}
        self.starts: dict[str, float | str] = {}
        self.named: dict[Tensor, Any] = {}
        self.hypers: dict[str, Tensor] = {}
        self.step = Tensor("t", (), "state")
        self.theta, self.gradient = Tensor("theta", (), "parameter"), Tensor("g", (), "gradient")
        self.norm = Tensor("norm", (), "intermediate")

    def hyper(self, name: str) -> Any:
        """The symbol of a hyper-parameter."""
        if name not in self.hypers:
            self.hypers[name] = hyper_tensor(name, first_value(self._values[name]), self._bounds[name])
        return self._entry(self.hypers[name])

    def state(self, name: str, init: Any) -> Any:
        """A new state that starts at a number, or at the value of a hyper-parameter."""
        self._new(name, "an optimizer's state")
        if name in self.states:
            raise DeclarationError(f"optimizer state {name!r} is declared twice")
        tensor: Tensor | None = getattr(init, "tensor", None)
        if tensor is not None and tensor.kind == "hyper":
            self.starts[name] = tensor.name
        else:
            self.starts[name] = first_value(init, f"state {name}: init")
        self.states[name] = Tensor(name, (), "state")
        return self._entry(self.states[name])

    def let(self, name: str, value: Any) -> Any:
        """A new named value."""
        from ..language.nodes import sympify_number

        if name != "g_clip":
            self._new(name, "an optimizer's value")
        if name in self.states or name in (t.name for t in self.named):
            raise DeclarationError(f"optimizer value {name!r} is declared twice")
        made = Tensor(name, (), "intermediate")
        self.named[made] = sympify_number(value)
        return self._entry(made)

    def _new(self, name: str, what: str) -> None:
        own_name(name, what)
        if name in self._values:
            raise DeclarationError(f"{what} cannot be called {name}: a hyper-parameter has that name")

    def clipped(self) -> Any:
        """The gradient's entry, scaled to the norm's bound and then bounded by value where that is asked for."""
        from ..language.functions import maximum, minimum

        g = made = self._entry(self.gradient)
        if "clip_norm" in self._values:
            made = made * minimum(1, self.hyper("clip_norm") / (self._entry(self.norm) + 1e-6))
        if "clip_value" in self._values:
            bound = self.hyper("clip_value")
            made = minimum(maximum(made, -bound), bound)
        return g if made is g else self.let("g_clip", made)

    def record(self, name: str, rules: Any, groups: Mapping[str, Mapping[str, Any]]) -> Update:
        """The update from the new values that `update` has returned."""
        from ..language.nodes import Entry

        equations = self._ordered(name, rules)
        # every hyper-parameter keeps its place in the scalar block, used or not
        hypers = tuple(self.hyper(n).tensor for n in self._values)
        read = {e.tensor for eq in equations for e in eq.rhs.atoms(Entry)}
        return Update(
            name, self.theta, self.gradient, self.step, tuple(self.states.values()), hypers, equations,
            starts=tuple(self.starts.values()),
            norm=self.norm if self.norm in read else None,
            groups=tuple(_group(pattern, own, hypers) for pattern, own in groups.items()),
        )  # fmt: skip

    def _ordered(self, name: str, rules: Any) -> tuple[Equation, ...]:
        """The assignments, checked, so ordered that a value is known before it is used."""
        todo = {**self.named, **self._checked(name, rules)}
        done: list[Equation] = []
        while todo:
            ready = [t for t, v in todo.items() if not _needs(v) & set(todo)]
            if not ready:
                raise DeclarationError(
                    f"{name}.update: the new values of {', '.join(t.name for t in todo)} need each other"
                )
            done += [Equation(t, (), todo.pop(t)) for t in ready]
        return tuple(done)

    def _checked(self, name: str, rules: Any) -> dict[Tensor, Any]:
        """New values of theta and of all states."""
        from sympy import Symbol

        from ..language.nodes import Entry, sympify_number

        if not isinstance(rules, dict) or not rules:
            raise DeclarationError(f"{name}.update must return a dict of new values, {{theta: ...}}; got {rules!r}")
        changed = (self.theta, *self.states.values())
        made: dict[Tensor, Any] = {}
        for target, value in rules.items():
            if type(target) is not Entry or target.tensor not in changed:
                raise DeclarationError(
                    f"{name}.update assigns to {target}; only theta and declared states have new values"
                )
            made[target.tensor] = sympify_number(value)
        for lhs, value in (*self.named.items(), *made.items()):
            stray = sorted(str(s) for s in value.atoms(Symbol))
            if stray:
                raise DeclarationError(
                    f"{name}.update: {', '.join(stray)} in the new value of {lhs} is neither theta, g, a state nor a "
                    "hyper-parameter; declare it with sb.hyper or self.state"
                )
        for needed in changed:
            if needed not in made:
                raise DeclarationError(f"{name}.update gives no new value for {needed.name}")
        return made


def _needs(value: Any) -> set[Tensor]:
    """The tensors whose new values, and the named values, that an expression reads."""
    from ..language.nodes import Entry, NextEntry

    return {e.tensor for e in value.atoms(Entry) if isinstance(e, NextEntry) or e.tensor.kind == "intermediate"}


def _group(pattern: str, own: Mapping[str, Any], hypers: Sequence[Tensor]) -> Group:
    made = (
        hyper_tensor(f"{pattern}.{h.name}", first_value(own[h.name]), h.bounds) if h.name in own else h for h in hypers
    )
    return Group(pattern, tuple(made))


def group_of(update: Update, names: Sequence[str]) -> tuple[int | None, ...]:
    """For each parameter's name the place of its group, None for the default one.

    Raises `DeclarationError` for a pattern that no parameter matches, and for a parameter that two match.
    """
    for group in update.groups:
        if not any(fnmatchcase(n, group.pattern) for n in names):
            raise DeclarationError(
                f"{update.name}: the group {group.pattern!r} matches no parameter; the parameters are "
                f"{', '.join(names)}"
            )
    found: list[int | None] = []
    for name in names:
        places = [i for i, g in enumerate(update.groups) if fnmatchcase(name, g.pattern)]
        if len(places) > 1:
            both = " and ".join(repr(update.groups[i].pattern) for i in places)
            raise DeclarationError(f"{update.name}: parameter {name} belongs to the groups {both}; make them disjoint")
        found.append(places[0] if places else None)
    return tuple(found)
