"""Tables that come with scikit-learn, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from sklearn import datasets

from steps.datasets.sources.source import Table

TARGET = "target"
_LOADERS: dict[str, Callable[..., Any]] = {
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
}
BUNDLED = tuple(_LOADERS)


def load_bundled(name: str) -> Table:
    """A table of scikit-learn in its original units, with class names in the column `target`.

    Args:
        name: One of `BUNDLED`.
    """
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = _LOADERS[name](as_frame=True, **options)
    frame = bunch.frame
    if "target_names" in bunch:
        frame = frame.assign(target=[str(bunch.target_names[i]) for i in frame[TARGET]])
    return Table(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(), TARGET)
