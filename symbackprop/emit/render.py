"""The one door to Jinja: templates see exactly the fields of one frozen record."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import jinja2

from ..resources import templates_root


@cache
def _environment(latex: bool) -> jinja2.Environment:
    marks: dict[str, str] = {}
    if latex:
        marks = {
            "block_start_string": "((*",
            "block_end_string": "*))",
            "variable_start_string": "(((",
            "variable_end_string": ")))",
            "comment_start_string": "((=",
            "comment_end_string": "=))",
        }
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(templates_root())),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=lambda name: name is not None and name.startswith("html/"),
        **marks,  # type: ignore[arg-type]
    )


def render(template: str, context: Any) -> str:
    """`template` (a path under templates/) with the fields of the frozen record `context` as its variables."""
    environment = _environment(template.endswith(".tex.jinja"))
    fields = {f.name: getattr(context, f.name) for f in dataclasses.fields(context)}
    return environment.get_template(template).render(fields)


def runtime_text(name: str) -> str:
    """A runtime header as it stands, to be pasted into an emitted file."""
    return (templates_root() / name).read_text(encoding="utf-8")
