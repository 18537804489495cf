"""Artifacts of any run, active or not."""

from __future__ import annotations

from pathlib import Path

from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.tracking import MlflowClient


class RunFiles:
    """The artifacts of one run; every method raises MlflowException or OSError if the store does not answer."""

    def __init__(self, run_id: str) -> None:
        self._repository = get_artifact_repository(MlflowClient().get_run(run_id).info.artifact_uri)

    @property
    def folder(self) -> Path | None:
        """Folder of the artifacts in a store on this machine; it may no longer exist."""
        repository = self._repository
        return Path(repository.artifact_dir) if isinstance(repository, LocalArtifactRepository) else None

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder; empty if there is no such folder."""
        return [Path(entry.path).name for entry in self._repository.list_artifacts(folder) if not entry.is_dir]

    def upload(self, path: Path, folder: str) -> None:
        self._repository.log_artifact(str(path), folder)

    def download(self, artifact: str, folder: Path) -> Path:
        """Copy to an existing folder; returns the path of the copy."""
        return Path(self._repository.download_artifacts(artifact, str(folder)))

    def delete(self, artifact: str) -> None:
        """Delete a file or a folder."""
        self._repository.delete_artifacts(artifact)
