"""evaluate: the selected trial of a tune run -> a model trained on train + validation, tested once, and registered."""

from __future__ import annotations

from typing import Any

from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.cli.command import step_command
from steps.cli.invocation import Invocation
from steps.cli.options import evaluate_options, precision_option, seed_option, tune_run_id_option


@step_command
@tune_run_id_option
@evaluate_options
@precision_option
@seed_option
def evaluate(**options: Any) -> None:
    """Retrain the best MLP on train + validation, test it once, and register it.

    A version that passes its checks, including --require, is approved and gets the alias challenger. It becomes
    champion if there is none, or if it is significantly better than the champion on the same test split (McNemar's
    test for accuracy, DeLong's for ROC AUC, a sign-flip test for regression).

    \b
    Examples:
      mlflow run . -e evaluate
      mlflow run . -e evaluate -P final_epochs=200 -P "require=accuracy>=0.99"
      mlflow run . -e evaluate -P select=7
      mlflow run . -e evaluate -P ensemble=8
      mlflow run . -e evaluate -P costs=fp:1,fn:5 -P promote=always
      mlflow run . -e evaluate -P promote=never -P "require=accuracy>=0.9,recall>=0.8"
    """
    quiet_libraries()
    from steps.evaluation.settings import EvaluateSettings

    settings = EvaluateSettings.parse(**options)
    choice = settings.chosen()
    import_tensorflow()
    from steps.flows.evaluate import run

    run(settings, choice, Invocation.of(evaluate, options))


if __name__ == "__main__":
    evaluate()
