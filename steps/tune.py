"""tune: dataset/ -> a study whose trials are child runs; best_config.json, study/, figures/, report.html."""

from __future__ import annotations

from typing import Any

from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.cli.command import step_command
from steps.cli.invocation import Invocation
from steps.cli.options import data_run_id_option, precision_option, seed_option, tune_options


@step_command
@data_run_id_option
@tune_options
@precision_option
@seed_option
def tune(**options: Any) -> None:
    """Search hyperparameters: each trial is a child run of this step's run.

    The study is kept in a database; the same --study-name continues it, and --n-trials counts the
    whole study.

    \b
    Examples:
      mlflow run . -e tune -P n_trials=50
      mlflow run . -e tune -P points=points.yaml -P pruner=none
      mlflow run . -e tune -P study_name=wide -P space=wide.yaml -P n_trials=100
      mlflow run . -e tune -P objectives=accuracy,latency -P stop_when=plateau:15

    \b
    Pruners, with their settings (after a colon) and defaults:
      median: n_startup_trials=5, n_warmup_steps=2,
        interval_steps=1, n_min_trials=1
      percentile: percentile=25, and those of median
      successive_halving: min_resource=1, reduction_factor=3,
        min_early_stopping_rate=0
      hyperband: min_resource=1, reduction_factor=3
      patient: patience=3, min_delta=0, wrapped=median, and
        those of the wrapped pruner
      threshold: lower, upper, n_warmup_steps=2, interval_steps=1

    docs/search.md explains the space file, the strategies and the objectives.
    """
    quiet_libraries()
    from steps.search.settings import TuneSettings

    settings = TuneSettings.parse(**options)
    import_tensorflow()
    from steps.flows.tune import run

    run(settings, Invocation.of(tune, options))


if __name__ == "__main__":
    tune()
