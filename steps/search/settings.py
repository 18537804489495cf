"""The settings of a tune run, checked before anything runs; without TensorFlow."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import mlflow

from steps.base.errors import InputError
from steps.base.paths import existing_file
from steps.datasets import Dataset
from steps.mlp.config import MLPConfig
from steps.search.defaults import AUTO_SPACE, IMAGE_EPOCHS, default_epochs, default_space
from steps.search.scheduler import check_dask, check_scheduler
from steps.search.space.file import load_space, space_path, with_line
from steps.search.space.space import Space
from steps.search.store.url import check_database, existing_studies, storage_url
from steps.search.strategy.grid import cells
from steps.search.strategy.points import load_points
from steps.search.strategy.pruners import PrunerSpec
from steps.search.strategy.samplers import check_sampler
from steps.search.strategy.stopping import Auto, StopRule, parse_stop_rule
from steps.search.strategy.warm_start import earlier_records
from steps.search.trials.checkpoints import checkpoints_of
from steps.tracking.runs import get_step_run


@dataclass(frozen=True)
class TuneSettings:
    """Settings of a tune run.

    Attributes:
        data_run_id: A finished download run; empty for the newest, or a new one.
        n_trials: Trials of the whole study, including those of earlier runs.
        timeout: Seconds after which no more trials are started, and running ones on tables end; 0 for no limit.
        n_jobs: Parallel trials in each process; 0 for as many as the machine and the number of trials allow.
        address: Scheduler of a Dask cluster; empty to start one, or if `engine` is local.
        max_epochs: Epochs of a trial that is not pruned.
        points: Complete configurations to try first; empty for the defaults of the space, if it has any.
        warm_start: Tune run ID or study whose best configurations are tried early; may be empty.
        objectives: Names, the most important first.
        study_name: Name of the study; empty for a new one.
        storage: URL of the study's database; it may hold a password.
    """

    data_run_id: str
    n_trials: int
    timeout: float
    stop_when: StopRule | None
    max_epochs: int
    n_jobs: int
    engine: Literal["local", "dask"]
    address: str
    sampler: str
    pruner: PrunerSpec
    space: Space
    points: tuple[dict[str, Any], ...]
    warm_start: str
    objectives: tuple[str, ...]
    study_name: str
    storage: str = field(repr=False)
    precision: str
    seed: int

    @classmethod
    def parse(cls, dataset: Dataset | None = None, **options: Any) -> Self:
        """Check the options of `tune`.

        Args:
            dataset: Data set with its split `train`. Without it, settings that depend on the data are those for images,
                and points for a space that is not known yet are not checked.

        Raises:
            InputError: An option is invalid; the message names the first.
        """
        is_open = dataset is None and options["space"] == AUTO_SPACE
        if options["space"] == AUTO_SPACE:
            options["space"] = default_space(dataset) if dataset else "image"
        if not options["max_epochs"]:
            options["max_epochs"] = default_epochs(dataset) if dataset else IMAGE_EPOCHS
        if options["address"] and options["engine"] != "dask":
            raise InputError(
                f"address must be empty for engine local, got {options['address']!r}; give engine=dask too"
            )
        if options["engine"] == "dask" and dataset is None:  # once, before anything runs
            check_dask()
            if options["address"]:
                check_scheduler(options["address"])
        check_sampler(options["sampler"], len(options["objectives"]))
        pruner = PrunerSpec.parse(options["pruner"], options["max_epochs"])
        stop_when = parse_stop_rule(options["stop_when"])
        space = load_space(space_path(options["space"]))
        if (class_weight := options.pop("class_weight")) != MLPConfig.class_weight:
            if dataset and not dataset.target.class_names:
                raise InputError(f"class_weight must be none for a target of numbers, got {class_weight!r}")
            space = with_line(space, "class_weight", class_weight)
        if options["sampler"] == "grid":
            cells(space)
            stop_when = None if isinstance(stop_when, Auto) else stop_when  # a complete table is wanted
        given = existing_file(options["points"], "points") if options["points"] else None
        points = load_points(given, space) if given and not is_open else []
        storage = storage_url(options["storage"], mlflow.get_tracking_uri())
        check_database(storage)
        checkpoints_of(storage)
        if options["warm_start"] and dataset is None:  # once, before anything runs
            earlier_records(options["warm_start"], existing_studies(storage))
        if options["data_run_id"]:
            get_step_run(options["data_run_id"], "download", "data_run_id")
        parsed = {"pruner": pruner, "stop_when": stop_when, "space": space, "points": tuple(points), "storage": storage}
        return cls(**{**options, **parsed})

    @property
    def files(self) -> dict[str, str]:
        """Contents of the files given as options, by option."""
        return {"space": self.space.text, "points": json.dumps(self.points)}
