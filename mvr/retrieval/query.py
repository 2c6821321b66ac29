"""What is asked with: a clip or a piece of music, embedded once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mvr.datatypes import BranchedEmbeddings, Direction, FloatArray, JsonDict, Segment
from mvr.errors import UsageError
from mvr.retrieval.explanation import QueryWords
from mvr.retrieval.facts import words_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Query:
    """An embedded clip or piece of music; any alpha can be asked with it, nothing is encoded again.

    Attributes:
        name: file name, to show.
        content: SHA-256 of its bytes.
        direction: which modality it is and which it asks for.
        duration_s: length.
        segments: S time spans.
        embeddings: (S, B, D).
        system: identity of the system that made them.
        facts: what can be heard or seen of the first segment, see `mvr.retrieval.facts`.
        words: what a system that explains itself sees in it, or hears.
        parts: of a mixture, the query of each member.
    """

    name: str
    content: str
    direction: Direction
    duration_s: float
    segments: tuple[Segment, ...]
    embeddings: BranchedEmbeddings
    system: str
    facts: dict[str, float] = field(default_factory=dict)
    words: QueryWords | None = None
    parts: tuple[Query, ...] = ()

    def check_system(self, identity: str) -> None:
        """Raises UsageError: it was embedded by another system than the one of this identity."""
        if self.system != identity:
            raise UsageError("this query was embedded by another system; embed the file again")

    def to_json(self) -> JsonDict:
        """JSON-able form, without vectors."""
        return {
            "name": self.name,
            "id": self.content[:16],
            "direction": str(self.direction),
            "duration_s": round(self.duration_s, 3),
            "facts": self.facts,
            "seen": words_of(self.facts),
        }


def blend_text(vectors: FloatArray, text: FloatArray, weight: float) -> FloatArray:
    """Query branches (S, B, D) moved towards the text's (B, D): (1 - weight) query + weight text, unit length."""
    blended = (1 - weight) * vectors + weight * text
    lengths = np.linalg.norm(blended, axis=-1, keepdims=True)
    unit: FloatArray = (blended / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    return unit
