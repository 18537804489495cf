"""Studies as reports show them, made up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from steps.datasets.tabular.target import Target
from steps.report.study.result import Row, StudyResult
from steps.search.space.file import load_space, space_path
from steps.tasks.classification.task import Classification
from steps.tasks.intervals import of_proportion
from steps.tasks.metric import Interval
from steps.tasks.objectives import followed, objectives_of

TASK = Classification(Target("classification", class_names=tuple("0123456789")))
HOSTILE = "<script>alert('x')</script>"
_START = 1_800_000_000  # seconds since 1970
_SPACE: dict[str, BaseDistribution] = {
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    "n_layers": IntDistribution(1, 3),
    "dropout": FloatDistribution(0.0, 0.4),
    "optimizer": CategoricalDistribution(["adam", "sgd", HOSTILE]),
    **{f"hyperparameter_{i}": FloatDistribution(0.0, 1.0) for i in range(8)},
}


def scored(accuracy: float, n: int) -> Interval:
    """An accuracy on n rows."""
    return Interval(accuracy, *(of_proportion(round(accuracy * n), n) or (None, None)))


def complete(number: int, accuracy: float, **more: Any) -> Row:
    return Row(number, "complete", values=(accuracy,), score=scored(accuracy, 1000), **more)


def row(number: int, epochs: int, rng: random.Random) -> Row:
    """A trial that is better the larger its learning rate; the worse half of the later ones is pruned."""
    chosen = {
        "learning_rate": 10 ** rng.uniform(-4, -2),
        "n_layers": rng.randint(1, 3),
        "dropout": rng.uniform(0, 0.4),
        "optimizer": rng.choice(["adam", "sgd", HOSTILE]),
        **{f"hyperparameter_{i}": rng.random() for i in range(8)},
    }
    final = 0.9 + 0.04 * (chosen["learning_rate"] / 1e-2) ** 0.5 + rng.gauss(0, 0.003)
    pruned, failed = number > 4 and final < 0.92, number % 40 == 39
    curve = tuple(final - 0.3 / (epoch + 1) for epoch in range(2 if pruned or failed else epochs))
    return Row(
        number=number,
        state="failed" if failed else "pruned" if pruned else "complete",
        run_id=f"{number:032x}",
        values=() if pruned or failed else (curve[-1],),
        score=Interval(curve[-1]) if pruned or failed else scored(curve[-1], 10_000),
        hyperparameters=chosen,
        distributions=_SPACE,
        curve=curve,
        budget=epochs,
        start=_START + 10 * number,
        end=_START + 10 * number + len(curve),
        error=f"FloatingPointError: {HOSTILE}" if failed else "",
    )


def result(rows: Sequence[Row], objectives: Sequence[str] = ("accuracy",), **more: Any) -> StudyResult:
    """The result of these trials, the one with the largest value selected unless it is said."""
    largest = max((row for row in rows if row.values), key=lambda row: row.values, default=None)
    values = {
        "name": f"digits {HOSTILE}",
        "data_run_id": "d" * 32,
        "n_validation": 10_000,
        "best": largest.number if largest else None,
    }
    chosen = objectives_of(objectives, TASK)
    return StudyResult(objectives=chosen, followed=followed(chosen, TASK), rows=tuple(rows), **values | more)


def made_up(n: int, epochs: int = 10) -> StudyResult:
    """`n` trials by `row`."""
    rng = random.Random(0)
    return result([row(number, epochs, rng) for number in range(n)])


def of_packaged_space(n: int, objectives: Sequence[str]) -> StudyResult:
    """`n` trials of the packaged space; with one objective every fourth is pruned, and one in seven fails."""
    space, rows = load_space(space_path("image")), []
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for i in range(n):
        trial = study.ask()
        chosen = space.suggest(trial)
        quality = chosen["learning_rate"] * 50 + chosen["dropout"]
        state = "failed" if i % 7 == 6 else "pruned" if len(objectives) == 1 and i % 4 == 3 else "complete"
        values = tuple(quality * (k + 1) + i / 100 for k in range(len(objectives))) if state == "complete" else ()
        curve = tuple(quality * epoch for epoch in range(1, 4)) if len(objectives) == 1 else ()
        rows.append(
            Row(
                i, state, values=values, hyperparameters=chosen, distributions=trial.distributions, curve=curve,
                start=_START + i, end=_START + i + 1,
            )
        )  # fmt: skip
    best = min((row.number for row in rows if row.values), default=None)
    return result(rows, objectives, best=best, front=(best,) if len(objectives) > 1 and best is not None else ())
