from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from steps.base.errors import InputError
from steps.search.settings import TuneSettings
from steps.search.store.url import open_storage
from steps.tune import tune


def parsed(*arguments: str) -> TuneSettings:
    return TuneSettings.parse(**tune.make_context("tune", list(arguments)).params)


def test_the_source_of_a_warm_start_is_sought_before_anything_runs(tracking: Path) -> None:
    with pytest.raises(InputError, match=r"warm_start must be the ID .* \(there is no study here yet\), got 'nowhere'"):
        parsed("--warm-start", "nowhere")
    assert not (tracking / "optuna.db").exists()
    study = optuna.create_study(study_name="empty", storage=open_storage(f"sqlite:///{tracking}/optuna.db"))
    with pytest.raises(InputError, match=r"the studies here are empty\), got 'nowhere'"):
        parsed("--warm-start", "nowhere")
    with pytest.raises(InputError, match="warm_start must be a study with a complete trial, got 'empty'"):
        parsed("--warm-start", "empty")
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    with pytest.raises(InputError, match="warm_start must be a study with a complete trial, got 'empty'"):
        parsed("--warm-start", "empty")
