"""The model registry: registration, approval and listing of versions."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from steps.base.errors import InputError
from steps.datasets.interface import Interface
from steps.tasks.checks import Check
from steps.tasks.metric import Interval, as_metrics
from steps.tasks.task import primary_named
from steps.tracking.absent import if_exists
from steps.tracking.descriptions import model_description, run_link
from steps.tracking.model_uris import versions_of
from steps.tracking.models import interface_of
from steps.tracking.paging import pages
from steps.tracking.tags import DATASET_DIGEST_TAG, MEMBERS_TAG, PROMOTION_REASON_TAG, REASON_TAG, STATUS_TAG

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
_APPROVED, _REJECTED = "approved", "rejected"
_SHOWN = 5  # differences
_MOST_CHARACTERS = 5000  # of a description in MLflow's databases


@dataclass(frozen=True)
class Candidate:
    """A model to register, with the tags of its version.

    Attributes:
        model_uri: URI of the logged model.
        checks: Checks that must all be passed for approval.
        metric: Name of the primary metric.
        score: Its value on the test split.
        trial_number: The best one of an ensemble.
        weights_digest: SHA-256 of the weights.
        members: Weights of the trials of an ensemble by their numbers; empty for a single trial.
    """

    model_uri: str
    checks: tuple[Check, ...]
    metric: str
    score: Interval
    dataset_digest: str
    tune_run_id: str
    trial_number: int
    git_commit: str
    weights_digest: str
    members: Mapping[int, float] = field(default_factory=dict)

    @property
    def approved(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """Details of the failed checks; if none failed, the number of checks."""
        failed = "; ".join(check.detail for check in self.checks if not check.passed)
        return failed or f"all {len(self.checks)} checks are passed"


def register(name: str, candidate: Candidate) -> ModelVersion:
    """Register a version with all its tags; aliases are for `promote`."""
    client = MlflowClient()
    other = ("model_uri", "checks", "score", "members")
    tags = {key: str(value) for key, value in vars(candidate).items() if key not in other}
    tags |= {key: str(value) for key, value in as_metrics({candidate.metric: candidate.score}, "test_").items()}
    tags |= {
        STATUS_TAG: _APPROVED if candidate.approved else _REJECTED,
        REASON_TAG: candidate.reason,
        "checks": json.dumps({check.name: check.passed for check in candidate.checks}),
    }
    if candidate.members:
        tags[MEMBERS_TAG] = json.dumps(candidate.members)
    with contextlib.redirect_stderr(io.StringIO()):  # MLflow's own messages; the step has clearer ones
        version = mlflow.register_model(candidate.model_uri, name, tags=tags)
    if not client.get_registered_model(name).description:
        client.update_registered_model(name, model_description(name))
    client.update_model_version(name, version.version, _description(candidate, tags[STATUS_TAG], version.run_id))
    return client.get_model_version(name, version.version)


def publish_card(version: ModelVersion, model_uri: str, card: str) -> None:
    """Put the model card, in Markdown, below the description of a version, and as `card.md` into its model.

    The description has 5,000 characters at most, so that of a long card the last sections are only in the file.

    Args:
        model_uri: URI of the logged model.
    """
    client = MlflowClient()
    described = client.get_model_version(version.name, version.version).description
    whole = f"{described}\n\n{card}"
    if len(whole) > _MOST_CHARACTERS:
        more = "\nThe whole card is `card.md` among the files of the model.\n"
        whole = whole[: whole.rindex("\n## ", 0, _MOST_CHARACTERS - len(more))] + more
    client.update_model_version(version.name, version.version, whole)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "card.md"
        path.write_text(card, encoding="utf-8")
        client.log_model_artifact(model_uri.removeprefix("models:/"), str(path))


def _description(candidate: Candidate, status: str, run_id: str) -> str:
    """Description of a version, in Markdown with links to the runs that made it."""
    text = f"Test {score_text(candidate.metric, candidate.score)}. {status.capitalize()}, because {candidate.reason}."
    if not run_id:
        return text
    experiment = MlflowClient().get_run(run_id).info.experiment_id
    members = candidate.members or {candidate.trial_number: 1.0}
    trials = f"trial{'s' * (len(members) > 1)} {', '.join(map(str, members))}"
    origin = f"Mean of networks of {trials}" if candidate.members else f"Hyperparameters: {trials}"
    return (
        f"{text}\n\nDecision and figures: `report.html` of the {run_link('evaluate run', experiment, run_id)}. "
        f"{origin} of the "
        f"{run_link('tune run', experiment, candidate.tune_run_id)}."
    )


def score_text(metric: str, score: Interval) -> str:
    """A score with its interval, as text; a metric that only another version of this project has appears by name."""
    known = primary_named(metric)
    label, text = (known.label, known.text) if known else (metric, "{:.4g}".format)
    found = f"{label} {text(score.value)}"
    if score.low is not None and score.high is not None:
        found += f" (95 % interval {text(score.low)} to {text(score.high)})"
    return found


def is_approved(version: ModelVersion) -> bool:
    return bool(version.tags.get(STATUS_TAG) == _APPROVED)


def check_compatible(name: str, interface: Interface) -> None:
    """Refuse a model of another target, other classes, columns or feature shape than the registered ones.

    The new model is compared with the champion, or with the newest version if there is none. A version that this
    project did not register is ignored.

    Raises:
        InputError: It differs; the message lists the differences, for a table column by column.
    """
    version = version_by_alias(name, CHAMPION) or max(versions_of(name), key=lambda v: int(v.version), default=None)
    if version is None:
        return
    try:
        registered = interface_of(f"models:/{name}/{version.version}")
    except InputError:
        return
    if lines := registered.differences(interface):
        more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        raise InputError(
            f"model_name must be a model of the same data, got {name!r}, whose version {version.version} differs from "
            f"these data (the other): {'; '.join(lines[:_SHOWN])}{more}; choose another model_name"
        )


def version_by_alias(name: str, alias: str) -> ModelVersion | None:
    return if_exists(MlflowClient().get_model_version_by_alias, name, alias)


def score_of(version: ModelVersion, metric: str) -> Interval | None:
    """The score of a version on the test split in a metric; None if its tags do not have it."""

    def number(key: str) -> float | None:
        return float(version.tags[key]) if key in version.tags else None

    value = number(f"test_{metric}")
    return None if value is None else Interval(value, number(f"test_{metric}_low"), number(f"test_{metric}_high"))


def version_of_run(run_id: str) -> ModelVersion | None:
    """The version that an evaluate run registered, with its current aliases; None if it is gone."""
    client = MlflowClient()
    found = client.search_model_versions(f"run_id = '{run_id}'")
    return client.get_model_version(found[0].name, found[0].version) if found else None


@dataclass(frozen=True)
class VersionRow:
    """One model version for the registry step; if a tag is missing, text is empty and numbers are None."""

    model: str
    version: int
    aliases: tuple[str, ...]
    validation_status: str
    metric: str
    score: Interval | None
    dataset_digest: str
    tune_run_id: str
    trial_number: int | None
    members: Mapping[str, float]
    promotion: str
    created: str


def list_versions(model_name: str) -> list[VersionRow]:
    """All versions of one model, or of all models for an empty name; newest first within each model.

    Raises:
        InputError: There is no model of that name; the message lists the existing ones.
    """
    client = MlflowClient()
    models = {model.name: model for model in pages(client.search_registered_models)}
    if model_name and model_name not in models:
        known = ", ".join(sorted(models)) or "there is none yet"
        raise InputError(f"model_name must be a registered model ({known}), got {model_name!r}")
    rows = []
    for name in [model_name] if model_name else sorted(models):
        aliases: dict[int, list[str]] = {}
        for alias, number in models[name].aliases.items():
            aliases.setdefault(int(number), []).append(alias)
        versions = versions_of(name)
        for version in sorted(versions, key=lambda v: -int(v.version)):
            rows.append(_row(version, tuple(sorted(aliases.get(int(version.version), ())))))
    return rows


def _row(version: ModelVersion, aliases: tuple[str, ...]) -> VersionRow:
    tags: dict[str, Any] = version.tags
    metric = tags.get("metric", "")
    created = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
    return VersionRow(
        model=version.name,
        version=int(version.version),
        aliases=aliases,
        validation_status=tags.get(STATUS_TAG, ""),
        metric=metric,
        score=score_of(version, metric),
        dataset_digest=tags.get(DATASET_DIGEST_TAG, ""),
        tune_run_id=tags.get("tune_run_id", ""),
        trial_number=int(tags["trial_number"]) if "trial_number" in tags else None,
        members=json.loads(tags.get(MEMBERS_TAG, "{}")),
        promotion=tags.get(PROMOTION_REASON_TAG, ""),
        created=created.isoformat(timespec="seconds"),
    )
