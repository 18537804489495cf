"""download: a file, folder, address or name -> the artifact `dataset/`, verified, split and memory-mappable."""

from __future__ import annotations

from typing import Any

from steps.base.libraries import quiet_libraries
from steps.cli.command import step_command
from steps.cli.data_options import download_options
from steps.cli.invocation import Invocation
from steps.cli.options import seed_option


@step_command
@download_options
@seed_option
def download(**options: Any) -> None:
    """Load a data set, show its columns, target and splits, and log it as the artifact dataset/.

    Nothing trains: look first, and overrule with the options below. docs/data.md explains them.

    \b
    Examples:
      mlflow run . -e download -P dataset=customers.csv -P target=churn
      mlflow run . -e download -P dataset=digits -P validation_fraction=0.2
    """
    quiet_libraries()
    from steps.datasets.request import DataRequest
    from steps.flows.download import run

    run(DataRequest(**options), Invocation.of(download, options))


if __name__ == "__main__":
    download()
