"""data.html of a download run: the inferred columns, the target and the splits."""

from __future__ import annotations

import numpy as np

from steps.datasets import Dataset
from steps.datasets.split import training_rows
from steps.report.charts.target import target_chart
from steps.report.data.values import values_of
from steps.report.page import render


def data_page(dataset: Dataset) -> str:
    """The report as one HTML document; the chart of the target excludes test rows."""
    splits = dataset.whole_splits
    return render(
        "data/page.html.jinja",
        title=f"Data: {dataset.name}",
        dataset=dataset,
        target=dataset.target,
        schema=dataset.columns.schema if dataset.columns else None,
        sizes={name: len(split) for name, split in splits.items()},
        n_rows=sum(map(len, splits.values())),
        n_folds=len(dataset.folds) if "validation" not in splits else 0,
        chart=target_chart(dataset.target, np.asarray(training_rows(dataset).targets)),
        values_of=values_of,
    )
