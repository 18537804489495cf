"""card.md: the model card of a registered version, as Markdown for the registry and beside the model."""

from __future__ import annotations

import json
import pprint
import shlex
from collections.abc import Sequence

from steps.datasets import Dataset
from steps.datasets.tabular.arrays import plain
from steps.report.data.values import values_of
from steps.report.evaluation.result import EvaluationResult
from steps.report.page import render
from steps.tasks.task import task_of

_COLUMNS = 60  # listed
_CANDIDATES = 100  # rows of which one is the example
_EXAMPLE = 100  # columns up to which an example row is written out
_WIDTH = 100  # characters of a line of the example


def model_card(result: EvaluationResult, dataset: Dataset, weaknesses: Sequence[str]) -> str:
    """The card: purpose, scores, weak spots, data, training and use (Mitchell et al., Model Cards, 2019).

    Args:
        dataset: With its test split, of which a row is the example.
        weaknesses: Sentences on rows that the model predicts worst.
    """
    return render(
        "evaluation/card.md.jinja",
        result=result,
        dataset=dataset,
        task=task_of(dataset),
        weaknesses=weaknesses,
        n_test=len(dataset.splits["test"]),
        n_columns=_COLUMNS,
        values_of=values_of,
        sizes={name: len(split) for name, split in dataset.whole_splits.items()},
        hyperparameters=result.lineage.get("hyperparameters", {}),
        example=_example(dataset),
        literal=json.dumps(result.model_uri, ensure_ascii=False),
        quoted=shlex.quote(result.model_uri),
    )


def _example(dataset: Dataset) -> str:
    """A test row of a table with few missing cells as a Python dictionary; empty for images and very wide tables."""
    if dataset.columns is None or len(dataset.columns.schema.columns) > _EXAMPLE:
        return ""
    rows = dataset.test_input[:_CANDIDATES]
    first = int(rows.isna().sum(axis=1).to_numpy().argmin())
    row = plain(rows[first : first + 1]).iloc[0].to_dict()
    return "    " + pprint.pformat(row, width=_WIDTH, sort_dicts=False).replace("\n", "\n    ")
