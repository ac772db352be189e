"""The section that shows the whole network: a drawing and its size."""

from __future__ import annotations

from ..present.tree import Leaf
from .diagram import diagram
from .records import Block, Paragraph
from .setting import Setting


def blocks(setting: Setting) -> tuple[Block, ...]:
    """What depends on what."""
    system = setting.derivation.system
    sentence = setting.words(
        "opening.network",
        loss=Leaf(setting.loss),
        parameters=str(sum(t.entries for t in system.parameters)),
        tensors=str(len(system.parameters)),
    )
    drawing = diagram(setting.derivation, setting.view)
    told = {"merged": any(box.more for box in drawing.boxes), "cut": any(box.kind == "dots" for box in drawing.boxes)}
    for key in (key for key, holds in told.items() if holds):
        sentence = (*sentence, " ", *setting.words(f"drawing.{key}"))
    return Paragraph(sentence), drawing
