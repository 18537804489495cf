"""predict: a registered model and rows in files -> a table of classes and probabilities, in constant memory."""

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
    """Predict the class of each row or image of the input, with the probability of each class.

    Tables have a line of column names and the features in the order of the training data. If there is a column
    label (in a .npz file: an array labels), the metrics are logged. A bad row is reported and left out.

    \b
    Examples:
      mlflow run . -e predict -P input=$PWD/rows.csv -P output=$PWD/predicted.csv
      mlflow run . -e predict -P model_uri=models:/mnist-mlp/3 -P input=$PWD/scans -P invert=true \\
        -P output=$PWD/predicted.parquet
    """
    quiet_libraries()
    from steps.flows.settings import PredictSettings

    settings = PredictSettings.parse(**options)
    import_tensorflow()
    from steps.flows.predict import run

    run(settings, Invocation.of(predict, options))


if __name__ == "__main__":
    predict()
