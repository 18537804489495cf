"""Lineage of a model: all information needed to train it again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import mlflow
import yaml

from steps.base.errors import InputError, StepError
from steps.datasets import Dataset
from steps.datasets.dataset import TRAINING
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.tracking.models import describe_model, written_by_this_version
from steps.tracking.project import project_folder

_KEY = "lineage"
_CODE = ("steps", "MLproject", "conda.yaml")  # the user's own files next to it change no model


@dataclass(frozen=True)
class MemberLineage:
    """Origin of one of the networks whose mean a model gives.

    Attributes:
        trial: ID of the run of the trial.
        weight: Share of the network in the mean.
        hyperparameters: Arguments of `MLPConfig.from_hyperparameters`.
        epochs: Number of epochs of the final training.
        schedule: Number of epochs of the learning rate schedule; at least `epochs`.
        seed: Of the network; several of one trial have different ones.
    """

    trial_number: int
    trial: str
    weight: float
    hyperparameters: Mapping[str, Any]
    epochs: int
    schedule: int
    seed: int


@dataclass(frozen=True)
class Lineage:
    """Complete origin of a registered model; it is stored inside the model, as MLflow metadata.

    Attributes:
        data: Name, digest and source, and the `request` from which the data can be loaded again.
        runs: IDs of the runs `download`, `tune`, `trial` and `evaluate`.
        study: Name of the Optuna study and number of the trial in it; the best one of an ensemble.
        hyperparameters: Arguments of `MLPConfig.from_hyperparameters`; empty for an ensemble.
        training: `epochs`, `schedule`, `seed`, resolved `precision` and `threads` of the final training; an ensemble
            has the first three in its members.
        weights_digest: SHA-256 of the trained weights.
        packages: Version of Python and of each pinned package.
        code: Git commit, and whether the code differed from it (`dirty`); empty and None outside a repository.
        hardware: Processor and its features, cores, GPUs.
        members: Those of an ensemble by their names (`network_name`); empty for a single network.
    """

    data: Mapping[str, Any]
    runs: Mapping[str, str]
    study: Mapping[str, Any]
    hyperparameters: Mapping[str, Any]
    training: Mapping[str, Any]
    weights_digest: str
    packages: Mapping[str, str]
    code: Mapping[str, Any]
    hardware: Mapping[str, Any]
    members: Mapping[str, MemberLineage] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        runs: Mapping[str, str],
        study: str,
        members: Mapping[str, MemberLineage],
        training: Mapping[str, Any],
        weights_digest: str,
        hardware: Mapping[str, Any],
    ) -> Lineage:
        """Lineage of a model trained now, in the active run.

        Args:
            runs: IDs of the runs `download` and `tune`.
            members: At least one, by its name, those of the best trial first.
            training: Resolved `precision`, and `threads` of each training.
        """
        best, is_single = next(iter(members.values())), len(members) == 1
        own = {"epochs": best.epochs, "schedule": best.schedule, "seed": best.seed}
        return cls(
            data={
                "name": dataset.name,
                "digest": dataset.digest,
                "source": dataset.source,
                "request": dataset.request.to_json(),
            },
            runs={**runs, "trial": best.trial, "evaluate": mlflow.active_run().info.run_id},
            study={"name": study, "trial_number": best.trial_number},
            hyperparameters=best.hyperparameters if is_single else {},
            training={**(own if is_single else {}), **training},
            weights_digest=weights_digest,
            packages=package_versions(),
            code=code_version(),
            hardware=hardware,
            members={} if is_single else members,
        )

    @property
    def trained(self) -> Mapping[str, MemberLineage]:
        """The final trainings by their names, in no order: the members, or the only one."""
        if self.members:
            return self.members
        number, training = self.study["trial_number"], self.training
        member = MemberLineage(
            number, self.runs["trial"], 1.0, self.hyperparameters, training["epochs"], training["schedule"],
            training["seed"],
        )  # fmt: skip
        return {network_name(number): member}

    def as_metadata(self) -> dict[str, Any]:
        return {_KEY: asdict(self)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> Lineage:
        """The inverse of `as_metadata`."""
        about = dict(metadata[_KEY])
        given = {"seed": about["training"].get("seed")}  # earlier versions gave all members that of the training
        members = {name: MemberLineage(**{**given, **member}) for name, member in about.pop("members", {}).items()}
        return cls(**about, members=members)


def trial_name(number: int) -> str:
    """Name of the run of a trial."""
    return f"trial-{number:03d}"


def network_name(number: int, i: int = 0) -> str:
    """Name of a network in the lineage: that of its trial, from the second on with the number of the network."""
    return f"{trial_name(number)}-{i + 1}" if i else trial_name(number)


def lineage_of(model_uri: str) -> Lineage:
    """Read the lineage of a model.

    Raises:
        InputError: This project did not register the model, or another version of it did.
        StepError: The description of the model is damaged.
    """
    metadata = describe_model(model_uri).metadata or {}
    if _KEY not in metadata:
        raise InputError(f"model_uri must be a model of this project, got {model_uri!r}, which has no lineage")
    with written_by_this_version(model_uri):
        lineage = Lineage.from_metadata(metadata)
        DataRequest.from_json(lineage.data["request"])
    return lineage


def package_versions() -> dict[str, str]:
    """Version of Python and of each package that `conda.yaml` pins, as installed here."""
    conda = yaml.safe_load((project_folder() / "conda.yaml").read_text(encoding="utf-8"))["dependencies"]
    (pins,) = (entry["pip"] for entry in conda if isinstance(entry, dict))
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in (pin.partition("==")[0].partition("[")[0] for pin in pins):  # without extras
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def code_version() -> dict[str, Any]:
    """Git commit of the project, and whether its code differs from it."""
    folder = str(project_folder())

    # Ignore the repository that a surrounding Git hook sets.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*arguments: str) -> str | None:
        try:
            return subprocess.run(
                ["git", "-C", folder, *arguments], capture_output=True, encoding="utf-8", errors="replace", check=True,
                env=environment,
            ).stdout.strip()  # fmt: skip
        except (OSError, subprocess.CalledProcessError):
            return None

    # An installed copy may lie inside an unrelated repository.
    if git("ls-files", "--error-unmatch", "MLproject") is None or (commit := git("rev-parse", "HEAD")) is None:
        return {"commit": "", "dirty": None}
    return {"commit": commit, "dirty": bool(git("status", "--porcelain", "--", *_CODE))}


def load_data(lineage: Lineage) -> Dataset:
    """The training data of a model, without the test split; read from their source, so that no run is needed.

    Raises:
        InputError: The source cannot be read.
        StepError: The source has different data now.
    """
    about = lineage.data
    try:
        dataset = load_dataset(DataRequest.from_json(about["request"]))
    except InputError as error:
        raise InputError(
            f"model_uri must be a model whose data are still where they were, and as they were: {error}"
        ) from error
    if dataset.digest != about["digest"]:
        raise StepError(
            f"the data set {about['name']} is not what the model was trained on: digest expected {about['digest']}, "
            f"found {dataset.digest}"
        )
    return replace(dataset, splits={name: dataset.splits[name] for name in TRAINING if name in dataset.splits})


def differences(then: Lineage, packages: Mapping[str, str], hardware: Mapping[str, Any]) -> list[str]:
    """Possible causes of different weights, in words.

    Args:
        packages, hardware: Those of this machine; packages that do no arithmetic are ignored.
    """
    causes = [
        f"{name} {then.packages.get(name, 'unknown')} then, {packages[name]} now"
        for name in ("python", "tensorflow", "keras", "numpy")
        if then.packages.get(name) != packages[name]
    ]
    causes += [
        f"{name.replace('_', ' ')} {then.hardware.get(name)!r} then, {now!r} now"
        for name, now in hardware.items()
        if then.hardware.get(name) != now
    ]
    if (code := code_version()) != then.code or code["dirty"]:
        causes.append(f"code {_described(then.code)} then, {_described(code)} now")
    if then.training["precision"] != "float32":
        causes.append(f"{then.training['precision']} products, which round differently if they are split differently")
    return causes


def _described(code: Mapping[str, Any]) -> str:
    commit = code.get("commit") or "outside a repository"
    return f"{commit[:12]} with changes" if code.get("dirty") else commit[:12]
