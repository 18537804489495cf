"""redraw: a download, tune or evaluate run -> its report and figures anew, from its artifacts."""

from __future__ import annotations

from steps.base.libraries import quiet_libraries
from steps.cli.command import step_command
from steps.cli.options import redraw_run_id_option


@step_command
@redraw_run_id_option
def redraw(run_id: str) -> None:
    """Redraw the report and the figures of an old download, tune or evaluate run; its results are unchanged.

    \b
    Example:
      mlflow run . -e redraw -P run_id=988e50e4e2384849b81eb091c5a8a5e9
    """
    quiet_libraries()
    from steps.flows.redraw import run

    run(run_id)


if __name__ == "__main__":
    redraw()
