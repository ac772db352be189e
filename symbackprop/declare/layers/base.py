"""A layer is a frozen record with `build(x, names) -> Block`; here are the names that it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Names:
    """Numbers the layers of a network as they are built: 1, 2, ..."""

    count: int = field(default=0)

    def layer(self) -> int:
        """The number of the next layer."""
        self.count += 1
        return self.count
