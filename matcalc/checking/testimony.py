"""What one witness says of a claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Testimony:
    """A witness's word on one question.

    Attributes:
        witness: its name, as ``--witness`` takes it.
        agrees: whether the claim holds by it; None where it does not answer.
        says: one sentence with the figures behind it, or why it does not answer.
    """

    witness: str
    agrees: bool | None
    says: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it.

        >>> Testimony("exact", True, "holds").to_dict()
        {'witness': 'exact', 'agrees': True, 'says': 'holds'}
        """
        return {"witness": self.witness, "agrees": self.agrees, "says": self.says}
