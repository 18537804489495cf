"""data.html of a download run: findings, the target, the columns and the splits."""

from __future__ import annotations

import numpy as np

from steps.datasets import Dataset
from steps.datasets.dataset import SPLITS, TRAINING
from steps.datasets.overview.overview import Overview
from steps.report.charts.target import target_chart
from steps.report.data.bars import bars
from steps.report.data.findings import findings
from steps.report.data.values import ends_of, percent
from steps.report.format import value_text
from steps.report.page import render

_FULL = 200  # columns with a histogram; a table has the others


def data_page(dataset: Dataset, overview: Overview) -> str:
    """The report as one HTML document; its charts exclude test rows."""
    splits = dataset.whole_splits
    targets = np.concatenate([splits[name].targets for name in TRAINING if name in splits])
    return render(
        "data/page.html.jinja",
        title=f"Data: {dataset.name}",
        dataset=dataset,
        overview=overview,
        findings=findings(dataset, overview),
        target=dataset.target,
        schema=dataset.columns.schema if dataset.columns else None,
        sizes={name: len(splits[name]) for name in SPLITS if name in splits},
        n_rows=sum(map(len, splits.values())),
        n_learnable=len(targets),
        n_folds=len(dataset.folds) if "validation" not in splits else 0,
        n_full=_FULL,
        chart=target_chart(dataset.target, targets),
        bars=bars,
        ends_of=ends_of,
        percent=percent,
        value_text=value_text,
    )
