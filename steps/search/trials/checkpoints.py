"""Stores of the checkpoints of running trials: a folder, or artifacts that other machines can read."""

from __future__ import annotations

import logging
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url

from steps.base.environment import CHECKPOINT_SECONDS, CHECKPOINTS
from steps.base.errors import InputError
from steps.base.files import remove_with_drafts
from steps.base.redaction import redact
from steps.tracking.files import RunFiles
from steps.tracking.retry import first_line

logger = logging.getLogger(__name__)

_FOLDER = "checkpoint"  # of a trial's run, while it trains
_N_KEPT = 2  # of a trial: an upload that is cut off leaves the one before it


class Checkpoints(Protocol):
    """Checkpoints by the run ID of their trial."""

    @property
    def seconds(self) -> float:
        """Of training that may lie between two."""

    def save(self, run_id: str, epoch: int, write: Callable[[Path], None]) -> None:
        """Keep the file that `write` writes to the path it is given.

        Raises:
            OSError: It cannot be kept; the one before is still there.
        """

    def found(self, run_id: str) -> Iterator[Path]:
        """The files there are, the one to be tried first first; each is there until the next is asked for."""

    def remove(self, run_id: str) -> None:
        """Remove the files of a trial that has ended; failures are only logged."""


def checkpoints_of(url: str) -> Checkpoints:
    """Those of the study's database: a folder beside an SQLite file, else artifacts of the trials' runs.

    `TUNE_CHECKPOINTS`, a folder, and `TUNE_CHECKPOINT_SECONDS` of the environment say otherwise.

    Raises:
        InputError: The seconds are no number of at least 0.
    """
    given = os.environ.get(CHECKPOINT_SECONDS, "3")
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise InputError(f"{CHECKPOINT_SECONDS} must be a number of at least 0, got {given!r}")
    if folder := os.environ.get(CHECKPOINTS):
        return FolderCheckpoints(seconds, Path(folder).absolute())
    database = make_url(url)
    if database.get_backend_name() == "sqlite" and database.database not in (None, "", ":memory:"):
        file = Path(str(database.database)).absolute()
        return FolderCheckpoints(seconds, file.with_name(f"{file.stem}-checkpoints"))
    return ArtifactCheckpoints(seconds)


@dataclass(frozen=True)
class FolderCheckpoints:
    """A file for each trial in a folder of this machine, or of a file system that machines share."""

    seconds: float
    folder: Path

    def path(self, run_id: str) -> Path:
        return self.folder / f"{run_id}.ckpt"

    def save(self, run_id: str, epoch: int, write: Callable[[Path], None]) -> None:
        write(self.path(run_id))

    def found(self, run_id: str) -> Iterator[Path]:
        if self.path(run_id).exists():
            yield self.path(run_id)

    def remove(self, run_id: str) -> None:
        try:
            remove_with_drafts(self.path(run_id))
        except OSError as error:
            logger.warning("A checkpoint could not be removed: %s", error)


@dataclass(frozen=True)
class ArtifactCheckpoints:
    """The last two of each trial as artifacts of its run: every machine that can track can read them."""

    seconds: float
    _kept: dict[str, list[int]] = field(default_factory=dict)  # run ID -> epochs, ascending

    def save(self, run_id: str, epoch: int, write: Callable[[Path], None]) -> None:
        with _as_os_error(), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / _name(epoch)
            write(path)
            files = RunFiles(run_id)
            files.upload(path, _FOLDER)
            kept = self._kept.setdefault(run_id, [])
            kept.append(epoch)
            while len(kept) > _N_KEPT:
                files.delete(f"{_FOLDER}/{_name(kept[0])}")
                del kept[0]

    def found(self, run_id: str) -> Iterator[Path]:
        with _as_os_error(), tempfile.TemporaryDirectory() as folder:
            files = RunFiles(run_id)
            names = sorted(files.names(_FOLDER))
            self._kept[run_id] = [_epoch(name) for name in names]
            for name in reversed(names):
                yield files.download(f"{_FOLDER}/{name}", Path(folder))

    def remove(self, run_id: str) -> None:
        try:
            if self._kept.pop(run_id, None) or RunFiles(run_id).names(_FOLDER):
                RunFiles(run_id).delete(_FOLDER)
        except (MlflowException, OSError) as error:
            logger.warning("A checkpoint could not be removed: %s", redact(first_line(error)))


def _name(epoch: int) -> str:
    return f"{epoch:06d}.ckpt"


def _epoch(name: str) -> int:
    return int(name.partition(".")[0])


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        raise OSError(redact(first_line(error))) from error
