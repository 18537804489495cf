"""The settings of the smaller steps, checked before anything runs; without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from steps.base.errors import InputError
from steps.datasets.inputs import open_input
from steps.datasets.interface import Interface
from steps.datasets.labels import LabelledRows
from steps.datasets.outputs import check_output
from steps.datasets.rows import Rows
from steps.datasets.scored import ScoredRows, is_scored
from steps.datasets.tabular.predictions import PREDICTION_SET
from steps.tracking.lineage import Lineage, lineage_of
from steps.tracking.model_uris import find_model
from steps.tracking.models import interface_of
from steps.tracking.runs import get_step_run, newest_running


@dataclass(frozen=True)
class WorkerSettings:
    """A tune run to join, and how many trials to run at once (0: as many as the cores allow)."""

    tune_run_id: str
    n_jobs: int

    @classmethod
    def parse(cls, tune_run_id: str, n_jobs: int) -> Self:
        """Check the options of `worker`; an empty run ID stands for the newest tune run that is running.

        Raises:
            InputError: There is no such run, or it is not running.
        """
        run_id = tune_run_id or newest_running("tune")
        if not run_id:
            raise InputError("tune_run_id must be given if no tune run is running in the experiment, got ''")
        get_step_run(run_id, "tune", "tune_run_id", status="RUNNING")
        return cls(run_id, n_jobs)


@dataclass(frozen=True)
class PredictSettings:
    """A registered model version, an open input, and a file that may be written.

    Attributes:
        rows: With the columns of the model, or with its outputs if `is_scored`.
        labelled: The same rows with the labels of another table; None if none is given.
        output: None if nothing is to be written.
        is_scored: Whether the input was predicted before.
        level: Of the prediction sets to be written; None for none.
    """

    model_uri: str
    interface: Interface
    rows: Rows
    labelled: LabelledRows | None
    output: Path | None
    is_scored: bool
    level: float | None

    @classmethod
    def parse(
        cls,
        *,
        model_uri: str,
        input: str,  # noqa: A002
        labels: str,
        output: str,
        key_column: str,
        overwrite: bool,
        invert: bool,
        sets: float,
    ) -> Self:
        """Check the options of `predict`.

        Raises:
            InputError: There is no such model, the input does not fit it, or the output cannot be written.
        """
        path = None if labels and not output else check_output(output, overwrite=overwrite)
        version_uri = find_model(model_uri)
        interface = interface_of(version_uri)
        if sets and path is None:
            raise InputError(f"sets must be 0 without an output to write them to, got {sets:g}; give output")
        level = _level(sets, interface, key_column) if sets else None
        scored = bool(labels) and is_scored(input, interface)
        if scored and invert:
            raise InputError("invert must be false for an input that was predicted before, got true")
        if scored:
            rows: Rows = ScoredRows(input, interface, key_column)
        else:
            rows = open_input(input, interface, invert=invert, key_column=key_column, with_targets=not labels)
        labelled = LabelledRows(rows, labels, interface.target) if labels else None
        return cls(version_uri, interface, rows, labelled, path, scored, level)


def _level(sets: float, interface: Interface, key_column: str) -> float:
    """The level of the prediction sets, one of those of the model."""
    if (known := interface.target.sets) is None:
        reason = "states no sets" if interface.target.class_names else "predicts numbers, with intervals"
        raise InputError(f"sets must be 0 for a model that {reason}, got {sets:g}")
    if (level := round(sets, 6)) not in known.levels:
        low, high = known.levels[0], known.levels[-1]
        raise InputError(
            f"sets must be 0, or a level from {low:g} to {high:g} in hundredths for this model, got {sets:g}"
        )
    if key_column == PREDICTION_SET:
        raise InputError(f"key_column must have another name than the columns of the output, got {key_column!r}")
    return level


@dataclass(frozen=True)
class ReplaySettings:
    """A registered model version and its lineage."""

    model_uri: str
    lineage: Lineage

    @classmethod
    def parse(cls, model_uri: str) -> Self:
        """Check the options of `replay`.

        Raises:
            InputError: There is no such model, or this project did not register it.
        """
        version_uri = find_model(model_uri)
        return cls(version_uri, lineage_of(version_uri))
