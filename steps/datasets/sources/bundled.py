"""Tables that come with scikit-learn, by name."""

from __future__ import annotations

import pyarrow as pa

from steps.datasets.sources.source import Table

TARGET = "target"
BUNDLED = ("breast_cancer", "diabetes", "iris", "wine")


def load_bundled(name: str) -> Table:
    """A table of scikit-learn in its original units, with class names in the column `target`.

    Args:
        name: One of `BUNDLED`.
    """
    from sklearn import datasets  # late: most data do not need it

    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(as_frame=True, **options)
    frame = bunch.frame
    if "target_names" in bunch:
        frame = frame.assign(target=[str(bunch.target_names[i]) for i in frame[TARGET]])
    return Table(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(), TARGET)
