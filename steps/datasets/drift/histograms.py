"""Histograms of columns over the training rows, and counts of other rows in the same bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

from steps.datasets.tabular.schema import Kind

_BINS = 20  # of numbers, with about equally many rows each
_COMMON, _FEWEST = 1 / 40, 20  # share of the rows, and rows, that a level needs for a bin of its own
_NAMED = 1000  # unseen words that are counted one by one


@dataclass(frozen=True)
class Tally:
    """Numbers of rows in the bins of a histogram.

    Attributes:
        bins: (k,) rows with a value; one outside of all bins counts in the nearest.
        outside: Of these, the rows below and above the range of the training rows, or those with an unseen word.
        missing: Rows without a value.
        unseen: Rows by unseen word, of the first 1,000 such words.
    """

    bins: np.ndarray
    outside: tuple[int, ...]
    missing: int
    unseen: Mapping[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """All rows."""
        return int(self.bins.sum()) + self.missing

    def __add__(self, other: Tally) -> Tally:
        unseen = dict(self.unseen)
        for word, n in other.unseen.items():
            if word in unseen or len(unseen) < _NAMED:
                unseen[word] = unseen.get(word, 0) + n
        outside = tuple(a + b for a, b in zip(self.outside, other.outside, strict=True))
        return Tally(self.bins + other.bins, outside, self.missing + other.missing, unseen)

    def to_json(self) -> dict[str, Any]:
        """The counts as JSON types, without the words."""
        return {"bins": self.bins.tolist(), "outside": list(self.outside), "missing": self.missing}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(np.array(about["bins"], np.int64), tuple(about["outside"]), int(about["missing"]))


@dataclass(frozen=True)
class NumberHistogram:
    """Numbers, or dates in seconds since 1970 UTC.

    Attributes:
        starts: (k,) rising lower limits of the bins, which belong to them; the first one is the smallest number.
        high: The largest number.
        training: The training rows. A row counts as outside of the range if it would be outside of that of the others.
    """

    name: str
    kind: Kind
    starts: tuple[float, ...]
    high: float
    training: Tally

    outside_weight = 1.0

    @classmethod
    def of(cls, name: str, kind: Kind, numbers: np.ndarray) -> Self | None:
        """The histogram of (n,) float64, NaN for a missing one; None if all are missing.

        A number that fills a bin has it for itself, and so has each of at most 20 different numbers.
        """
        present = numbers[~np.isnan(numbers)]
        if not len(present):
            return None
        values, counts = np.unique(present, return_counts=True)
        first = np.arange(len(values))  # positions of the lower limits
        if len(values) > _BINS:
            at = np.searchsorted(counts.cumsum(), np.arange(_BINS) / _BINS * len(present), side="right")
            first, repeats = np.unique(at, return_counts=True)
            first = np.union1d(first, np.minimum(first[repeats > 1] + 1, len(values) - 1))
        alone = (int(counts[0] == 1), int(counts[-1] == 1))
        tally = Tally(np.add.reduceat(counts, first), alone, len(numbers) - len(present))
        return cls(name, kind, tuple(values[first].tolist()), float(values[-1]), tally)

    @property
    def nearest(self) -> tuple[int, int]:
        """The bins of the rows below and above the range."""
        return 0, len(self.starts) - 1

    def tally(self, numbers: np.ndarray) -> Tally:
        """Counts of (n,) float64, NaN for a missing one."""
        present = numbers[~np.isnan(numbers)]
        at = np.searchsorted(self.starts[1:], present, side="right")
        outside = int((present < self.starts[0]).sum()), int((present > self.high).sum())
        return Tally(np.bincount(at, minlength=len(self.starts)), outside, len(numbers) - len(present))

    def to_json(self) -> dict[str, Any]:
        """All attributes as JSON types."""
        about = {"name": self.name, "kind": self.kind, "starts": list(self.starts), "high": self.high}
        return {**about, "training": self.training.to_json()}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        training = Tally.from_json(about["training"])
        return cls(about["name"], about["kind"], tuple(about["starts"]), about["high"], training)


@dataclass(frozen=True)
class LevelHistogram:
    """Levels of a category, or the two words of a boolean.

    Attributes:
        levels: Those of the training rows, the most frequent first. The common ones have a bin each; the last bin is
            for all others, and for unseen words. A bin per rare level would alarm by chance: which levels are the most
            frequent among rare ones is chance, too.
        training: The training rows. A level of one row counts as unseen, as it would be without that row: the share of
            such rows is the expected share of unseen levels in new rows (Good, Biometrika 40, 1953).
        n_twice: Number of levels of two rows.
    """

    name: str
    kind: Kind
    levels: tuple[str, ...]
    training: Tally
    n_twice: int = 0

    @classmethod
    def of(cls, name: str, kind: Kind, counts: Mapping[str, int], n_missing: int) -> Self | None:
        """The histogram of words by their numbers of rows; None if there is none."""
        found = {word: counts[word] for word in sorted(counts, key=lambda word: (-counts[word], word)) if counts[word]}
        if not found:
            return None
        ordered = list(found.values())
        least = max(_FEWEST, _COMMON * (sum(ordered) + n_missing))
        n_common = sum(n >= least for n in ordered)
        bins = np.array([*ordered[:n_common], sum(ordered[n_common:])])
        return cls(name, kind, tuple(found), Tally(bins, (ordered.count(1),), n_missing), ordered.count(2))

    @property
    def nearest(self) -> tuple[int]:
        """The bin of the unseen words."""
        return (len(self.training.bins) - 1,)

    @property
    def outside_weight(self) -> float:
        """What a training row says of the share of unseen levels, compared with a new row: from above 0 to 1.

        Which levels the training rows have is chance, too. The error of that share is that of independent rows times
        (n₁ + 2 n₂) / n₁ for n₁ levels of one row and n₂ of two (Esty, Annals of Statistics 11, 1983).
        """
        (once,) = self.training.outside
        return (once + 1) / (once + 1 + 2 * self.n_twice)

    @cached_property
    def _index(self) -> dict[str, int]:
        (last,) = self.nearest
        return {level: min(i, last) for i, level in enumerate(self.levels)}

    def tally(self, counts: Mapping[str, int], n_missing: int) -> Tally:
        """Counts from numbers of rows by word."""
        (last,) = self.nearest
        bins = np.zeros(last + 1, np.int64)
        unseen: dict[str, int] = {}
        for word, n in counts.items():
            bins[self._index.get(word, last)] += n
            if word not in self._index:
                unseen[word] = n
        named = dict(list(unseen.items())[:_NAMED])
        return Tally(bins, (sum(unseen.values()),), n_missing, named)

    def to_json(self) -> dict[str, Any]:
        """All attributes as JSON types."""
        about = {"name": self.name, "kind": self.kind, "levels": list(self.levels), "n_twice": self.n_twice}
        return {**about, "training": self.training.to_json()}

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        training = Tally.from_json(about["training"])
        return cls(about["name"], about["kind"], tuple(about["levels"]), training, about["n_twice"])


Histogram = NumberHistogram | LevelHistogram


def histogram_from_json(about: Mapping[str, Any]) -> Histogram:
    """The inverse of `to_json` of either kind."""
    return LevelHistogram.from_json(about) if "levels" in about else NumberHistogram.from_json(about)
