"""The rows, the task and the time of a rival, and where its answer goes."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

BEGUN = time.monotonic()


@dataclass(frozen=True)
class Task:
    """One table for one system.

    Attributes:
        x, y: Training rows without the target, and the target; class numbers, or floats.
        test: Test rows without the target.
        n_classes: 0 for a number.
        seconds: For everything, from the start of the process.
    """

    folder: Path
    x: pd.DataFrame
    y: np.ndarray
    test: pd.DataFrame
    n_classes: int
    seconds: float
    seed: int

    @classmethod
    def from_arguments(cls) -> tuple[str, Task]:
        """The name of the system and its task, from `NAME FOLDER SECONDS SEED`."""
        name, given, seconds, seed = sys.argv[1:]
        folder = Path(given)
        about = json.loads((folder / "about.json").read_text())
        train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
        target = train.pop(about["target"])
        classes = about["classes"]
        y = target.map({label: i for i, label in enumerate(classes)}) if classes else target
        kind = np.int64 if classes else np.float64
        return name, cls(folder, train, y.to_numpy(kind), test, len(classes), float(seconds), int(seed))

    def left(self) -> float:
        """Seconds until the time is over."""
        return self.seconds - (time.monotonic() - BEGUN)

    def answer(self, outputs: np.ndarray) -> None:
        """Write the answer: probabilities (n, n_classes), or numbers (n,)."""
        np.save(self.folder / "outputs.npy", outputs)
