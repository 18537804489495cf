"""Requests for data: their source, the target, and the splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from steps.datasets.tabular.inference import Statements


@dataclass(frozen=True)
class DataRequest:
    """Source and meaning of the data; empty attributes are inferred.

    Attributes:
        dataset: A name of the catalogue, a file, a folder, a glob, `openml:<id>`, or an address.
        target: Column to predict.
        task: `auto`, `classification` or `regression`.
        positive_class: With two classes, the one that scores such as recall refer to.
        ignore_columns, categorical_columns, date_columns: Columns of a given kind.
        weight_column: Column of row weights for the training loss.
        group_column: Rows with equal values stay on one side of a split.
        time_column: The training rows come before the validation rows, and these before the test rows.
        split_column: Column with the name of each row's split.
        test_dataset: Source of the test split, in the same form as `dataset`.
        image_shape: (height, width) of images, or of images stored as rows of a table; empty to infer it.
        test_fraction: Share of all rows held out for the test split, in (0, 1), unless it is given.
        validation_fraction: Share of the other rows that becomes the validation split, in (0, 1).
        folds: Number of folds that take the place of one validation split; 1 for none, 0 for 5 in small tables.
        seed: Seed of the validation split or the folds. The test split does not depend on it, so that versions of a
            model can be compared.
    """

    dataset: str
    target: str = ""
    task: Literal["auto", "classification", "regression"] = "auto"
    positive_class: str = ""
    ignore_columns: tuple[str, ...] = ()
    categorical_columns: tuple[str, ...] = ()
    date_columns: tuple[str, ...] = ()
    weight_column: str = ""
    group_column: str = ""
    time_column: str = ""
    split_column: str = ""
    test_dataset: str = ""
    image_shape: tuple[int, ...] = ()
    test_fraction: float = 1 / 5
    validation_fraction: float = 1 / 6
    folds: int = 0
    seed: int = 0

    def statements(self) -> Statements:
        """The part that concerns columns."""
        return Statements(**{field.name: getattr(self, field.name) for field in fields(Statements)})

    def to_json(self) -> dict[str, Any]:
        """All attributes as JSON types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        lists = {field.name for field in fields(cls) if isinstance(field.default, tuple)}
        known: dict[str, Any] = {name: tuple(value) if name in lists else value for name, value in about.items()}
        return cls(**known)
