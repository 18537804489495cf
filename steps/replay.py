"""replay: a registered model -> the same training again, from its lineage alone, and a comparison of the weights."""

from __future__ import annotations

from typing import Any

from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.cli.command import step_command
from steps.cli.invocation import Invocation
from steps.cli.options import model_uri_option


@step_command
@model_uri_option
def replay(**options: Any) -> None:
    """Train a registered model again from its lineage alone, and compare the weights.

    On the same type of machine and in float32, they are identical bit for bit. If they are not, the step shows the
    largest difference and the changes since then: packages, processor, precision.

    \b
    Example:
      mlflow run . -e replay -P model_uri=models:/mnist-mlp/3
    """
    quiet_libraries()
    from steps.flows.settings import ReplaySettings

    settings = ReplaySettings.parse(**options)
    import_tensorflow()
    from steps.flows.replay import run

    run(settings, Invocation.of(replay, options))


if __name__ == "__main__":
    replay()
