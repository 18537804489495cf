from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import TrialState

import steps.base.retry as module
from steps.base.errors import InputError, StepError
from steps.search.store.storage import RetryingStorage, first_line
from steps.search.store.url import open_storage, storage_url
from steps.search.trials.checkpoints import FolderCheckpoints, checkpoints_of

SECRET = "s3cr3t-W0rd"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TUNE_STORAGE", "TUNE_CHECKPOINTS", "TUNE_CHECKPOINT_SECONDS"):
        monkeypatch.delenv(name, raising=False)


def test_sqlite_beside_mlflow_is_the_default(tmp_path: Path) -> None:
    url = storage_url("", f"sqlite:///{tmp_path}/mlflow.db")
    assert url == f"sqlite:///{tmp_path}/optuna.db"
    assert checkpoints_of(url) == FolderCheckpoints(3.0, tmp_path / "optuna-checkpoints")


def test_the_environment_wins_and_may_hold_a_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUNE_STORAGE", f"postgresql://me:{SECRET}@db/optuna")
    monkeypatch.setenv("TUNE_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("TUNE_CHECKPOINT_SECONDS", "0.5")
    url = storage_url("sqlite:///other.db", "sqlite:///mlflow.db")
    assert url == f"postgresql+psycopg://me:{SECRET}@db/optuna"
    assert checkpoints_of(url) == FolderCheckpoints(0.5, tmp_path)


@pytest.mark.parametrize("url", [f"postgresql://me:{SECRET}@db/optuna", f"postgresql://db/optuna?password={SECRET}"])
def test_a_parameter_with_a_password_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="set TUNE_STORAGE instead") as error:
        storage_url(url, "sqlite:///mlflow.db")
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("url", [f"{SECRET}", f"postgresql://me:{SECRET}/x@db:y/optuna", f"oracel://me:{SECRET}@db/x"])
def test_what_is_no_url_is_not_quoted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNE_STORAGE", url)
    with pytest.raises(InputError, match="TUNE_STORAGE must be a database URL") as error:
        storage_url("", "sqlite:///mlflow.db")
    assert SECRET not in str(error.value)


def test_mlflows_own_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another database than MLflow's"):
        storage_url(f"sqlite:///{tmp_path}/mlflow.db", f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.parametrize("given", ["soon", "-1", "nan"])
def test_checkpoint_seconds_are_checked(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNE_CHECKPOINT_SECONDS", given)
    with pytest.raises(InputError, match=f"must be a number of at least 0, got '{given}'"):
        checkpoints_of("sqlite:///optuna.db")


def test_no_server_and_no_driver_are_one_line_without_the_password() -> None:
    with pytest.raises(StepError, match=r"the study's database .*me:\*\*\*@127.0.0.1:9/o.* does not answer") as error:
        open_storage(f"postgresql+psycopg://me:{SECRET}%7B%25@127.0.0.1:9/o")
    assert SECRET not in str(error.value)
    with pytest.raises(InputError, match="driver that is installed, got mysql"):
        open_storage(f"mysql://me:{SECRET}@127.0.0.1/o")


def test_sqlite_is_in_wal_mode_and_a_brace_in_its_name_is_a_brace(tmp_path: Path) -> None:
    storage = open_storage(f"sqlite:///{tmp_path}/{{x}}.db")
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    assert (tmp_path / "{x}.db").exists()


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    open_storage(f"sqlite:///{tmp_path}/optuna.db")
    impatient = {"connect_args": {"timeout": 0.05}}  # the driver gives up at once; what is left is our patience
    storage = RetryingStorage(f"sqlite:///{tmp_path}/optuna.db", engine_kwargs=impatient)
    return optuna.create_study(storage=storage, study_name="study")


def test_a_locked_database_is_waited_for(study: optuna.Study, tmp_path: Path) -> None:
    trial = study.ask()
    locked = threading.Event()

    def lock() -> None:
        with sqlite3.connect(tmp_path / "optuna.db") as other:
            other.execute("BEGIN IMMEDIATE")
            locked.set()
            time.sleep(1.5)

    thread = threading.Thread(target=lock)
    thread.start()
    locked.wait()
    trial.set_user_attr("a", 1)
    assert trial.suggest_int("x", 3, 3) == 3
    trial.report(0.5, 1)
    study.tell(trial, 1.0)
    thread.join()
    (done,) = study.get_trials()
    assert (done.user_attrs, done.params, done.intermediate_values, done.value) == ({"a": 1}, {"x": 3}, {1: 0.5}, 1.0)


def test_patience_ends(study: optuna.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    trial = study.ask()
    with sqlite3.connect(tmp_path / "optuna.db") as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageInternalError) as error:
            trial.set_user_attr("a", 1)
    assert first_line(error.value) == "database is locked"


def test_a_full_disk_is_not_waited_for_and_loses_nothing(
    study: optuna.Study, tmp_path: Path, small_disk: Callable[[int], None]
) -> None:
    trial = study.ask()
    size = max(file.stat().st_size for file in tmp_path.iterdir())
    small_disk(size + 4096)
    with pytest.raises(StorageInternalError) as error:
        trial.set_user_attr("large", "x" * 2**21)
    assert any(word in first_line(error.value) for word in ("full", "I/O"))
    small_disk(2**30)
    study.tell(trial, 1.0)
    assert [t.state for t in study.get_trials()] == [TrialState.COMPLETE]


def test_an_end_whose_answer_was_lost_is_recognized(study: optuna.Study) -> None:
    storage = study._storage._backend  # type: ignore[attr-defined]
    trial = study.ask()
    assert storage.set_trial_state_values(trial._trial_id, TrialState.COMPLETE, [1.0])
    assert storage.set_trial_state_values(trial._trial_id, TrialState.COMPLETE, [1.0])
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)


def test_parameters_are_written_when_they_are_suggested(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    storage = open_storage(url)
    study = optuna.create_study(storage=storage, study_name="s")
    for value in (1, 2):
        trial = study.ask()
        params = {name: trial.suggest_int(name, value, 9) for name in ("a", "b", "c")}
        trial.set_user_attr("done", True)
        with sqlite3.connect(tmp_path / "optuna.db") as database:
            (n_params,) = database.execute("SELECT count(*) FROM trial_params").fetchone()
        assert n_params == 3 * value
        assert optuna.load_study(storage=open_storage(url), study_name="s").trials[trial.number].params == params
    trial = study.ask()
    trial.suggest_int("a", 3, 9)
    assert study.trials[trial.number].params == trial.params
    with pytest.raises(ValueError, match="different distribution kind"):
        study.ask().suggest_float("a", 0, 1)


def test_trials_are_read_as_optuna_reads_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    study = optuna.create_study(storage=open_storage(url), study_name="s", directions=["maximize", "minimize"])
    for values in ([1.0, math.inf], [-math.inf, 2.5], None):
        trial = study.ask()
        trial.suggest_float("rate", 0.1, 0.9, log=True)
        trial.suggest_categorical("kind", ["a", None, True])
        trial.suggest_int("n", 1, 9, step=2)
        trial.set_user_attr("list", [1, {"two": "ü"}])
        study.tell(trial, values, state=None if values else TrialState.FAIL)
    single = optuna.create_study(storage=study._storage, study_name="single")
    trial = single.ask()
    for step, value in enumerate((0.25, math.inf, -math.inf)):
        trial.report(value, step)
    single.tell(trial, state=TrialState.PRUNED)
    study.enqueue_trial({"n": 3})
    study.ask().suggest_int("n", 1, 9, step=2)
    study.enqueue_trial({"n": 5}, user_attrs={"why": "it waits"})
    for name in ("s", "single"):
        ours = optuna.load_study(storage=open_storage(url), study_name=name).get_trials()
        assert ours == optuna.load_study(storage=RDBStorage(url), study_name=name).get_trials()
    with pytest.raises(KeyError):
        open_storage(url).get_trial(99)


def test_what_is_written_together_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    storage, other = open_storage(url), RDBStorage(url)
    study = optuna.create_study(storage=storage, study_name="s")
    trial = study.ask()

    def interrupted() -> None:
        with storage.together():
            trial.set_user_attr("a", 1)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    with storage.together():
        trial.suggest_int("x", 0, 9)
        trial.set_user_attr("b", 1)
        assert not other.get_trial(trial._trial_id).params
    (found,) = other.get_all_trials(study._study_id)
    assert (found.params, found.user_attrs) == (trial.params, {"b": 1})
    with storage.together():
        trial.set_user_attr("b", 2)  # in place of what is there
        trial.set_user_attr("b", 3)
        trial.set_user_attr("c", 4)
        assert study.tell(trial, 0.5).user_attrs == {"b": 3, "c": 4}
        assert other.get_trial(trial._trial_id).state == TrialState.COMPLETE
    with pytest.raises(UpdateFinishedTrialError), storage.together():
        trial.set_user_attr("late", 5)
    assert other.get_trial(trial._trial_id).user_attrs == {"b": 3, "c": 4}


def test_a_read_in_a_block_is_the_first_one_but_for_own_changes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    storage = open_storage(url)
    study = optuna.create_study(storage=storage, study_name="s")
    elsewhere = optuna.load_study(storage=RDBStorage(url), study_name="s")
    with storage.reading_once():
        assert study.get_trials() == []
        elsewhere.ask()
        assert study.get_trials() == []
        own = study.ask()
        assert [trial.number for trial in study.get_trials()] == [own.number]
        storage.set_trial_state_values(own._trial_id, TrialState.WAITING)
        assert [trial.state.name for trial in study.get_trials()] == ["RUNNING", "WAITING"]
    assert study.ask().number == own.number
