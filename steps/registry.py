"""registry: the model registry -> a table, the lineage of one version as a tree, or JSON; also rollback."""

from __future__ import annotations

from typing import Any

from steps.base.libraries import quiet_libraries
from steps.cli.command import step_command
from steps.cli.options import registry_options


@step_command
@registry_options
def registry(**options: Any) -> None:
    """Show registered versions with aliases, validation status, test score and origin.

    \b
    Examples:
      mlflow run . -e registry
      mlflow run . -e registry -P model_name=mnist-mlp -P version=3
      mlflow run . -e registry -P model_name=mnist-mlp -P rollback=true
      python -m steps.registry --model-name mnist-mlp --format json
    """
    quiet_libraries()
    from steps.flows.registry import run

    run(**options)


if __name__ == "__main__":
    registry()
