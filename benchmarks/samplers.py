"""`python -m benchmarks.samplers`: samplers, and a portfolio, replayed among recorded configurations.

A study tries the default of the space first. From then on, the recorded configuration of `benchmarks.recording` that is
nearest to the sampler's suggestion, and not tried yet, becomes the trial, with its own hyperparameters and its recorded
validation error; so no surrogate is between the sampler and the data, but it can choose no others. The portfolio of a
table are the eight configurations that complement each other best on the other tables (greedily, by validation and test
error), then random ones. Studies are appended to `benchmarks/samplers.jsonl.gz` and not replayed again; `--show` prints
the tables of docs/search.md from the file alone, and `--picture` draws the curves. Samplers whose packages are not
installed (torch and greenlet, smac) are left out.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
import optuna
from matplotlib.ticker import NullFormatter, PercentFormatter
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from benchmarks.recording import read
from benchmarks.searches import judged
from steps.base.errors import InputError
from steps.mlp.config import without_layer
from steps.report.charts.chart import ACCENT, MUTED, SECOND, TEXT, Chart, canvas
from steps.search.space.file import load_space, space_path
from steps.search.space.space import Space
from steps.search.strategy.coordinates import Coordinates
from steps.search.strategy.samplers import make_sampler

FILE = Path(__file__).parent / "samplers.jsonl.gz"
TRIALS = 100
SHOWN = (5, 10, 20, 50, 100)  # trials
TIMES = (5, 20)  # trainings of the default
_LEAST_CONFIGURATIONS = 250
_PORTFOLIO = "portfolio, then random"
_GP, _SMAC = "Optuna, GP", "SMAC3"
NEEDS = {_GP: ("torch", "greenlet"), _SMAC: ("smac",)}  # packages that this project does not pin
_N_PORTFOLIO = 8
OPTUNAS = {
    "Optuna, random": lambda seed: RandomSampler(seed=seed),
    "Optuna, TPE": lambda seed: TPESampler(seed=seed),
    "Optuna, TPE, multivariate and group": lambda seed: TPESampler(seed=seed, multivariate=True, group=True),
    "Optuna, CMA-ES": lambda seed: CmaEsSampler(seed=seed, warn_independent_sampling=False),
    _GP: lambda seed: GPSampler(seed=seed, warn_independent_sampling=False),
}
_LOOKS = (
    (ACCENT, "-"), (ACCENT, "--"), (SECOND, "-"),
    *((MUTED, dashes) for dashes in ("-", "--", "-.", ":")), (TEXT, ":"), (TEXT, "--"),
)  # fmt: skip
NAMES = ("this project, tpe", "this project, bayes", _PORTFOLIO, *OPTUNAS, _SMAC)


@dataclass(frozen=True)
class Recorded:
    """The configurations of one table, the default of the space first.

    Attributes:
        space: The packaged space, with hyperparameters without meaning for the table fixed.
        numbers: Of the configurations in the recording.
        points: Their hyperparameters.
        validation, test: (n_configurations,) error at the epoch of the lowest validation loss.
        seconds: (n_configurations,) of their trainings.
        seeds: (n_seeds,) test error of the default with each of its seeds.
    """

    space: Space
    numbers: tuple[int, ...]
    points: tuple[dict[str, Any], ...]
    validation: np.ndarray
    test: np.ndarray
    seconds: np.ndarray
    seeds: np.ndarray

    @property
    def default(self) -> float:
        """Test error of the default, geometric mean over its seeds."""
        return float(np.exp(np.log(self.seeds).mean()))

    @property
    def changes(self) -> np.ndarray:
        """(n_configurations,) logarithm of the error against the default, mean of validation and test rows."""
        ratios: np.ndarray = self.validation / self.validation[0] * self.test / self.default
        return np.log(ratios) / 2


class Nearest(BaseSampler):
    """Gives a trial the recorded configuration that is nearest to the suggestion of a sampler."""

    def __init__(self, sampler: BaseSampler, recorded: Recorded) -> None:
        """
        Attributes:
            tried: Indices of the configurations, in order; the default is the first.
        """
        self._sampler, self._space, self._points = sampler, recorded.space, recorded.points
        self._coordinates = Coordinates(recorded.space)
        self._vectors = self._coordinates.vectors(recorded.points)
        self.tried = [0]

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Of all hyperparameters that a point can have."""
        return {name: axis.distribution for name, axis in self._coordinates.axes.items()}

    def nearest(self, point: Mapping[str, Any]) -> int:
        """The configuration that is nearest to a point, of those that are not tried yet."""
        distances = np.square(self._vectors - self._coordinates.vectors([point])).sum(axis=1)
        distances[self.tried] = np.inf
        return int(np.argmin(distances))

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self.distributions

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        theirs = self._sampler.infer_relative_search_space(study, trial)
        suggested: dict[str, Any] = self._sampler.sample_relative(study, trial, theirs)
        chosen: dict[str, Any] = {}
        for dimension in self._space.dimensions:
            for name in dimension.names(chosen):
                known = dimension.distribution
                if known is None:
                    chosen[name] = dimension.value
                elif name in suggested:
                    chosen[name] = suggested[name]
                else:
                    chosen[name] = self._sampler.sample_independent(study, trial, name, known)
        self.tried.append(self.nearest(chosen))
        return {name: value for name, value in self._points[self.tried[-1]].items() if name in search_space}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise AssertionError(f"{param_name} is not recorded")

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._sampler.after_trial(study, trial, state, values)


@click.command()
@click.option("--studies", default=10, show_default=True, help="Studies of each sampler on each table.")
@click.option("--samplers", default="", help="Names, separated by semicolons; empty: all.")
@click.option("--jobs", default=2, show_default=True, help="Processes.")
@click.option("--show", is_flag=True, help="Print the tables from the studies of earlier runs.")
@click.option("--picture", type=click.Path(path_type=Path), help="PNG of the curves.")
def main(studies: int, samplers: str, jobs: int, show: bool, picture: Path | None) -> None:
    """Replay what is missing, then print Markdown tables."""
    if not show:
        chosen = samplers.split(";") if samplers else [name for name in NAMES if _is_installed(name)]
        done = {(row["table"], row["sampler"], row["seed"]) for row in read(FILE)}
        left = [(t, s, seed) for seed in range(studies) for s in chosen for t in tables() if (t, s, seed) not in done]
        with ProcessPoolExecutor(jobs) as pool, gzip.open(FILE, "at", encoding="utf-8") as file:
            for run in as_completed([pool.submit(replayed, *task) for task in left]):
                file.write(json.dumps(run.result(), separators=(",", ":")) + "\n")
    found = read(FILE)
    click.echo(f"{len(tables())} tables\n")
    click.echo("\n\n".join([regrets(found), errors(found)]))
    if picture is not None:
        curves(found).save(picture)


def _is_installed(name: str) -> bool:
    return all(find_spec(package) is not None for package in NEEDS.get(name, ()))


@cache
def tables() -> dict[str, Recorded]:
    """By name, the tables with at least 250 configurations of the present space."""
    space, found = load_space(space_path("table")), {}
    by_table: dict[str, list[Mapping[str, Any]]] = {}
    for row in read():
        by_table.setdefault(row["table"], []).append(row)
    for name, rows in by_table.items():
        recorded = _recorded(space, rows)
        if len(recorded.points) >= _LEAST_CONFIGURATIONS:
            found[name] = recorded
    return found


def _recorded(space: Space, rows: Sequence[Mapping[str, Any]]) -> Recorded:
    names = {dimension.name for dimension in space.dimensions}
    points = [{n: v for n, v in row["hyperparameters"].items() if without_layer(n) in names} for row in rows]
    constant = {n: v for n, v in points[0].items() if all(n in point and point[n] == v for point in points)}
    space = space.fixing(constant)
    unique: dict[frozenset[tuple[str, str]], int] = {}
    for i in sorted(range(len(rows)), key=lambda i: (rows[i]["configuration"], rows[i]["seed"])):
        try:
            unique.setdefault(space.key(space.complete(points[i])), i)
        except InputError:  # of an earlier version of the space
            continue
    kept = list(unique.values())
    errors = np.array([[curve[-1] for curve in judged(rows[i])] for i in kept])
    seeds = np.array([judged(row)[1][-1] for row in rows if row["configuration"] == 0])
    return Recorded(
        space, tuple(rows[i]["configuration"] for i in kept), tuple(points[i] for i in kept),
        errors[:, 0], errors[:, 1], np.array([rows[i]["seconds"] for i in kept]), seeds,
    )  # fmt: skip


def replayed(table: str, sampler: str, seed: int) -> dict[str, Any]:
    """One study: the indices of its trials among the configurations of `Recorded`."""
    recorded = tables()[table]
    if sampler == _PORTFOLIO:
        tried = portfolio(table)
        others = np.random.default_rng(seed).permutation([i for i in range(len(recorded.points)) if i not in tried])
        tried = [*tried, *others.tolist()][:TRIALS]
    else:
        tried = searched(recorded, sampler, seed)
    return {"table": table, "sampler": sampler, "seed": seed, "tried": tried}


def searched(recorded: Recorded, name: str, seed: int, n_trials: int = TRIALS) -> list[int]:
    """The trials of one study of a sampler, as indices of the configurations."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = Nearest(_sampler(name, seed, recorded.space), recorded)
    study = optuna.create_study(sampler=sampler)
    default = {name: value for name, value in recorded.points[0].items() if name in sampler.distributions}
    known = {name: sampler.distributions[name] for name in default}
    study.add_trial(create_trial(params=default, distributions=known, value=recorded.validation[0]))

    def objective(trial: optuna.Trial) -> float:
        recorded.space.suggest(trial)
        return float(recorded.validation[sampler.tried[-1]])

    study.optimize(objective, n_trials - 1)
    return sampler.tried


def _sampler(name: str, seed: int, space: Space) -> BaseSampler:
    if name in OPTUNAS:
        return OPTUNAS[name](seed)
    if name == _SMAC:
        from benchmarks.rivals.smac3 import SmacSampler

        distributions = {name: axis.distribution for name, axis in Coordinates(space).axes.items()}
        return SmacSampler(space, distributions, seed, TRIALS)
    return make_sampler(name.split(", ")[1], seed, space)


def portfolio(table: str) -> list[int]:
    """The default, and the configurations that complement it best on the other tables, as indices of this table."""
    others = [recorded for name, recorded in tables().items() if name != table]
    own = tables()[table]
    shared = common([own, *others])
    rows = [[other.numbers.index(number) for number in shared] for other in others]
    ratios = np.array([other.changes[of] for other, of in zip(others, rows, strict=True)])  # (n_tables, n_shared)
    chosen = [0]
    while len(chosen) <= _N_PORTFOLIO:
        best = np.minimum(ratios, ratios[:, chosen].min(axis=1)[:, None]).mean(axis=0)
        best[chosen] = np.inf
        chosen.append(int(np.argmin(best)))
    return [own.numbers.index(shared[i]) for i in chosen]


def common(recorded: Sequence[Recorded]) -> list[int]:
    """Numbers of the configurations that are the same on all tables, but for what has no meaning on some of them."""
    names = set.intersection(*({d.name for d in of.space.dimensions if d.distribution is not None} for of in recorded))
    points = [
        {
            number: {n: v for n, v in point.items() if without_layer(n) in names}
            for number, point in zip(of.numbers, of.points, strict=True)
        }
        for of in recorded
    ]
    return [n for n, point in sorted(points[0].items()) if all(of.get(n) == point for of in points)]


def regrets(found: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: the validation error of the best trial above that of the best configuration, median over studies."""
    heads = ["sampler", "studies", *(f"{n} trials" for n in SHOWN), *(f"time of {n}" for n in TIMES)]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name, rows in _by_sampler(found).items():
        of_study = []
        for row in rows:
            recorded = tables()[row["table"]]
            seconds = np.cumsum(recorded.seconds[row["tried"]])
            after = [*SHOWN, *(max(1, int((seconds <= n * recorded.seconds[0]).sum())) for n in TIMES)]
            of_study.append(_regret(recorded, row["tried"])[np.array(after) - 1])
        medians = " | ".join(f"{value:.1%}" for value in np.median(of_study, axis=0))
        lines.append(f"| {name} | {len(rows)} | {medians} |")
    return "\n".join(lines)


def errors(found: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: the error of the best trial on the test rows against the default."""
    lines = ["| sampler | trials | error against the default | tables better | tables worse |", "|---|---|---|---|---|"]
    alone = [{"table": table, "tried": [0]} for table in tables()]
    cases = [(name, n, rows) for name, rows in _by_sampler(found).items() for n in (20, 100)]
    for name, n, rows in [("the default alone", 1, alone), *cases]:
        changes: dict[str, list[float]] = {}
        for row in rows:
            recorded = tables()[row["table"]]
            best = min(row["tried"][:n], key=recorded.validation.__getitem__)
            changes.setdefault(row["table"], []).append(float(np.log(recorded.test[best] / recorded.default)))
        means = {table: np.mean(of) for table, of in changes.items()}
        noise = {table: np.std(np.log(tables()[table].seeds), ddof=1) for table in means}
        better, worse = (sum(sign * means[table] > noise[table] for table in means) for sign in (-1, 1))
        lines.append(f"| {name} | {n} | {np.exp(np.mean([*means.values()])):.3f} | {better} | {worse} |")
    return "\n".join(lines)


def curves(found: Sequence[Mapping[str, Any]]) -> Chart:
    """Mean over studies of the validation error above that of the best configuration, over the trials."""
    figure, axes = canvas(8, 4.4)
    x = np.arange(1, TRIALS + 1)
    looks = dict(zip(NAMES, _LOOKS, strict=True))
    for name, rows in _by_sampler(found).items():
        regret = np.mean([_regret(tables()[row["table"]], row["tried"]) for row in rows], axis=0)
        axes.plot(x, regret, looks[name][1], color=looks[name][0], label=name)
    axes.set(xlabel="trials", ylabel="validation error above the best", xscale="log", ylim=(0, None))
    axes.set_xticks([1, 2, *SHOWN])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="y")
    axes.legend(loc="lower left")
    text = f"Validation error above that of the best configuration, mean over {len(tables())} tables"
    axes.set_title(text)
    return Chart(figure, text)


def _by_sampler(found: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    rows = {name: [row for row in found if row["sampler"] == name] for name in NAMES}
    return {name: of for name, of in rows.items() if of}


def _regret(recorded: Recorded, tried: Sequence[int]) -> np.ndarray:
    """(n_trials,) how far the best validation error so far is above that of the best configuration, as a share."""
    best: np.ndarray = np.minimum.accumulate(recorded.validation[list(tried)]) / recorded.validation.min() - 1
    return best


if __name__ == "__main__":
    main()
