"""The attributes of a trial: written, and read back by the next process."""

from __future__ import annotations

import optuna

from steps.search.store.attributes import TrialAttributes, TrialSettings


def test_what_is_written_is_read_back() -> None:
    study = optuna.create_study()
    trial = study.ask()
    begun = TrialAttributes(
        point={"n_layers": 2},
        hyperparameters={"n_layers": 2, "dropout": None},
        settings=TrialSettings(10, 3, "bfloat16", 2),
        run_id="abc",
    )
    begun.write(trial.set_user_attr)
    assert TrialAttributes.read(trial) == begun
    curve = ({"train_loss": 0.5, "val_loss": float("inf")}, {"train_loss": 0.25, "val_loss": 0.75})
    TrialAttributes(measures={"log_loss": 0.75}, metrics=curve, error="ValueError: x").write(trial.set_user_attr)
    known = TrialAttributes.read(study.tell(trial, 0.75))
    assert (known.hyperparameters, known.settings, known.run_id) == (begun.hyperparameters, begun.settings, "abc")
    assert (known.measures, known.metrics, known.error) == ({"log_loss": 0.75}, curve, "ValueError: x")


def test_a_trial_of_another_program_has_none() -> None:
    study = optuna.create_study()
    study.tell(study.ask(), 1.0)
    assert TrialAttributes.read(study.trials[0]) == TrialAttributes()
