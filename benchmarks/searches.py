"""`python -m benchmarks.searches`: studies replayed on the recording of `benchmarks.recording`, without training.

A study tries the default of the space, then other recorded configurations in random order; each is judged at its best
epoch on the validation rows. Its selected trial is compared with the default on the test rows, which no selection sees:
does the search pay, and what has a rule of selection to do with it? The tables of docs/search.md.
"""

from __future__ import annotations

from collections.abc import Iterable

import click
import numpy as np
import pandas as pd

from benchmarks.recording import read
from steps.tasks.metric import Interval
from steps.tasks.outlook import Outlook

STUDIES = 500  # of each table
TRIALS = (5, 10, 20, 40)
_LEAST_ERROR = 1e-3  # of a score whose best value is 1: a few rows
_EQUAL = 1e-3  # a ratio that is no better and no worse
# Rule of selection -> standard errors by which the best trial has to be ahead of the default, which is taken otherwise.
RULES = {"the best": 0.0, "the default, or the best beyond noise": 1.0}


@click.command()
def main() -> None:
    """Print two Markdown tables."""
    errors = errors_of(read())
    click.echo(f"{len(errors)} tables, at least {min(map(len, errors.values()))} configurations of each\n")
    click.echo("| selected | trials | error against the default | tables better | tables worse |")
    click.echo("|---|---|---|---|---|")
    for name, n_errors in RULES.items():
        for n in TRIALS:
            changes = np.array([test for _, test, _ in replayed(errors, n_errors, n)])
            better, worse = (changes < -_EQUAL).sum(), (changes > _EQUAL).sum()
            click.echo(f"| {name} | {n} | {np.exp(changes.mean()):.3f} | {better} | {worse} |")
    click.echo(f"\n| stop_when=auto, of {TRIALS[-1]} trials | trials used | error against the default |\n|---|---|---|")
    for name, n_errors in RULES.items():
        _, test, used = np.mean(list(replayed(errors, n_errors, TRIALS[-1], stops=True)), axis=0)
        click.echo(f"| {name} | {used:.0f} | {np.exp(test):.3f} |")
    click.echo("\n| trials | the best is ahead of the default on validation rows by | on test rows by |")
    click.echo("|---|---|---|")
    for n in TRIALS:
        validation, test, _ = np.mean(list(replayed(errors, 0.0, n)), axis=0)
        click.echo(f"| {n} | {1 - np.exp(validation):.1%} | {1 - np.exp(test):.1%} |")


def errors_of(rows: Iterable[dict[str, object]]) -> dict[str, np.ndarray]:
    """By table, (n_configurations, 2) error on validation and on test rows at the best epoch, the default first.

    The error is RMSE, or 1 minus accuracy or ROC AUC; of the default, that of its first seed.
    """
    found: dict[str, dict[int, tuple[float, float]]] = {}
    for row in pd.DataFrame(rows).query("seed == 0").itertuples():
        validation, test = (np.array(scores) for scores in (row.val_score, row.test_score))
        if row.score != "rmse":
            validation, test = (np.maximum(1 - scores, _LEAST_ERROR) for scores in (validation, test))
        epoch = int(np.argmin(validation))
        found.setdefault(row.table, {})[row.configuration] = (validation[epoch], test[epoch])
    return {table: np.array([of[number] for number in sorted(of)]) for table, of in found.items()}


def replayed(
    errors: dict[str, np.ndarray], n_errors: float, n_trials: int, *, stops: bool = False
) -> Iterable[tuple[float, float, float]]:
    """By table, means over studies: log ratio of the selected trial to the default on validation and test rows, trials.

    Args:
        n_errors: One of the values of `RULES`. The standard error of a log ratio is the standard deviation of its
            difference between validation and test rows over the configurations.
        stops: Whether a study ends by `stop_when=auto`.
    """
    for of_table in errors.values():
        rng = np.random.default_rng(0)
        ratios = np.log(of_table / of_table[0])
        noise = float(np.std(ratios[1:, 0] - ratios[1:, 1]))
        found = []
        for _ in range(STUDIES):
            trials = [0, *(1 + rng.permutation(len(ratios) - 1)[: n_trials - 1])]
            if stops:
                trials = trials[: _stopped_after(ratios[trials, 0], noise)]
            best = trials[int(np.argmin(ratios[trials, 0]))]
            selected = ratios[best] if ratios[best, 0] < -n_errors * noise else ratios[0]
            found.append((*selected, len(trials)))
        validation, test, used = np.mean(found, axis=0)
        yield float(validation), float(test), float(used)


def _stopped_after(ratios: np.ndarray, noise: float) -> int:
    """Number of trials after which the expected gain of the others is below one standard error."""
    scores = [Interval(ratio, ratio - 1.96 * noise, ratio + 1.96 * noise) for ratio in ratios]
    for n in range(1, len(scores)):
        outlook = Outlook.of(scores[:n], 1, n, len(scores) - n)
        if outlook is not None and outlook.is_within_noise:
            return n
    return len(scores)


if __name__ == "__main__":
    main()
