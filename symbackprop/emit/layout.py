"""Indent C by its braces, so that templates need not."""

from __future__ import annotations


def indented(text: str) -> str:
    """`text` with every line indented by the depth of braces; pasted headers (already laid out) keep their lines."""
    lines: list[str] = []
    depth = 0
    pasted = False
    for raw in text.split("\n"):
        line = raw.strip()
        if line == "/* runtime */":
            pasted = not pasted
            continue
        if pasted:
            lines.append(raw.rstrip())
            continue
        if not line and (not lines or not lines[-1]):
            continue
        outside = depth - (1 if line.startswith("}") else 0)
        starred = " " if line.startswith("*") else ""
        lines.append("    " * outside + starred + line if line else "")
        depth += line.count("{") - line.count("}")
    return "\n".join(lines)
