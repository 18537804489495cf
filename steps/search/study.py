"""The Optuna study: where it is kept, what suggests, what prunes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import RDBStorage
from platformdirs import user_data_path
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from steps.errors import InputError
from steps.mlp.objectives import Objective

STORAGE_VARIABLE = "TUNE_STORAGE"
OBJECTIVES_ATTRIBUTE = "objectives"  # user attribute of the study
SamplerFactory = Callable[[int], BaseSampler]


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


def open_study(
    storage: RDBStorage, name: str, objectives: Sequence[Objective], make_sampler: SamplerFactory, pruner: BasePruner
) -> optuna.Study:
    """Create the study `name`, or continue it.

    Args:
        make_sampler: From the number of trials that the study has.

    Raises:
        InputError: The study has other objectives.
    """
    known = {summary.study_name for summary in optuna.get_all_study_summaries(storage, include_best_trial=False)}
    names = [objective.name for objective in objectives]
    n_done = 0
    if name in known:
        earlier = optuna.load_study(study_name=name, storage=storage)
        n_done = len(earlier.get_trials(deepcopy=False))
        before = earlier.user_attrs.get(OBJECTIVES_ATTRIBUTE, names)
        if before != names:
            raise InputError(
                f"objectives must stay those of the study {name} ({','.join(before)}), got {','.join(names)}; "
                "take another study_name"
            )
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        directions=[objective.direction for objective in objectives],
        load_if_exists=True,
        sampler=make_sampler(n_done),
        pruner=pruner,
    )
    study.set_user_attr(OBJECTIVES_ATTRIBUTE, names)
    if len(names) > 1:
        study.set_metric_names(names)
    return study
