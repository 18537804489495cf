"""Pending writes to the run of a trial."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlflow.entities import Metric, RunTag

from steps.tracking.tags import INTERRUPTED, STATE_TAG


@dataclass
class PendingWrites:
    """The pending writes of one run.

    Attributes:
        end: Status and end time in milliseconds since 1970, if the run ends.
        written: Set when all earlier writes are done.
    """

    params: dict[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    tags: list[RunTag] = field(default_factory=list)
    end: tuple[str, int] | None = None
    written: threading.Event | None = None

    def without_result(self) -> PendingWrites:
        """The writes still allowed for a run with failed ones: it may end only as a run to be continued.

        The next start compares the run with its trial and adds the missing writes.
        """
        return (
            PendingWrites(tags=run_tags({STATE_TAG: INTERRUPTED}), end=("KILLED", self.end[1]))
            if self.end
            else PendingWrites()
        )


def run_tags(tags: Mapping[str, object]) -> list[RunTag]:
    return [RunTag(key, str(value)) for key, value in tags.items()]
