"""replay: a registered model -> the same training again, from its lineage alone; are the weights the same?"""

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

    On the same machine type, in float32, they are equal to the bit. If they are not, the largest difference is
    shown, and what has changed since: packages, processor, precision.

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
