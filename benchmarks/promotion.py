"""`python -m benchmarks.promotion`: promotion of trials against pruning, in the same seconds, on recorded curves.

Promotion is asynchronous successive halving (Li et al., MLSys 2020) whose trials wait at each rung with a checkpoint:
the best third of a rung goes on where it stopped, whenever it is found to belong to that third. A study tries the
default of the space, then others of the configurations of `benchmarks.recording` in random order, one at a time, until
its seconds are over. A table of docs/search.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from benchmarks.recording import read
from benchmarks.searches import judged

STUDIES = 50  # of each table
TRAININGS = (5, 10, 20)  # seconds of a study, in complete trainings of the median configuration
_LEAST_CONFIGURATIONS = 90
_ETA = 3
_STARTUP, _WARM_UP = 5, 2  # of the median pruner, as of Optuna's
_EQUAL = 1e-3


@dataclass(frozen=True)
class Curve:
    """A recorded training.

    Attributes:
        validation, test: (n_epochs,) error at the best epoch so far.
        budget: Epochs of a training that no patience ends.
        seconds: Of an epoch.
    """

    validation: np.ndarray
    test: np.ndarray
    budget: int
    seconds: float


# Trials of a study in the order in which they are tried -> (trial, epochs that are trained then).
Strategy = Callable[[Sequence[Curve]], Iterator[tuple[int, int]]]


def complete(curves: Sequence[Curve]) -> Iterator[tuple[int, int]]:
    """Each trial to its end."""
    for i, curve in enumerate(curves):
        yield i, len(curve.validation)


def median(curves: Sequence[Curve]) -> Iterator[tuple[int, int]]:
    """A trial ends if it is worse than the median of the others at its epoch."""
    ended: list[tuple[Curve, int]] = []
    for i, curve in enumerate(curves):
        for epoch in range(len(curve.validation)):
            yield i, 1
            others = [other.validation[epoch] for other, n in ended if n > epoch]
            is_judged = len(ended) >= _STARTUP and epoch >= _WARM_UP and others
            if is_judged and curve.validation[epoch] > np.median(others):
                break
        ended.append((curve, epoch + 1))


def promotion(curves: Sequence[Curve]) -> Iterator[tuple[int, int]]:
    """The best third of each rung is trained to the next one; if no trial is, a new one is to the first."""
    rungs = _rungs(curves[0].budget)
    reached: list[dict[int, float]] = [{} for _ in rungs]
    new = iter(range(len(curves)))
    while True:
        trial, rung = next(_promotable(reached), (None, 0))
        if trial is None and (trial := next(new, None)) is None:
            return
        values = curves[trial].validation
        begin = rungs[rung - 1] if rung else 0
        end = min(rungs[rung], len(values))
        yield trial, end - begin
        over = range(rung, len(rungs)) if end == len(values) else [rung]  # patience has ended it
        for at in over:
            reached[at][trial] = values[end - 1]


def _rungs(budget: int) -> list[int]:
    rungs = [budget]
    while rungs[0] >= _ETA * max(4, budget // 16):
        rungs.insert(0, round(rungs[0] / _ETA))
    return rungs


def _promotable(reached: Sequence[Mapping[int, float]]) -> Iterator[tuple[int, int]]:
    """Trials among the best third of a rung that have not reached the next, the highest rung first."""
    for rung in reversed(range(len(reached) - 1)):
        best = sorted(reached[rung], key=reached[rung].__getitem__)[: len(reached[rung]) // _ETA]
        yield from ((trial, rung + 1) for trial in best if trial not in reached[rung + 1])


STRATEGIES: Mapping[str, Strategy] = {"every trial to its end": complete, "median": median, "promotion": promotion}


@click.command()
def main() -> None:
    """Print a Markdown table."""
    tables = curves_of(read())
    click.echo(f"{len(tables)} tables, at least {min(map(len, tables.values()))} configurations of each\n")
    click.echo(
        "| trainings | strategy | trials | error on validation rows | on test rows | tables better | tables worse |\n"
        "|---|---|---|---|---|---|---|"
    )
    for n in TRAININGS:
        for name, strategy in STRATEGIES.items():
            found = np.array([studies(curves, strategy, n) for curves in tables.values()])
            n_trials, validation, test = found.T
            click.echo(
                f"| {n} | {name} | {n_trials.mean():.0f} | {np.exp(validation.mean()):.3f} "
                f"| {np.exp(test.mean()):.3f} | {(test < -_EQUAL).sum()} | {(test > _EQUAL).sum()} |"
            )


def curves_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Curve]]:
    """By table, the curves of at least 90 configurations, the default first."""
    found: dict[str, dict[int, Curve]] = {}
    for row in rows:
        if row["seed"] == 0:
            validation, test = judged(row)
            curve = Curve(validation, test, row["epochs"], row["seconds"] / len(validation))
            found.setdefault(row["table"], {})[row["configuration"]] = curve
    many = {table: of for table, of in found.items() if len(of) >= _LEAST_CONFIGURATIONS}
    return {table: [of[number] for number in sorted(of)] for table, of in many.items()}


def studies(curves: Sequence[Curve], strategy: Strategy, n_trainings: int) -> tuple[float, float, float]:
    """Means over studies: trials, and log ratio of the best one to the default on validation and on test rows."""
    rng = np.random.default_rng(0)
    budget = n_trainings * float(np.median([curve.seconds * len(curve.validation) for curve in curves]))
    found = []
    for _ in range(STUDIES):
        tried = [curves[0], *(curves[1 + i] for i in rng.permutation(len(curves) - 1))]
        trained, used = dict.fromkeys(range(len(tried)), 0), 0.0
        for trial, epochs in strategy(tried):
            trained[trial] += epochs
            used += epochs * tried[trial].seconds
            if used >= budget:
                break
        begun = [trial for trial, epochs in trained.items() if epochs]
        best = min(begun, key=lambda trial: tried[trial].validation[trained[trial] - 1])
        at, default = trained[best] - 1, curves[0]
        ratios = tried[best].validation[at] / default.validation[-1], tried[best].test[at] / default.test[-1]
        found.append((len(begun), *np.log(ratios)))
    n_trials, validation, test = np.mean(found, axis=0)
    return float(n_trials), float(validation), float(test)


if __name__ == "__main__":
    main()
