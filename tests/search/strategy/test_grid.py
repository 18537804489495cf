from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from steps.base.errors import InputError
from steps.mlp.config import MLPConfig
from steps.search.space.file import load_space, space_path
from steps.search.space.space import Space
from steps.search.store.url import open_storage
from steps.search.strategy.grid import Grid, cells
from steps.search.strategy.points import enqueue_point

SPACE = """
n_layers: {type: int, low: 1, high: 2}
units: {type: categorical, choices: [8, 16], repeat: n_layers}
dropout: {type: float, low: 0.1, high: 0.3, step: 0.1}
optimizer: {type: categorical, choices: [adam, sgd]}
momentum: {type: categorical, choices: [0.8, 0.9, 0.95], when: {optimizer: sgd}}
batch_size: 32
"""
N_CELLS = (2 + 4) * 3 * (1 + 3)


@pytest.fixture
def space(tmp_path: Path) -> Space:
    (tmp_path / "space.yaml").write_text(SPACE)
    return load_space(tmp_path / "space.yaml")


def key(values: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(values.items()))


def test_cells_follow_conditions_and_layers(space: Space) -> None:
    found = cells(space)
    assert len({key(cell) for cell in found}) == len(found) == N_CELLS
    for cell in found:
        MLPConfig.from_hyperparameters(cell)
        assert ("momentum" in cell) == (cell["optimizer"] == "sgd")


def test_random_suggestions_are_cells(space: Space) -> None:
    known = {key({**cell, "dropout": round(cell["dropout"], 9)}) for cell in cells(space)}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(100):
        values = space.suggest(study.ask())
        assert key({**values, "dropout": round(values["dropout"], 9)}) in known


def test_the_packaged_grid_fits_the_default_budget() -> None:
    assert len(cells(load_space(space_path("grid")))) == 18


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dropout: {type: float, low: 0.1, high: 0.3}", "finite space, got dropout from 0.1 to 0.3"),
        ("batch_size: {type: int, low: 1, high: 100001}", "at most 100,000 cells, got more up to batch_size"),
        ("n_layers: 40\nunits: {type: categorical, choices: [8, 16], repeat: n_layers}", "got more up to units"),
    ],
)
def test_what_is_no_grid_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        cells(load_space(tmp_path / "space.yaml"))


def test_each_cell_once_in_many_jobs_and_after_interruptions(space: Space, tmp_path: Path) -> None:
    """Sessions of four threads; some trials are put back as if interrupted, and their cells are tried again."""
    storage = open_storage(f"sqlite:///{tmp_path}/study.db")
    done: Counter[Any] = Counter()
    lock = threading.Lock()
    for session, n_trials in enumerate((20, 50, N_CELLS)):
        study = optuna.create_study(
            storage=storage, study_name="grid", load_if_exists=True, sampler=optuna.samplers.RandomSampler(seed=0)
        )
        grid = Grid(space, seed=0)
        n_beyond = N_CELLS - n_trials
        assert grid.describe(study.get_trials(), n_trials) == f"Grid: {N_CELLS} cells" + (
            f", {n_beyond} of them beyond n_trials" if n_beyond else ""
        )

        def work(
            study: optuna.Study = study, grid: Grid = grid, session: int = session, n_trials: int = n_trials
        ) -> None:
            while True:
                with lock:  # as in Workers
                    trials = study.get_trials(deepcopy=False)
                    over = sum(trial.state != TrialState.WAITING for trial in trials) >= n_trials
                    if over or not grid.enqueue_next(study, trials):
                        return
                    trial = study.ask()
                values = space.suggest(trial)
                if trial.number % 10 == 3 and session < 2 and not trial.user_attrs.get("interrupted"):
                    trial.set_user_attr("interrupted", True)
                    storage.set_trial_state_values(storage.trial_id("grid", trial.number), TrialState.WAITING)
                    continue
                study.tell(trial, 0.0)
                with lock:
                    done[key(values)] += 1

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(done) == N_CELLS
    assert set(done.values()) == {1}
    assert not Grid(space, seed=1).enqueue_next(study, study.get_trials())


def test_a_point_that_is_a_cell_is_not_tried_again(space: Space) -> None:
    study = optuna.create_study()
    enqueue_point(study, space.complete({"n_layers": 1, "units_0": 8, "dropout": 0.3, "optimizer": "adam"}))
    grid = Grid(space, seed=0)
    assert grid.enqueue_next(study, study.get_trials())  # the point waits
    assert len(study.get_trials()) == 1
    assert len(grid.missing(study.get_trials())) == N_CELLS - 1
    space.suggest(study.ask())
    assert grid.enqueue_next(study, study.get_trials())
    space.suggest(study.ask())
    assert len(grid.missing(study.get_trials())) == N_CELLS - 2
