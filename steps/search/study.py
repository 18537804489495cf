"""The Optuna study: where it is kept, what suggests, what prunes."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import optuna
from optuna.storages import RDBStorage
from platformdirs import user_data_path
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from steps.errors import InputError
from steps.search.pruners import make_pruner
from steps.search.samplers import make_sampler

STORAGE_VARIABLE = "TUNE_STORAGE"


def storage_url(given: str, tracking_uri: str) -> str:
    """URL of the study's database: `TUNE_STORAGE`, else what is given, else SQLite beside MLflow's database.

    Raises:
        InputError: No database URL, or one with a password: parameters are recorded.
    """
    if from_environment := os.environ.get(STORAGE_VARIABLE):
        return from_environment
    if given:
        try:
            url = make_url(given)
        except ArgumentError:
            raise InputError(
                "storage must be a database URL such as sqlite:///study.db; set one with a password in the "
                f"environment variable {STORAGE_VARIABLE}"
            ) from None
        if url.password:
            raise InputError(
                f"storage must not hold a password, because parameters are recorded; set {STORAGE_VARIABLE} instead"
            )
        return given
    return f"sqlite:///{_beside(tracking_uri) / 'optuna.db'}"


def _beside(tracking_uri: str) -> Path:
    """The folder of a local MLflow store; the user's data folder when tracking is remote."""
    parts = urlsplit(tracking_uri)
    if parts.scheme.startswith("sqlite"):
        return Path(make_url(tracking_uri).database or "mlflow.db").absolute().parent
    if parts.scheme in ("", "file"):
        return Path(parts.path).absolute().parent
    folder = user_data_path("mlp-tuning")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def open_storage(url: str) -> RDBStorage:
    """Connect; SQLite in WAL mode, which several threads and processes can share."""
    if not url.startswith("sqlite"):
        return RDBStorage(url)
    storage = RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 60}})

    def set_pragmas(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    event.listen(storage.engine, "connect", set_pragmas)
    storage.engine.dispose()
    return storage


def open_study(storage: RDBStorage, name: str, sampler: str, pruner: str, seed: int, max_epochs: int) -> optuna.Study:
    """Create the study `name`, or continue it: what it has counts, and the seed moves on."""
    known = {summary.study_name for summary in optuna.get_all_study_summaries(storage, include_best_trial=False)}
    n_done = len(optuna.load_study(study_name=name, storage=storage).trials) if name in known else 0
    return optuna.create_study(
        storage=storage,
        study_name=name,
        direction="maximize",
        load_if_exists=True,
        sampler=make_sampler(sampler, seed, n_done),
        pruner=make_pruner(pruner, max_epochs),
    )
