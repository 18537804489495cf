"""main: download -> tune -> evaluate, each a child run; finished and unchanged steps are reused."""

from __future__ import annotations

from typing import Any

from steps.base.libraries import quiet_libraries
from steps.cli.command import step_command
from steps.cli.data_options import download_options
from steps.cli.invocation import Invocation
from steps.cli.options import (
    evaluate_options,
    precision_option,
    reuse_option,
    seed_option,
    tune_options,
)
from steps.download import download
from steps.evaluate import evaluate
from steps.tune import tune


@step_command
@download_options
@tune_options
@evaluate_options
@precision_option
@seed_option
@reuse_option
def main(**options: Any) -> None:
    """Run the whole pipeline: download, tune, evaluate.

    \b
    Examples:
      mlflow run . -e main
      mlflow run . -e main -P dataset=customers.csv -P target=churn
      mlflow run . -e main -P dataset=digits -P n_trials=4 -P max_epochs=3
      mlflow run . -e main -P n_trials=100 -P final_epochs=200 -P reuse=false
    """
    quiet_libraries()
    from steps.flows.main import run

    run(Invocation.of(main, options), [Invocation.of(step, options) for step in (download, tune, evaluate)])


if __name__ == "__main__":
    main()
