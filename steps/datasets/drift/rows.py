"""Counts of rows that come in chunks, for their comparison with the training rows."""

from __future__ import annotations

from typing import Any

from steps.datasets.drift.comparison import ColumnDrift, compare
from steps.datasets.drift.histograms import Tally
from steps.datasets.drift.profile import Profile
from steps.datasets.interface import Interface


class RowCounts:
    """Rows counted in the bins of a profile, in constant memory; chunks of any size give the same counts.

    Args:
        profile: That of the model; a model without one has an empty profile.
        interface: The interface of the model.
    """

    def __init__(self, profile: Profile, interface: Interface) -> None:
        self._profile, self._interface = profile, interface
        self._tallies: list[Tally] = []

    def add(self, given: Any) -> None:
        """Count rows in the form that the model takes (`Chunk.given`)."""
        if not self._profile.histograms:
            return
        columns, brightest = self._interface.columns, self._interface.feature_max
        found = (
            self._profile.tally_table(columns.schema, given)
            if columns
            else self._profile.tally_images(given, brightest)
        )
        before = self._tallies
        self._tallies = [a + b for a, b in zip(before, found, strict=True)] if before else found

    @property
    def n_rows(self) -> int:
        """Rows so far."""
        return self._tallies[0].n if self._tallies else 0

    @property
    def n_training(self) -> int:
        """Rows of the profile."""
        return self._profile.histograms[0].training.n if self._profile.histograms else 0

    def drifts(self) -> tuple[ColumnDrift, ...]:
        """As in `compare`; empty before the first row."""
        return compare(self._profile, self._tallies) if self._tallies else ()
