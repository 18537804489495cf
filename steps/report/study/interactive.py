"""figures/study.html: Optuna's own interactive figures of a study."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import plotly.graph_objects as go
from markupsafe import Markup
from optuna import visualization as optuna_figures
from optuna.study import Study

from steps.report.charts.parameters import MAX_AXES
from steps.report.page import render
from steps.report.study.figures import most_important_pair, searched
from steps.report.study.importance import Importance, evaluator
from steps.report.study.result import StudyResult

_PANELS = 4  # slices side by side
_MOST_OBJECTIVES = 3  # objectives, the limit of Optuna's Pareto front


def interactive_page(result: StudyResult, study: Study, found: Sequence[Importance], drawn: Collection[str]) -> str:
    """One HTML document of Optuna's figures.

    Args:
        study: The trials with their first objective.
        found: Importances, the largest first.
        drawn: Names of the figures that the trials allow.
    """
    label, names = result.objectives[0].label, searched(result, found)
    figures: list[go.Figure] = []
    for name in drawn:
        match name:
            case "pareto_front" if len(result.objectives) <= _MOST_OBJECTIVES:
                labels = [objective.label for objective in result.objectives]
                figures.append(optuna_figures.plot_pareto_front(result.study(len(labels)), target_names=labels))
            case "optimization_history":
                figures.append(optuna_figures.plot_optimization_history(study, target_name=label))
            case "intermediate_values":
                figures.append(optuna_figures.plot_intermediate_values(study))
            case "edf":
                figures.append(optuna_figures.plot_edf(study, target_name=label))
            case "timeline":
                figures.append(optuna_figures.plot_timeline(study))
            case "param_importances":
                chosen = evaluator(len(result.complete))
                figures.append(optuna_figures.plot_param_importances(study, evaluator=chosen, target_name=label))
            case "parallel_coordinate":
                shown = list(names[:MAX_AXES])
                figures.append(optuna_figures.plot_parallel_coordinate(study, params=shown, target_name=label))
            case "slice":
                parts = [list(names[i : i + _PANELS]) for i in range(0, len(names), _PANELS)]
                figures += [optuna_figures.plot_slice(study, params=part, target_name=label) for part in parts]
            case "contour":
                pair = most_important_pair(result.complete, names)
                assert pair
                figures.append(optuna_figures.plot_contour(study, params=list(pair), target_name=label))
    for figure in figures:
        figure.update_layout(template="plotly_white", width=None)  # full width of the window
    html = [Markup(f.to_html(full_html=False, include_plotlyjs=i == 0)) for i, f in enumerate(figures)]
    return render("study/interactive.html.jinja", title=f"Study {result.name}", figures=html)
