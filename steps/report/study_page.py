"""report.html of a tune run: what was found, how sure that is, what to do next, and all trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from steps.report.advice import advice, certainty
from steps.report.findings import TOP, Border, Row, borders, cost
from steps.report.format import duration
from steps.report.importance import Importance
from steps.report.page import page
from steps.report.study_charts import MAX_CURVES, curves, front, history, intervals
from steps.report.study_template import SCRIPT, STYLE, TEMPLATE
from steps.tasks.objectives import Objective, followed
from steps.tasks.task import Task

_MATTERS = 0.05  # share of all importances


def study_page(
    *,
    study_name: str,
    rows: Sequence[Row],
    objectives: Sequence[Objective],
    task: Task,
    best: int,
    reason: str,
    ahead: Sequence[int],
    found: Sequence[Importance],
    n_validation: int,
    tune_run_id: str,
    run_url: Callable[[str], str],
) -> str:
    """The report as one HTML document.

    Args:
        rows: All ended trials, at least one of them complete.
        best, reason: Number of the selected trial, and why it is that one.
        ahead: With several objectives, the numbers of the trials on the Pareto front.
        found: Importances, the largest first; may be empty.
        n_validation: Samples in the validation split.
        run_url: Address of a run's page, from its ID.
    """
    complete = [row for row in rows if row.state == "complete"]
    by_number = {row.number: row for row in rows}
    top = _top(complete, objectives[0], best)
    measured = [_interval(row, task, n_validation) for row in top if row.score is not None]
    noise = [task.is_noise(top[0].score or 0, row.score or 0, n_validation) for row in top]
    at_border, shares = borders(top), {importance.name: importance.share for importance in found}
    each_epoch = followed(objectives, task)
    names = list(dict.fromkeys(name for row in rows for name in row.hyperparameters))
    return page(
        f"Study {study_name}",
        TEMPLATE,
        own_style=STYLE,
        own_script=SCRIPT,
        best=by_number[best],
        reason=reason,
        objectives=objectives,
        certainty=certainty(top, task, n_validation),
        task=task,
        score=measured[0][1:] if measured else None,
        counts=Counter(row.state for row in rows),
        cost=cost(rows),
        duration=duration,
        next_steps=advice(
            rows,
            objectives,
            [border for border in at_border if _is_reason(border, shares.get(border.name, 1))],
            study_name,
            sum(noise[1:]),
        ),
        tune_run_id=tune_run_id,
        top=list(zip(top, measured, noise, strict=True)) if len(measured) == len(top) else [],
        interval_chart=intervals(measured) if measured else "",
        n_validation=n_validation,
        history_chart=history(rows, objectives[0], best),
        curves_chart=curves(rows, each_epoch, best) if any(row.curve for row in rows) else "",
        max_curves=MAX_CURVES,
        n_curves=sum(bool(row.curve) for row in rows),
        front_charts=[front(rows, ahead, objectives, i, best) for i in range(1, len(objectives))] if ahead else [],
        ahead=[by_number[number] for number in ahead],
        hyperparameters=_hyperparameters(complete, top, found, {border.name: border for border in at_border}),
        has_importances=bool(found),
        failures=Counter(row.error for row in rows if row.state == "failed").most_common(5),
        rows=rows,
        names=names,
        shown=_shown,
        run_url=run_url,
    )


def _is_reason(border: Border, importance: float) -> bool:
    """Whether a border, which is flagged in any case, is a reason to search again: it matters, and is no chance."""
    return importance >= _MATTERS and 2 * border.n_top >= border.n_with


def _top(complete: Sequence[Row], objective: Objective, best: int) -> list[Row]:
    """The selected trial, then the best others of the first objective."""
    others = sorted((row for row in complete if row.number != best), key=lambda row: objective.sign * row.values[0])
    return [row for row in complete if row.number == best] + others[: TOP - 1]


def _interval(row: Row, task: Task, n: int) -> tuple[str, float, float, float]:
    score = row.score or 0.0
    return (f"trial {row.number}", score, *(task.interval(score, n) or (score, score)))


def _hyperparameters(
    complete: Sequence[Row], top: Sequence[Row], found: Sequence[Importance], at_border: dict[str, Any]
) -> list[dict[str, Any]]:
    """Per searched hyperparameter: what was searched, where the top trials lie, how much it mattered."""
    shares = {importance.name: importance for importance in found}
    distributions = {name: d for row in complete for name, d in row.distributions.items()}
    order = [*shares, *(name for name in distributions if name not in shares)]
    entries = []
    for name in order:
        distribution = distributions[name]
        values = [row.hyperparameters[name] for row in top if name in row.hyperparameters]
        if isinstance(distribution, CategoricalDistribution):
            searched = ", ".join(map(_shown, distribution.choices))
            counted = Counter(map(_shown, values)).most_common()
            best_of = ", ".join(f"{value} ({count})" for value, count in counted)
        else:
            assert isinstance(distribution, IntDistribution | FloatDistribution)
            searched = f"{_shown(distribution.low)} to {_shown(distribution.high)}" + (", log" * distribution.log)
            ends = [_shown(end) for end in (min(values), max(values))] if values else []
            best_of = " to ".join(dict.fromkeys(ends))
        entries.append(
            {
                "name": name,
                "share": shares[name].share if name in shares else None,
                "searched": searched,
                "best": _shown(top[0].hyperparameters.get(name, "")),
                "top": best_of,
                "border": at_border.get(name),
            }
        )
    return entries


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)
