"""`python -m benchmarks.searches`: studies replayed on the recording of `benchmarks.recording`, without training.

A study tries the default of the space, then other recorded configurations in random order; each is judged at its best
epoch on the validation rows, that of the lowest loss. Its selected trial is compared with the default on the test rows,
which no selection sees: does the search pay, and what has a rule of selection to do with it? And is the loss a better
judge of epochs than the score? The tables of docs/search.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
import numpy as np

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
    """Print Markdown tables."""
    rows = read()
    click.echo("| the best epoch is that of | error against the best score | log loss | worse error on |")
    click.echo("|---|---|---|---|")
    error, loss, n_worse, n = epochs_by_loss(rows)
    click.echo("| the best score | 1.000 | 1.000 | |")
    click.echo(f"| the lowest log loss | {error:.3f} | {loss:.3f} | {n_worse} of {n} |\n")
    errors = errors_of(rows)
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


def epochs_by_loss(rows: Iterable[Mapping[str, Any]]) -> tuple[float, float, int, int]:
    """Epochs of the lowest validation log loss against those of the best score, on the test rows of tables of classes.

    Returns:
        Ratios of the error and of the log loss (geometric means over the configurations of a table, then over tables);
        the number of tables with a higher error; their number.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row["score"] != "rmse":
            by_score, by_loss = int(np.nanargmax(row["val_score"])), int(np.nanargmin(row["val_loss"]))
            error, loss = _errors(row["test_score"]), np.array(row["test_loss"])
            ratios = np.log([error[by_loss] / error[by_score], loss[by_loss] / loss[by_score]])
            found.setdefault(row["table"], []).append(tuple(ratios))
    means = np.array([np.mean(of_table, axis=0) for of_table in found.values()])
    error, loss = np.exp(means.mean(axis=0))
    return float(error), float(loss), int((means[:, 0] > _EQUAL).sum()), len(means)


def errors_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """By table, (n_configurations, 2) error on validation and on test rows at the best epoch, the default first.

    The error is RMSE, or 1 minus accuracy or ROC AUC; of the default, that of its first seed.
    """
    found: dict[str, dict[int, tuple[float, float]]] = {}
    for row in rows:
        if row["seed"] == 0:
            validation, test = judged(row)
            found.setdefault(row["table"], {})[row["configuration"]] = (validation[-1], test[-1])
    return {table: np.array([of[number] for number in sorted(of)]) for table, of in found.items()}


def judged(row: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """(n_epochs,) error on validation and on test rows at the epoch of the lowest validation loss so far."""
    losses = np.where(np.isfinite(row["val_loss"]), row["val_loss"], np.inf)
    is_new = np.append(True, losses[1:] < np.minimum.accumulate(losses)[:-1])
    epochs = np.maximum.accumulate(np.where(is_new, np.arange(len(losses)), 0))
    errors = [np.array(s) if row["score"] == "rmse" else _errors(s) for s in (row["val_score"], row["test_score"])]
    return errors[0][epochs], errors[1][epochs]


def _errors(scores: Sequence[float]) -> np.ndarray:
    return np.maximum(1 - np.array(scores), _LEAST_ERROR)


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
