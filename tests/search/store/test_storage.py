from __future__ import annotations

import math
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import TrialState

import steps.base.retry as module
from steps.base.errors import InputError, StepError
from steps.base.paths import absolute_url
from steps.search.store.storage import RetryingStorage, first_line
from steps.search.store.url import check_database, open_storage, storage_url
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


@pytest.fixture
def mlflow_database(tmp_path: Path, empty_store: Path) -> Path:
    return Path(shutil.copy(empty_store, tmp_path))


@pytest.mark.parametrize(
    "way", ["x/../mlflow.db", "link.db", "linked/mlflow.db", "hard.db", "copy.db", "mlflow.db?timeout=9"]
)
def test_mlflows_own_database_is_refused_by_whatever_way_and_not_touched(
    way: str, tmp_path: Path, mlflow_database: Path
) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "link.db").symlink_to("mlflow.db")
    (tmp_path / "linked").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "hard.db").hardlink_to(mlflow_database)
    shutil.copy(mlflow_database, tmp_path / "copy.db")
    before = mlflow_database.read_bytes()
    for open_it in (check_database, open_storage):
        with pytest.raises(
            InputError, match=r"^storage must be (another database than MLflow's|a database for studies)"
        ):
            open_it(storage_url(f"sqlite:///{tmp_path}/{way}", f"sqlite:///{mlflow_database}"))
    assert mlflow_database.read_bytes() == before


@pytest.mark.parametrize(
    ("revision", "version", "advice"),
    [
        ("v2.6.0.a", "2.6.0", "upgrade it by: optuna storage upgrade --storage sqlite:///"),
        ("v3.0.0.c", "3.0.6", "upgrade it by: optuna storage upgrade --storage sqlite:///"),
        ("v99.0.0.a", "99.0.0", "install the Optuna that made it"),
    ],
)
def test_a_database_of_another_optuna_is_refused_with_the_way_on(
    revision: str, version: str, advice: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    open_storage(url).engine.dispose()
    with closing(sqlite3.connect(tmp_path / "optuna.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        database.execute("UPDATE version_info SET library_version = ?", (version,))
        database.execute("DROP TABLE trial_heartbeats")  # as if it were not known then
    with pytest.raises(InputError, match=f"^storage must be a database that Optuna .* can use, got .*; {advice}"):
        open_storage(url)
    with closing(sqlite3.connect(tmp_path / "optuna.db")) as database:
        assert not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'trial_heartbeats'").fetchone()


@pytest.mark.parametrize("name", ["nowhere/optuna.db", ":memory:", "", "mine.db"])
def test_no_place_for_a_study_is_refused_and_nothing_is_made(name: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mine.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
    with pytest.raises(InputError, match=r"^storage must be "):
        check_database(f"sqlite:///{tmp_path}/{name}" if name.endswith(".db") else f"sqlite:///{name}")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.db"]


@pytest.mark.parametrize("name", ["", "words.db"])
def test_what_is_no_database_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "words.db").write_text("words " * 100)
    with pytest.raises(StepError, match=r"^the study's database .* does not answer: "):
        check_database(f"sqlite:///{tmp_path}/{name}")


@pytest.mark.parametrize(
    "name", ["what?", "a?b=c", "per%41cent", "100%", "ha#sh", "it's", "a;b&c", "ü {x}", "new\nline"]
)
def test_the_database_lies_in_the_folder_of_whatever_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    for url in (storage_url("", absolute_url("sqlite:///mlflow.db")), absolute_url("sqlite:///given.db")):
        open_storage(url).engine.dispose()
    assert {"optuna.db", "given.db"} <= {path.name for path in folder.iterdir()}
    assert list(tmp_path.iterdir()) == [folder]


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
def storage(tmp_path: Path) -> Iterator[RetryingStorage]:
    open_storage(f"sqlite:///{tmp_path}/optuna.db")
    impatient = {"connect_args": {"timeout": 0.05}}  # the driver gives up at once; what is left is our patience
    storage = RetryingStorage(f"sqlite:///{tmp_path}/optuna.db", impatient)
    yield storage
    storage.engine.dispose()


@pytest.fixture
def study(storage: RetryingStorage) -> optuna.Study:
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


def test_an_end_whose_answer_was_lost_is_recognized(study: optuna.Study, storage: RetryingStorage) -> None:
    number = study.ask().number
    trial_id = storage.trial_id("study", number)
    assert storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [1.0])
    assert storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [1.0])
    for state, values in ((TrialState.FAIL, None), (TrialState.COMPLETE, [2.0])):
        with pytest.raises(UpdateFinishedTrialError):
            storage.set_trial_state_values(trial_id, state, values)


def test_a_process_that_lost_its_trial_does_not_end_it(study: optuna.Study, storage: RetryingStorage) -> None:
    lost, kept = study.ask(), study.ask()
    storage.may_end = lambda number: number != lost.number
    with pytest.raises(UpdateFinishedTrialError, match=f"trial {lost.number} was taken over"):
        study.tell(lost, 1.0)
    study.tell(kept, 2.0)
    storage.set_trial_state_values(storage.trial_id("study", lost.number), TrialState.WAITING)  # to be continued
    assert [trial.state for trial in study.get_trials()] == [TrialState.WAITING, TrialState.COMPLETE]


def test_the_fence_is_asked_again_after_a_wait(study: optuna.Study, storage: RetryingStorage, tmp_path: Path) -> None:
    trial = study.ask()
    answers = iter([True, False])  # while this process waits, another one takes the trial over
    storage.may_end = lambda _: next(answers)
    with sqlite3.connect(tmp_path / "optuna.db") as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UpdateFinishedTrialError, match="was taken over"):
            study.tell(trial, 1.0)
    assert [found.state for found in study.get_trials()] == [TrialState.RUNNING]


def test_processes_see_each_others_trials(storage: RetryingStorage, study: optuna.Study, tmp_path: Path) -> None:
    elsewhere = optuna.load_study(storage=open_storage(f"sqlite:///{tmp_path}/optuna.db"), study_name="study")
    assert study.get_trials() == elsewhere.get_trials() == []
    ours, theirs = study.ask(), elsewhere.ask()
    theirs.suggest_categorical("kind", ["a", None, True])
    theirs.report(math.inf, 1)
    assert [trial.intermediate_values for trial in study.get_trials()] == [{}, {1: math.inf}]
    elsewhere.tell(theirs, -math.inf)
    study.tell(ours, state=TrialState.FAIL)
    assert study.get_trials() == elsewhere.get_trials()
    assert [trial.value for trial in elsewhere.get_trials()] == [None, -math.inf]
    with pytest.raises(KeyError):
        storage.trial_id("study", 2)


def test_trials_are_read_once_in_a_block_of_this_thread(storage: RetryingStorage, study: optuna.Study) -> None:
    trial = study.ask()
    with storage.reading_once():
        (before,) = study.get_trials(deepcopy=False)
        trial.report(0.5, 1)
        assert study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)) == [before]
        assert study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)) == []
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.append(len(study.get_trials()[0].intermediate_values)))
        thread.start()
        thread.join()
        assert seen == [1]
        number = study.ask().number
        assert study.get_trials(deepcopy=False) == [before]
        storage.set_trial_state_values(storage.trial_id("study", number), TrialState.WAITING)
        assert [(t.state, t.intermediate_values) for t in study.get_trials()] == [
            (TrialState.RUNNING, {1: 0.5}),
            (TrialState.WAITING, {}),
        ]
        trial.report(0.25, 2)
    with storage.reading_once():
        study.get_trials()
        study.enqueue_trial({"x": 1})
        assert [t.state for t in study.get_trials()][2:] == [TrialState.WAITING]
    assert study.get_trials()[0].intermediate_values == {1: 0.5, 2: 0.25}
