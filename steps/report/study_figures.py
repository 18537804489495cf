"""Figures of a study: PNG for a look, one HTML page with the same, interactive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import plotly.graph_objects as go
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from optuna import visualization as interactive
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from steps.report.importance import Importance, importances
from steps.report.parameter_plots import MAX_AXES, contour, parallel_coordinate, param_importances, slices
from steps.report.pareto_plots import pareto_front
from steps.report.style import STYLE
from steps.report.trial_plots import distribution, history, intermediate_values, timeline
from steps.tasks.objectives import Objective

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class _Plot(NamedTuple):
    """The same figure twice; the interactive one may be in several parts, and None where it does not exist."""

    static: Callable[[], Figure]
    interactive: Callable[[], go.Figure | list[go.Figure]] | None


def save_study_figures(study: Study, folder: Path, objectives: Sequence[Objective], best: int | None) -> None:
    """Write what the study's trials allow of `<figure>.png`, and `study.html` with all of them.

    With several objectives all figures but the Pareto front are of the first one.

    Args:
        objectives: In the order of the study's directions.
        best: Number of the selected trial; None where no trial is complete.
    """
    plots = _trial_figures(study, objectives, best) | _parameter_figures(study, objectives)
    with mpl.rc_context(STYLE):
        for name, plot in plots.items():
            figure = plot.static()
            figure.savefig(folder / f"{name}.png")
            plt.close(figure)
    (folder / "study.html").write_text(_page(study.study_name, plots), encoding="utf-8")


def _trial_figures(study: Study, objectives: Sequence[Objective], best: int | None) -> dict[str, _Plot]:
    trials = study.get_trials(deepcopy=False, states=_ENDED)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    first, labels = objectives[0], [objective.label for objective in objectives]
    target = _target(objectives)
    plots: dict[str, _Plot] = {}
    if len(objectives) > 1 and complete:
        front = {trial.number for trial in study.best_trials}
        plots["pareto_front"] = _Plot(
            lambda: pareto_front(complete, front, objectives, best),
            (lambda: interactive.plot_pareto_front(study, target_names=labels)) if len(labels) <= 3 else None,
        )
    if complete:
        plots["optimization_history"] = _Plot(
            lambda: history(trials, first, best), lambda: interactive.plot_optimization_history(study, **target)
        )
    if any(trial.intermediate_values for trial in trials):
        plots["intermediate_values"] = _Plot(
            lambda: intermediate_values(trials, first, best), lambda: interactive.plot_intermediate_values(study)
        )
    if len(complete) > 1:
        plots["edf"] = _Plot(lambda: distribution(complete, first), lambda: interactive.plot_edf(study, **target))
    if any(trial.datetime_start for trial in trials):
        plots["timeline"] = _Plot(lambda: timeline(trials), lambda: interactive.plot_timeline(study))
    return plots


def _parameter_figures(study: Study, objectives: Sequence[Objective]) -> dict[str, _Plot]:
    first, target = objectives[0], _target(objectives)
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    found = importances(study, first.sign)
    names = [importance.name for importance in found] or sorted({name for trial in complete for name in trial.params})
    plots: dict[str, _Plot] = {}
    if found:
        plots["param_importances"] = _Plot(
            lambda: param_importances(found, len(complete)), lambda: _importance_bars(found)
        )
    if len(complete) > 1 and names:
        plots["parallel_coordinate"] = _Plot(
            lambda: parallel_coordinate(complete, names, first),
            lambda: _dark_is_good(
                interactive.plot_parallel_coordinate(study, params=names[:MAX_AXES], **target), first
            ),
        )
        plots["slice"] = _Plot(
            lambda: slices(complete, names, first),
            lambda: [interactive.plot_slice(study, params=part, **target) for part in _parts(names, 4)],
        )
    if pair := _pair(complete, names):
        plots["contour"] = _Plot(
            lambda: contour(complete, pair, first),
            lambda: _dark_is_good(interactive.plot_contour(study, params=list(pair), **target), first),
        )
    return plots


def _target(objectives: Sequence[Objective]) -> dict[str, Any]:
    """What Optuna needs to draw the first of several objectives; of a single one it knows the direction itself."""
    name = {"target_name": objectives[0].label}
    return name if len(objectives) == 1 else {"target": lambda trial: trial.values[0], **name}


def _parts(names: Sequence[str], n: int) -> list[list[str]]:
    return [list(names[i : i + n]) for i in range(0, len(names), n)]


def _dark_is_good(figure: go.Figure, objective: Objective) -> go.Figure:
    """Optuna takes small values for good wherever it is told what to draw."""
    figure.update_traces(reversescale=objective.sign > 0, selector={"type": "contour"})
    figure.update_traces(line_reversescale=objective.sign > 0, selector={"type": "parcoords"})
    return figure


def _pair(complete: Sequence[FrozenTrial], names: Sequence[str]) -> tuple[str, str] | None:
    """The two most important hyperparameters that at least three complete trials have together, and that vary."""
    varying = [n for n in names if len({str(trial.params[n]) for trial in complete if n in trial.params}) > 1]
    for i, first in enumerate(varying):
        for second in varying[i + 1 :]:
            if sum(first in trial.params and second in trial.params for trial in complete) >= 3:
                return first, second
    return None


def _importance_bars(found: Sequence[Importance]) -> go.Figure:
    bars = go.Bar(
        x=[importance.share for importance in found],
        y=[importance.name for importance in found],
        hovertext=[f"in {importance.n_trials} complete trials" for importance in found],
        orientation="h",
    )
    return go.Figure(bars).update_layout(title="Importance of hyperparameters", yaxis={"autorange": "reversed"})


def _page(study_name: str, plots: Mapping[str, _Plot]) -> str:
    drawn: list[go.Figure] = []
    for plot in plots.values():
        made = plot.interactive() if plot.interactive else []
        drawn += made if isinstance(made, list) else [made]
    parts = [
        figure.update_layout(template="plotly_white", width=None).to_html(full_html=False, include_plotlyjs=i == 0)
        for i, figure in enumerate(drawn)
    ]
    body = "".join(parts) or "<p>No trial of this study has finished.</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Study {escape(study_name)}</title><body style='font-family: sans-serif'>{body}</body></html>"
    )
