"""The data that a person asks for: where they are, what is predicted, how they are split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from steps.datasets.tabular.inference import Request as Statements

NAMED = ("mnist", "digits", "breast_cancer", "wine", "diabetes", "iris")  # data sets that need no file


@dataclass(frozen=True)
class DataRequest:
    """Where the data are and what they mean; everything that is left empty is found out.

    Attributes:
        dataset: A name of the catalogue, a file, a folder, a glob, `openml:<id>`, or an address.
        target: Column to predict.
        task: `auto`, `classification` or `regression`.
        positive_class: Of two classes the one that scores such as recall are about.
        ignore_columns, categorical_columns, date_columns: Columns whose kind is stated.
        weight_column: Column of numbers by which a row counts in the training loss.
        group_column: Rows with an equal value stay on one side of a split.
        time_column: The training rows come before the validation rows, and these before the test rows.
        split_column: Column that names each row's split.
        test_dataset: Data that become the test split; given as `dataset` is.
        image_shape: (height, width) of images, or of the numbers of a table that form images; empty if found.
        test_fraction: Share of all rows held out for the test split, in (0, 1), unless it is given.
        validation_fraction: Share of the other rows that becomes the validation split, in (0, 1).
        folds: Number of folds that take the place of one validation split; 1 for none, 0 for 5 in small tables.
        seed: Seed of the validation split or the folds; not of the test split, so that versions can be compared.
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
        """The part that says something about columns."""
        return Statements(**{field.name: getattr(self, field.name) for field in fields(Statements)})

    def to_json(self) -> dict[str, Any]:
        """All attributes, of JSON types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        lists = {field.name for field in fields(cls) if isinstance(field.default, tuple)}
        known: dict[str, Any] = {name: tuple(value) if name in lists else value for name, value in about.items()}
        return cls(**known)
