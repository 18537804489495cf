"""redraw: draw the report and the figures of a tune or evaluate run anew."""

from __future__ import annotations

import click

from steps.evaluation.drawing import draw as draw_evaluate_run
from steps.search.drawing import draw as draw_tune_run
from steps.tracking.runs import STEP_TAG, find_step_run

_DRAW = {"tune": draw_tune_run, "evaluate": draw_evaluate_run}  # by step


def run(run_id: str) -> None:
    found = find_step_run(run_id, tuple(_DRAW), "run_id")
    step = found.data.tags[STEP_TAG]
    _DRAW[step](found)
    click.echo(f"Drawn: report.html and figures/ of the {step} run {run_id}")
