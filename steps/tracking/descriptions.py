"""Descriptions of runs and models in the MLflow UI: Markdown that explains the page it appears on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from steps.mlp.config import per_layer

_STEPS = {
    "main": "The whole pipeline: **download → tune → evaluate**, each a child run. Finished steps that would not "
    "change are reused; the tags `pipeline.reused.*` name their runs.",
    "download": "The data, verified and split: artifact `dataset/`. The dataset inputs hold the digest of each split."
    "\n\nStart with the artifact `data.html`: the columns, and whether a score on the test split can be trusted.",
    "tune": "A study: **each child run is one trial**, with its hyperparameters and its curves per epoch.\n\n"
    "Start with the artifact `report.html`: the result, its uncertainty, and next steps. `best_config.json` is the "
    "input of *evaluate*; `figures/` has the figures.",
    "worker": "A process that joined a tune run: its trials are child runs of that one.",
    "evaluate": "The selected trial, trained again on train + validation and **tested once** on the test split.\n\n"
    "Start with the artifact `report.html`: the decision about the new version and its grounds.",
}


def step_description(step: str, result: str = "") -> str:
    """Description of a step run, below its result."""
    return "\n\n".join(part for part in (result, _STEPS.get(step, "")) if part)


def trial_description(number: int, study_name: str, hyperparameters: Mapping[str, object]) -> str:
    """Description of a trial, in one paragraph."""
    given = dict(hyperparameters)
    units = [str(given.pop(name, "?")) for name in per_layer("units", int(str(given.pop("n_layers", 0))))]
    parts = [f"hidden layers {' - '.join(units)}"] if units else []
    parts += [f"{name} {_shown(value)}" for name, value in given.items()]
    return (
        f"Trial {number} of the study `{study_name}`: {', '.join(parts)}.\n\n"
        "The tag `optuna.state` has its final state: COMPLETE, PRUNED (stopped early, status *killed*) or FAIL."
    )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def model_description(name: str) -> str:
    """Description of a registered model, with an example of its use."""
    uri = f"models:/{name}@champion"
    return (
        "An MLP that the step *evaluate* trained, tested once and registered. **champion** is the version to use, "
        "**challenger** the newest approved one, **previous** the champion before.\n\n"
        f"```python\nmlflow.pyfunc.load_model({json.dumps(uri, ensure_ascii=False)}).predict(rows)\n```\n\n"
        f"or `mlflow run . -e predict -P model_uri={shlex.quote(uri)} -P input=...`"
    )


def run_link(text: str, experiment_id: str, run_id: str) -> str:
    """A link from one page of the UI to a run."""
    return f"[{text}](#/experiments/{experiment_id}/runs/{run_id}?workflowType=machine_learning)"
