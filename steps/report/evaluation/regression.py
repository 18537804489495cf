"""The section of a regression: predicted against true, errors over the range, error by size, largest errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from steps.datasets import Dataset
from steps.report.charts.regression import MAX_DOTS, predicted_against_true, residuals
from steps.report.evaluation.section import Section, cells
from steps.tasks.metric import significant
from steps.tasks.regression import metrics

_GROUPS = 5  # of equally many rows
_LARGEST = 10


@dataclass(frozen=True)
class Group:
    """Test rows whose targets lie in one range, with their errors."""

    low: str
    high: str
    n: int
    rmse: float
    mae: str
    median: str
    bias: str

    @classmethod
    def of(cls, targets: np.ndarray, errors: np.ndarray) -> Group:
        size, bias = np.abs(errors), float(errors.mean())
        rmse = float(np.sqrt((errors**2).mean()))
        mae, median = (significant(float(value)) for value in (size.mean(), np.median(size)))
        low, high = _target(targets.min()), _target(targets.max())
        return cls(low, high, len(targets), rmse, mae, median, _signed(bias))


@dataclass(frozen=True)
class Miss:
    """A row of the test split that was predicted badly."""

    row: int
    true: str
    predicted: str
    error: str
    cells: Mapping[str, str]


def regression_section(dataset: Dataset, outputs: np.ndarray, shown: Sequence[str] = ()) -> Section:
    """The section of (n, 1) outputs for the test split of a data set.

    Args:
        shown: Columns whose cells are shown of the rows with the largest errors.
    """
    targets = np.asarray(dataset.splits["test"].targets, np.float64)
    predicted, errors = outputs[:, 0].astype(np.float64), metrics.residuals(targets, outputs)
    name, size = dataset.target.name or "target", np.abs(errors)
    worst = np.argsort(-size, kind="stable")[:_LARGEST]
    half, most = (significant(float(value)) for value in np.quantile(size, (0.5, 0.9)))
    groups = [Group.of(targets[rows], errors[rows]) for rows in _groups(targets)]
    values = {
        "name": name,
        "half": half,
        "most": most,
        "groups": groups,
        "misses": [
            Miss(int(i), _target(targets[i]), significant(predicted[i]), _signed(errors[i]), row)
            for i, row in zip(worst, cells(dataset, worst.tolist(), shown), strict=True)
        ],
        "shown": shown,
        "n_dots": min(MAX_DOTS, len(targets)),
    }
    charts = {
        "predicted_against_true": predicted_against_true(targets, predicted, name),
        "residuals": residuals(predicted, errors, name),
    }
    worst_group = max(groups, key=lambda group: group.rmse)
    weakness = (
        f"Rows with {name} from {worst_group.low} to {worst_group.high} have the largest errors: RMSE "
        f"{significant(worst_group.rmse)}, on all test rows {significant(metrics.RMSE.value(targets, outputs))}"
    )
    return Section("evaluation/regression.html.jinja", values, charts, (weakness,) if len(groups) > 1 else ())


def _groups(targets: np.ndarray) -> list[np.ndarray]:
    """Indices of about equally many rows each, by the size of their targets; equal targets stay together."""
    edges = np.unique(np.quantile(targets, np.linspace(0, 1, _GROUPS + 1)[1:-1], method="lower"))
    places = np.searchsorted(edges, targets)
    return [np.flatnonzero(places == i) for i in range(len(edges) + 1) if (places == i).any()]


def _target(value: float) -> str:
    """A whole number as such: most targets that are whole count something."""
    return f"{value:,.0f}" if float(value).is_integer() else significant(float(value))


def _signed(value: float) -> str:
    text = significant(abs(value))
    return text if value == 0 else f"{'+' if value > 0 else '−'}{text}"
