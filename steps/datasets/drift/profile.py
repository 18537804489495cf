"""The profile of the training rows, which a registered model carries for the comparison with other rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa

from steps.datasets.drift.histograms import Histogram, LevelHistogram, NumberHistogram, Tally, histogram_from_json
from steps.datasets.tabular.arrays import as_array
from steps.datasets.tabular.distribution import as_numbers
from steps.datasets.tabular.schema import Column, Schema
from steps.datasets.tabular.words import Levels, count_words, truth, whole

PROFILE = "profile.json"
_CHUNK = 4096  # images


@dataclass(frozen=True)
class Profile:
    """Histograms of the training rows: one per column of a table, or of the brightness and contrast of images."""

    histograms: tuple[Histogram, ...]

    @classmethod
    def of_table(cls, schema: Schema, table: pa.Table, rows: np.ndarray) -> Self:
        """The profile of these rows of a table, by their positions (n,); columns without a value are not in it."""
        taken = pa.array(rows)
        found = (_histogram(column, as_array(table.column(column.name).take(taken), column.name))
                 for column in schema.columns)  # fmt: skip
        return cls(tuple(histogram for histogram in found if histogram is not None))

    @classmethod
    def of_images(cls, splits: Sequence[np.ndarray], brightest: float) -> Self:
        """The profile of images, in arrays (n, n_features) with pixels from 0 to the brightest."""
        found = (NumberHistogram.of(name, "number", values) for name, values in _measures(splits, brightest).items())
        return cls(tuple(histogram for histogram in found if histogram is not None))

    def tally_table(self, schema: Schema, table: pa.Table) -> list[Tally]:
        """Counts of the rows of a table in the bins of each histogram; invalid cells count as missing."""
        columns = {column.name: column for column in schema.columns}
        return [_tally(h, columns[h.name], as_array(table.column(h.name), h.name)) for h in self.histograms]

    def tally_images(self, pixels: np.ndarray, brightest: float) -> list[Tally]:
        """Counts of images (n, n_features) in the bins of each histogram."""
        measures = _measures([pixels], brightest)
        return [h.tally(measures[h.name]) for h in self.histograms if isinstance(h, NumberHistogram)]

    def to_json(self) -> str:
        """One JSON object."""
        about = {"histograms": [histogram.to_json() for histogram in self.histograms]}
        return json.dumps(about, ensure_ascii=False, separators=(",", ":")) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        about: dict[str, Any] = json.loads(text)
        return cls(tuple(map(histogram_from_json, about["histograms"])))


def _histogram(column: Column, cells: pa.Array) -> Histogram | None:
    if column.kind in ("number", "date"):
        return NumberHistogram.of(column.name, column.kind, as_numbers(column, cells))
    return LevelHistogram.of(column.name, column.kind, *_words(column, cells))


def _tally(histogram: Histogram, column: Column, cells: pa.Array) -> Tally:
    if isinstance(histogram, NumberHistogram):
        return histogram.tally(as_numbers(column, cells))
    return histogram.tally(*_words(column, cells))


def _words(column: Column, cells: pa.Array) -> tuple[dict[str, int], int]:
    """Number of rows by word as the schema spells it, and number of rows without one."""
    counts, n_missing = count_words(cells)
    are_codes = Levels(column.levels).are_codes
    spelled: dict[str, int] = {}
    for word, n in counts.items():
        is_true = truth(word) if column.kind == "boolean" and len(column.levels) == 2 else None
        known = (whole(word) if are_codes else word) if is_true is None else column.levels[is_true] or word
        spelled[known] = spelled.get(known, 0) + n
    return spelled, n_missing


def _measures(splits: Sequence[np.ndarray], brightest: float) -> dict[str, np.ndarray]:
    """(n,) mean and standard deviation of the pixels of each image, as shares of the brightest value."""
    brightness, contrast = [np.empty(0)], [np.empty(0)]
    for part in (pixels[start : start + _CHUNK] for pixels in splits for start in range(0, len(pixels), _CHUNK)):
        scaled = part.astype(np.float32) / np.float32(brightest)
        brightness.append(scaled.mean(1, dtype=np.float64))
        contrast.append(scaled.std(1, dtype=np.float64))
    return {"brightness": np.concatenate(brightness), "contrast": np.concatenate(contrast)}
