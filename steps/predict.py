"""predict: a registered model and rows in files -> a table of predictions, in constant memory."""

from __future__ import annotations

from typing import Any

from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.cli.command import step_command
from steps.cli.invocation import Invocation
from steps.cli.options import model_uri_option, predict_options


@step_command
@model_uri_option
@predict_options
def predict(**options: Any) -> None:
    """Predict each row or image of the input: its class, with the probabilities of all classes, or its number.

    A model of a table takes raw rows like those in its training file; columns are matched by name, in any order. If
    the target's column is there, too, the metrics are logged, and compared with those of the test. Bad rows are
    reported and omitted. A line says which columns differ from the training data.

    A model of images also takes tables of pixels: pixel0, pixel1, … by their numbers, other columns in the order of
    the training data. Classes stand in a column named label, class, target or digit (.npz: an array labels).

    \b
    Examples:
      mlflow run . -e predict -P model_uri=models:/customers-mlp@champion -P input=$PWD/new.csv \\
        -P key_column=customer_id -P output=$PWD/predicted.csv -P sets=0.9
      mlflow run . -e predict -P model_uri=models:/mnist-mlp/3 -P input=$PWD/scans -P invert=true \\
        -P output=$PWD/predicted.parquet
      mlflow run . -e predict -P model_uri=models:/customers-mlp@champion -P input=$PWD/predicted.csv \\
        -P key_column=customer_id -P labels=$PWD/outcomes.csv
    """
    quiet_libraries()
    from steps.flows.settings import PredictSettings

    settings = PredictSettings.parse(**options)
    import_tensorflow()
    from steps.flows.predict import run

    run(settings, Invocation.of(predict, options))


if __name__ == "__main__":
    predict()
