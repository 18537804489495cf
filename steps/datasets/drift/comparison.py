"""Whether rows are distributed as the training rows: a distance, and tests that account for the noise of both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from steps.datasets.drift.histograms import Histogram, NumberHistogram, Tally
from steps.datasets.drift.profile import Profile
from steps.datasets.tabular.schema import Kind

ALPHA = 0.01  # probability that equally distributed rows raise an alarm, over all columns
LEAST_PSI = 0.1  # of a difference that matters
_LEAST_SHARE = 1e-3  # of a part, for the logarithm: 3 % of the rows of a kind that training has not are a difference
_EXPECTED = 5  # rows in each part of a chi-squared test (Cochran, 1952)
_TESTS = 3  # per column
_NAMED = 3  # unseen words

What = Literal["missing", "below", "above", "unseen", "between", "levels"]


@dataclass(frozen=True)
class Part:
    """Part of the rows: those without a value, outside of the training rows, or in some bins.

    Attributes:
        share, share_in_training: Shares of all rows.
        ends: Limits of the bins of numbers, or of the range of the training rows if the part is outside of it.
        levels: Levels of the bins, or the most frequent unseen words; empty for the bin of the rare levels.
    """

    what: What
    share: float
    share_in_training: float
    ends: tuple[float, float] = (0.0, 0.0)
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnDrift:
    """Difference of a column from the training rows.

    Attributes:
        psi: Population stability index.
        p_value: Probability of such a difference of equally distributed rows in any of the columns (Bonferroni).
        missing, missing_in_training: Shares of the rows without a value.
        outside: Share of the rows outside of the range of the training rows, or with an unseen level.
        parts: The rows outside, those without a value, and those in groups of neighbouring bins.
    """

    name: str
    kind: Kind
    psi: float
    p_value: float
    missing: float
    missing_in_training: float
    outside: float
    parts: tuple[Part, ...]

    @property
    def largest(self) -> Part:
        """The part whose share differs most."""
        return max(self.parts, key=lambda part: abs(part.share - part.share_in_training))

    @property
    def differs(self) -> bool:
        """Whether the difference is large enough to matter, and not chance."""
        return self.psi >= LEAST_PSI and self.p_value < ALPHA


def compare(profile: Profile, tallies: Sequence[Tally]) -> tuple[ColumnDrift, ...]:
    """The difference of each column of at least one row, the largest first; the ones that differ precede the others.

    The index is Σ (p − q) ln(p / q) over parts of the rows, with their shares p here and q in training: at 0.1 a
    difference begins to matter, above 0.25 it is large (Siddiqi, Credit Risk Scorecards, 2006). Its noise is of the
    order of the number of parts times (1 / n + 1 / m) for n and m rows (Yurdakul & Naranjo, Journal of Risk Model
    Validation 14, 2020), so that it is taken for a difference only if a test rejects equal distributions.
    """
    n_tests = _TESTS * len(tallies)
    found = [_drift(h, tally, n_tests) for h, tally in zip(profile.histograms, tallies, strict=True)]
    return tuple(sorted(found, key=lambda drift: (not drift.differs, -drift.psi)))


def _drift(histogram: Histogram, here: Tally, n_tests: int) -> ColumnDrift:
    there, weight = histogram.training, histogram.outside_weight
    groups = _groups(here.bins, there.bins)
    appeared = _tail(here.missing, there.missing, here.n, there.n)
    vanished = _tail(there.missing, here.missing, there.n, here.n)
    p_values = (
        _homogeneity(np.add.reduceat(here.bins, groups), np.add.reduceat(there.bins, groups)),
        2 * min(appeared, vanished),
        _tail(sum(here.outside), weight * sum(there.outside), here.n, weight * there.n),
    )
    parts, added = zip(*_parts(histogram, here, groups), strict=True)
    return ColumnDrift(
        histogram.name,
        histogram.kind,
        psi=sum(added),
        p_value=min(1.0, n_tests * min(p_values)),
        missing=here.missing / here.n,
        missing_in_training=there.missing / there.n,
        outside=sum(here.outside) / here.n,
        parts=parts,
    )


def _groups(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """First bins of groups of neighbouring bins, each with enough expected rows on both sides; at least one group."""
    fewer, both = min(here.sum(), there.sum()), here + there
    expected = both * (fewer / max(1, both.sum()))
    starts, gathered = [0], 0.0
    for i, rows in enumerate(expected.tolist()):
        if gathered >= _EXPECTED and expected[i:].sum() >= _EXPECTED:
            starts.append(i)
            gathered = 0.0
        gathered += rows
    return np.array(starts)


def _homogeneity(here: np.ndarray, there: np.ndarray) -> float:
    """p-value of Pearson's chi-squared test of two rows of counts (k,)."""
    from scipy.special import chdtrc  # late: only predict compares, and SciPy takes time to import

    both, n, m = here + there, here.sum(), there.sum()
    if len(both) < 2 or not n or not m:
        return 1.0
    share = n / (n + m)
    expected = both * share
    statistic = ((here - expected) ** 2 / (expected * (1 - share))).sum()
    return float(chdtrc(len(both) - 1, statistic))


def _tail(k: int, k_other: float, n: int, n_other: float) -> float:
    """Probability of at least `k` of all rows of a rare kind on this side, if its share is the same on both sides.

    Given their sum, Poisson numbers are binomial (Przyborowski & Wilenski, Biometrika 31, 1940): exact for a rare kind,
    cautious for a frequent one.
    """
    from scipy.special import betainc

    return float(betainc(k, k_other + 1, n / (n + n_other))) if k else 1.0  # the binomial tail, also of a broken number


def _parts(histogram: Histogram, here: Tally, groups: np.ndarray) -> Iterator[tuple[Part, float]]:
    """Parts of the rows, and what each adds to the index.

    Rows outside are a part as far as they are more than expected of new rows; the others stay in the nearest bin.
    """
    there = histogram.training
    shares = np.add.reduceat(here.bins, groups) / here.n
    shares_there = np.add.reduceat(there.bins, groups) / there.n
    whats: tuple[What, ...] = ("below", "above") if isinstance(histogram, NumberHistogram) else ("unseen",)
    for what, n, expected, bin_ in zip(whats, here.outside, there.outside, histogram.nearest, strict=True):
        excess = max(0.0, n / here.n - expected / there.n)
        shares[np.searchsorted(groups, bin_, side="right") - 1] -= excess
        yield _outside(histogram, what, n / here.n, here), _added(excess, 0.0)
    missing, missing_there = here.missing / here.n, there.missing / there.n
    yield Part("missing", missing, missing_there), _added(missing, missing_there)
    for i, (share, share_there) in enumerate(zip(shares.tolist(), shares_there.tolist(), strict=True)):
        last = (int(groups[i + 1]) if i + 1 < len(groups) else len(there.bins)) - 1
        yield _inside(histogram, int(groups[i]), last, share, share_there), _added(share, share_there)


def _added(share: float, share_there: float) -> float:
    p, q = max(share, _LEAST_SHARE), max(share_there, _LEAST_SHARE)
    return (p - q) * math.log(p / q)


def _outside(histogram: Histogram, what: What, share: float, here: Tally) -> Part:
    if isinstance(histogram, NumberHistogram):
        return Part(what, share, 0.0, ends=(histogram.starts[0], histogram.high))
    common = sorted(here.unseen, key=lambda word: -here.unseen[word])
    return Part(what, share, 0.0, levels=tuple(common[:_NAMED]))


def _inside(histogram: Histogram, first: int, last: int, share: float, share_there: float) -> Part:
    if isinstance(histogram, NumberHistogram):
        end = histogram.starts[last + 1] if last + 1 < len(histogram.starts) else histogram.high
        return Part("between", share, share_there, ends=(histogram.starts[first], end))
    (rest,) = histogram.nearest
    return Part("levels", share, share_there, levels=histogram.levels[first : min(last + 1, rest)])
