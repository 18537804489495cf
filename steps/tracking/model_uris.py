"""Names, versions and URIs of registered models."""

from __future__ import annotations

import re
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.tracking import MlflowClient

from steps.base.errors import InputError
from steps.tracking.absent import if_exists
from steps.tracking.paging import pages

_REGISTERED = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>\d+)|@(?P<alias>[^/@]+))")
_NOT_IN_NAMES = "/:@?'\""  # MLflow refuses the first two; the others terminate a name in a URI or in a search
_LONGEST_NAME = 256  # characters, the limit of typed databases


def check_model_name(name: str) -> None:
    """Refuse a name that MLflow would refuse later, or register but not find by URI or search.

    Raises:
        InputError: The name is invalid; the message has the rule.
    """
    bad = sorted({character for character in name if character in _NOT_IN_NAMES or not character.isprintable()})
    if bad:
        expected = f"a name without {' '.join(map(repr, bad))}"
    elif name != name.strip() or name in ("", ".", ".."):
        expected = "a name, without blanks around it"
    elif len(name) > _LONGEST_NAME:
        expected = f"a name of at most {_LONGEST_NAME} characters"
    else:
        return
    raise InputError(f"model_name must be {expected}, got {name!r}; no model could be found by it")


def find_model(uri: str) -> str:
    """Resolve a URI, which may hold an alias, to the URI of one version.

    Raises:
        InputError: It is not the URI of a registered model, or there is no such model, version or alias; the message
            lists the existing ones.
    """
    given = _REGISTERED.fullmatch(uri)
    if given is None:
        raise InputError(f"model_uri must be models:/<name>/<version> or models:/<name>@<alias>, got {uri!r}")
    name, client = given["name"], MlflowClient()
    model = if_exists(client.get_registered_model, name)
    if model is None:
        known = ", ".join(sorted(found.name for found in pages(client.search_registered_models))) or "there is none yet"
        raise InputError(f"model_uri must name a registered model ({known}), got {uri!r}")
    versions = sorted(int(found.version) for found in versions_of(name))
    number = int(model.aliases.get(given["alias"], 0)) if given["alias"] else int(given["version"])
    if number not in versions:
        aliases = [f"@{alias}" for alias in sorted(model.aliases)]
        known = ", ".join([*(f"/{existing}" for existing in versions), *aliases]) or "it has no versions"
        raise InputError(f"model_uri must end in a version or an alias of {name} ({known}), got {uri!r}")
    return f"models:/{name}/{number}"


def versions_of(name: str) -> list[ModelVersion]:
    """All versions of a registered model, unordered; empty if there is no such model."""
    return list(pages(MlflowClient().search_model_versions, f"name = '{name}'"))


def folder_of(uri: str) -> Path | None:
    """Folder of the files of a registered model in a store on this machine, which may be missing; else None."""
    given = _REGISTERED.fullmatch(uri)
    if given is None or not given["version"]:
        return None
    location = if_exists(MlflowClient().get_model_version_download_uri, given["name"], given["version"])
    repository = get_artifact_repository(location) if location else None
    return Path(repository.artifact_dir) if isinstance(repository, LocalArtifactRepository) else None
