"""Description of a table's columns for a model: `columns.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .encoding import Encoding
from .schema import Schema
from .target import Target


@dataclass(frozen=True)
class Columns:
    """Target, schema and encoding of a table.

    Attributes:
        encoding: Fitted on the training rows.
    """

    schema: Schema
    target: Target
    encoding: Encoding

    def to_json(self) -> str:
        """One JSON object with `target`, `schema` and `encoding`."""
        about = {
            "target": self.target.to_json(),
            "schema": self.schema.to_json(),
            "encoding": self.encoding.to_json(),
        }
        return json.dumps(about, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Columns:
        """The inverse of `to_json`."""
        about: dict[str, Any] = json.loads(text)
        return cls(
            Schema.from_json(about["schema"]),
            Target.from_json(about["target"]),
            Encoding.from_json(about["encoding"]),
        )
