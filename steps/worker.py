"""worker: joins an active tune run from another process or machine, and ends with its study."""

from __future__ import annotations

from typing import Any

from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.cli.command import step_command
from steps.cli.invocation import Invocation
from steps.cli.options import n_jobs_option, running_tune_run_id_option


@step_command
@running_tune_run_id_option
@n_jobs_option
def worker(**options: Any) -> None:
    """Run trials of a study that tune has begun, here or on another machine, until it is over.

    The tracking server (MLFLOW_TRACKING_URI) and, if tune has it, the study's database (TUNE_STORAGE) must be in the
    environment, and the version of this project must be the same.

    \b
    Examples:
      mlflow run . -e worker
      mlflow run . -e worker -P tune_run_id=988e50e4e2384849b81eb091c5a8a5e9 -P n_jobs=4
    """
    quiet_libraries()
    from steps.flows.settings import WorkerSettings

    settings = WorkerSettings.parse(**options)
    import_tensorflow()
    from steps.flows.worker import run

    run(settings, Invocation.of(worker, options))


if __name__ == "__main__":
    worker()
