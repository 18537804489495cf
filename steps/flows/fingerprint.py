"""The fingerprint of an invocation: equal if running the step again could not change its result."""

from __future__ import annotations

from collections.abc import Mapping

from mlflow.entities import Run

from steps.cli.invocation import Invocation
from steps.tracking.fingerprint import fingerprint
from steps.tracking.runs import fingerprint_of

_INPUTS = ("data_run_id", "tune_run_id")  # they count by the fingerprint of their run


def step_fingerprint(invocation: Invocation, before: Run | None, files: Mapping[str, str] | None = None) -> str:
    """Fingerprint of a step with these options.

    Args:
        before: The run whose artifacts the step reads.
        files: Content of the files that options name, by option.
    """
    params = {**invocation.params, **(files or {})}
    own = {name: text for name, text in params.items() if name not in _INPUTS}
    return fingerprint(invocation.step, own, [fingerprint_of(before)] if before else [])
