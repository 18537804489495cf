"""The model registry: versions registered, approved, promoted, listed."""

from __future__ import annotations

import contextlib
import io
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from steps.errors import InputError

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class Candidate:
    """What a new version is registered with; each field but the first two becomes a tag.

    Attributes:
        model_uri: URI of the logged model.
        min_accuracy: Test accuracy from which the version is approved.
        test_accuracy, test_accuracy_low, test_accuracy_high: In [0, 1].
    """

    model_uri: str
    min_accuracy: float
    test_accuracy: float
    test_accuracy_low: float
    test_accuracy_high: float
    dataset_digest: str
    tune_run_id: str
    trial_number: int
    git_commit: str

    @property
    def approved(self) -> bool:
        return self.test_accuracy >= self.min_accuracy

    @property
    def reason(self) -> str:
        sign = "at least" if self.approved else "below"
        return f"test accuracy {self.test_accuracy:.4f} is {sign} min_accuracy {self.min_accuracy:g}"


def register(name: str, candidate: Candidate) -> ModelVersion:
    """Register a version; an approved one becomes challenger, and champion where it is the best.

    Aliases come last: whoever loads one finds a version with all its tags.
    """
    client = MlflowClient()
    tags = {key: str(value) for key, value in asdict(candidate).items() if key not in ("model_uri", "min_accuracy")}
    tags |= {
        "validation_status": "approved" if candidate.approved else "rejected",
        "validation_reason": candidate.reason,
    }
    with contextlib.redirect_stderr(io.StringIO()):  # MLflow prints what the step says better
        version = mlflow.register_model(candidate.model_uri, name, tags=tags)
    client.update_model_version(
        name,
        version.version,
        f"Test accuracy {candidate.test_accuracy:.2%} (95 % interval {candidate.test_accuracy_low:.2%} to "
        f"{candidate.test_accuracy_high:.2%}). {tags['validation_status'].capitalize()}: {candidate.reason}.",
    )
    if candidate.approved:
        client.set_registered_model_alias(name, CHALLENGER, version.version)
        champion = version_by_alias(name, CHAMPION)
        if champion is None or candidate.test_accuracy > float(champion.tags.get("test_accuracy", 0)):
            client.set_registered_model_alias(name, CHAMPION, version.version)
    return client.get_model_version(name, version.version)


def version_by_alias(name: str, alias: str) -> ModelVersion | None:
    try:
        return MlflowClient().get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None


def version_of_run(run_id: str) -> ModelVersion | None:
    """The version that an evaluate run registered, with its aliases of today; None where it is gone."""
    client = MlflowClient()
    found = client.search_model_versions(f"run_id = '{run_id}'")
    return client.get_model_version(found[0].name, found[0].version) if found else None


@dataclass(frozen=True)
class VersionRow:
    """One model version, as the registry step shows it; text is empty and numbers are None where a tag is missing."""

    model: str
    version: int
    aliases: tuple[str, ...]
    validation_status: str
    test_accuracy: float | None
    test_accuracy_low: float | None
    test_accuracy_high: float | None
    dataset_digest: str
    tune_run_id: str
    trial_number: int | None
    created: str


def list_versions(model_name: str) -> list[VersionRow]:
    """All versions of one model, or of all for an empty name; the newest of each model first.

    Raises:
        InputError: There is no model of that name; lists those there are.
    """
    client = MlflowClient()
    models = {model.name: model for model in client.search_registered_models()}
    if model_name and model_name not in models:
        known = ", ".join(sorted(models)) or "there is none yet"
        raise InputError(f"model_name must be a registered model ({known}), got {model_name!r}")
    rows = []
    for name in [model_name] if model_name else sorted(models):
        aliases: dict[int, list[str]] = {}
        for alias, number in models[name].aliases.items():
            aliases.setdefault(int(number), []).append(alias)
        versions = client.search_model_versions(f"name = '{name}'")
        for version in sorted(versions, key=lambda v: -int(v.version)):
            rows.append(_row(version, tuple(sorted(aliases.get(int(version.version), ())))))
    return rows


def _row(version: ModelVersion, aliases: tuple[str, ...]) -> VersionRow:
    tags: dict[str, Any] = version.tags

    def number(key: str) -> float | None:
        return float(tags[key]) if key in tags else None

    created = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
    return VersionRow(
        model=version.name,
        version=int(version.version),
        aliases=aliases,
        validation_status=tags.get("validation_status", ""),
        test_accuracy=number("test_accuracy"),
        test_accuracy_low=number("test_accuracy_low"),
        test_accuracy_high=number("test_accuracy_high"),
        dataset_digest=tags.get("dataset_digest", ""),
        tune_run_id=tags.get("tune_run_id", ""),
        trial_number=int(tags["trial_number"]) if "trial_number" in tags else None,
        created=created.isoformat(timespec="seconds"),
    )
