"""report.html of a tune run: the result, its uncertainty, suggested next steps, and all trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from steps.report.charts.chart import Chart
from steps.report.charts.scores import intervals
from steps.report.charts.trials import MAX_CURVES
from steps.report.format import shown
from steps.report.page import render
from steps.report.study.advice import advice, certainty
from steps.report.study.findings import TOP, RangeEdge, cost, range_edges
from steps.report.study.importance import Importance
from steps.report.study.result import Row, StudyResult
from steps.tasks.metric import Interval, is_noise
from steps.tasks.task import Task

_MATTERS = 0.05  # share of all importances


@dataclass(frozen=True)
class TopTrial:
    """One of the best trials: its score on the validation split, and whether it is within noise of the first."""

    row: Row
    score: Interval
    is_noise: bool


@dataclass(frozen=True)
class Searched:
    """A searched hyperparameter: its range, its values in the best and the top trials, and its importance."""

    name: str
    share: float | None
    searched: str
    best: str
    top: str
    edge: RangeEdge | None


def study_page(
    result: StudyResult,
    task: Task,
    charts: Mapping[str, Chart],
    found: Sequence[Importance],
    tune_run_id: str,
    run_url: Callable[[str], str],
) -> str:
    """The report as one HTML document.

    Args:
        result: With at least one complete trial.
        charts: Charts by the name of their figure.
        found: Importances, the largest first; may be empty.
        run_url: Address of a run's page, from its ID.
    """
    rows, by_number = result.rows, {row.number: row for row in result.rows}
    best, sign = _top(result), result.objectives[0].sign
    top = _scored(best)
    ordered = best if result.front else sorted(best, key=lambda row: sign * row.values[0])
    edges, shares = range_edges(ordered), {importance.name: importance.share for importance in found}
    reasons = [edge for edge in edges if _is_reason(edge, shares.get(edge.name, 1))]
    scores = {f"trial {trial.row.number}": trial.score for trial in top}
    return render(
        "study/page.html.jinja",
        title=f"Study {result.name}",
        result=result,
        metric=task.primary,
        best=best[0],
        is_best=not result.front and all(sign * best[0].values[0] <= sign * row.values[0] for row in best if row.score),
        certainty=certainty(best, task.primary, result.n_validation),
        top=top,
        counts=Counter(row.state for row in rows),
        cost=cost(rows),
        next_steps=advice(result, reasons, sum(trial.is_noise for trial in top[1:])),
        tune_run_id=tune_run_id,
        interval_chart=intervals(scores, task.primary, "validation") if scores else None,
        charts=charts,
        max_curves=MAX_CURVES,
        n_curves=sum(bool(row.curve) for row in rows),
        front=[by_number[number] for number in result.front],
        hyperparameters=_hyperparameters(result.complete, best, found, {edge.name: edge for edge in edges}),
        has_importances=bool(found),
        failures=Counter(row.error for row in rows if row.state == "failed").most_common(5),
        names=list(dict.fromkeys(name for row in rows for name in row.hyperparameters)),
        run_url=run_url,
    )


def _is_reason(edge: RangeEdge, importance: float) -> bool:
    """Return whether an edge, flagged in any case, justifies another search: important and not due to chance."""
    return importance >= _MATTERS and 2 * edge.n_top >= edge.n_with


def _top(result: StudyResult) -> list[Row]:
    """The selected trial, then the best others of the first objective."""
    sign = result.objectives[0].sign
    ranked = sorted(result.complete, key=lambda row: (row.number != result.best, sign * row.values[0]))
    return ranked[:TOP]


def _scored(best: Sequence[Row]) -> list[TopTrial]:
    """The best trials with their scores; empty if one of them, run by another program, has no score."""
    scores = [row.score for row in best if row.score is not None]
    if len(scores) < len(best):
        return []
    return [TopTrial(row, score, is_noise(scores[0], score)) for row, score in zip(best, scores, strict=True)]


def _hyperparameters(
    complete: Sequence[Row], top: Sequence[Row], found: Sequence[Importance], edges: Mapping[str, RangeEdge]
) -> list[Searched]:
    """The searched hyperparameters, the most important first."""
    shares = {importance.name: importance.share for importance in found}
    distributions = {name: d for row in complete for name, d in row.distributions.items()}
    entries = []
    for name in [*shares, *(name for name in distributions if name not in shares)]:
        distribution = distributions[name]
        values = [row.hyperparameters[name] for row in top if name in row.hyperparameters]
        if isinstance(distribution, CategoricalDistribution):
            searched = ", ".join(map(shown, distribution.choices))
            counted = Counter(map(shown, values)).most_common()
            best_of = ", ".join(f"{value} ({count})" for value, count in counted)
        else:
            assert isinstance(distribution, IntDistribution | FloatDistribution)
            searched = f"{shown(distribution.low)} to {shown(distribution.high)}" + (", log" * distribution.log)
            ends = [shown(end) for end in (min(values), max(values))] if values else []
            best_of = " to ".join(dict.fromkeys(ends))
        best = shown(top[0].hyperparameters.get(name, ""))
        entries.append(Searched(name, shares.get(name), searched, best, best_of, edges.get(name)))
    return entries
