"""Description of a table's columns for a model: `columns.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .encoding import Encoding
from .interval import PredictionInterval
from .schema import Schema
from .target import Target


@dataclass(frozen=True)
class Columns:
    """Target, schema and encoding of a table.

    Attributes:
        encoding: Fitted on the training rows.
        interval: In a model that predicts a number; None for classes and before the training.
    """

    schema: Schema
    target: Target
    encoding: Encoding
    interval: PredictionInterval | None = None

    def to_json(self) -> str:
        """One JSON object with `target`, `schema`, `encoding` and, if there is one, `interval`."""
        about = {
            "target": self.target.to_json(),
            "schema": self.schema.to_json(),
            "encoding": self.encoding.to_json(),
        }
        if self.interval:
            about["interval"] = self.interval.to_json()
        return json.dumps(about, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Columns:
        """The inverse of `to_json`."""
        about: dict[str, Any] = json.loads(text)
        return cls(
            Schema.from_json(about["schema"]),
            Target.from_json(about["target"]),
            Encoding.from_json(about["encoding"]),
            PredictionInterval.from_json(about["interval"]) if "interval" in about else None,
        )
