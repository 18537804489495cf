"""Figures of a study: PNG for a look, one HTML page with the same, interactive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import optuna
from matplotlib import pyplot as plt
from optuna.study import Study
from optuna.trial import TrialState
from optuna.visualization import matplotlib as static

_STYLE: dict[Any, Any] = {
    "figure.figsize": (9, 5), "figure.dpi": 110, "savefig.bbox": "tight", "axes.facecolor": "white",
    "axes.spines.top": False, "axes.spines.right": False, "grid.color": "#dddddd", "font.size": 10,
}  # fmt: skip
_TARGET = "validation accuracy"


def save_study_figures(study: Study, folder: Path) -> None:
    """Write what the study's trials allow of `<figure>.png`, and `study.html` with all of them.

    History and intermediate values need one finished trial, parallel coordinates one complete trial,
    importances two complete trials that differ.
    """
    figures = _figures(study)
    with mpl.rc_context(_STYLE):
        for name, (_, draw) in figures.items():
            draw()
            plt.savefig(folder / f"{name}.png")
            plt.close("all")
    (folder / "study.html").write_text(
        _page(study, {name: plot for name, (plot, _) in figures.items()}), encoding="utf-8"
    )


def _figures(study: Study) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Name -> (interactive, static)."""
    plots = optuna.visualization
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    figures: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {}
    if any(trial.intermediate_values for trial in study.get_trials(deepcopy=False)):
        figures["intermediate_values"] = (
            lambda: plots.plot_intermediate_values(study),
            lambda: _without_legend(static.plot_intermediate_values(study), "epoch", _TARGET),
        )
    if complete:
        shared = sorted(set.intersection(*(set(trial.params) for trial in complete)))
        figures["optimization_history"] = (
            lambda: plots.plot_optimization_history(study, target_name=_TARGET),
            lambda: static.plot_optimization_history(study, target_name=_TARGET),
        )
        if shared:
            figures["parallel_coordinate"] = (
                lambda: plots.plot_parallel_coordinate(study, params=shared, target_name=_TARGET),
                lambda: _slanted(static.plot_parallel_coordinate(study, params=shared, target_name=_TARGET)),
            )
        if shared and len({trial.value for trial in complete}) > 1 and len(complete) >= 4:
            figures["param_importances"] = (
                lambda: plots.plot_param_importances(study, params=shared, target_name=_TARGET),
                lambda: static.plot_param_importances(study, params=shared, target_name=_TARGET),
            )
    return figures


def _without_legend(axes: Any, x: str, y: str) -> None:
    axes.set(xlabel=x, ylabel=y)
    if legend := axes.get_legend():
        legend.remove()


def _slanted(axes: Any) -> None:
    axes.figure.set_size_inches(14, 6)
    axes.tick_params(axis="x", labelrotation=25)


def _page(study: Study, plots: dict[str, Callable[[], Any]]) -> str:
    parts = [
        draw().update_layout(template="plotly_white").to_html(full_html=False, include_plotlyjs=i == 0)
        for i, draw in enumerate(plots.values())
    ]
    body = "".join(parts) or "<p>No trial of this study has finished.</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Study {study.study_name}</title><body style='font-family: sans-serif'>{body}</body></html>"
    )
