"""A paired sign-flip test: two regressions on the same rows, which is better, and could that be chance?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steps.tasks.metric import significant
from steps.tasks.regression.metrics import squared_errors

_FLIPS, _FEWEST_FLIPS = 9_999, 999
_COST = 200_000_000  # signs that are drawn at most, if the fewest flips do not take more
_CHUNK = 4_000_000  # signs in memory at once


@dataclass(frozen=True)
class SignFlip:
    """A challenger and a champion that predicted the same rows, compared by the difference of their squared errors.

    Attributes:
        challenger, champion: RMSE of each.
        p_value: Two-sided, at least 1 / (number of flips + 1).
        closer_challenger, closer_champion: Rows on which each is closer to the target.
    """

    challenger: float
    champion: float
    p_value: float
    closer_challenger: int
    closer_champion: int

    test = "paired sign-flip test of the squared errors"
    metric = "rmse"

    @classmethod
    def of(cls, targets: np.ndarray, challenger: np.ndarray, champion: np.ndarray) -> SignFlip:
        """Compare the (n, 1) outputs of both for (n,) targets."""
        ours, theirs = squared_errors(targets, challenger), squared_errors(targets, champion)
        closer_ours, closer_theirs = int((ours < theirs).sum()), int((theirs < ours).sum())
        p_value = sign_flip_p_value(theirs - ours)
        return cls(math.sqrt(ours.mean()), math.sqrt(theirs.mean()), p_value, closer_ours, closer_theirs)

    @property
    def challenger_leads(self) -> bool:
        return self.challenger < self.champion

    def challenger_is_better(self, alpha: float) -> bool:
        """Return whether the challenger has the smaller RMSE, and chance gives such a lead less often than `alpha`.

        Equally good models pass at most half as often as `alpha`, because the test is two-sided.
        """
        return self.challenger_leads and self.p_value < alpha

    def summary(self) -> str:
        return (
            f"rows on which this version is closer: {self.closer_challenger}, on which the champion is closer: "
            f"{self.closer_champion}; difference of the RMSE: {significant(self.challenger - self.champion)}"
        )

    def as_tags(self) -> dict[str, str]:
        return {"sign_flip_p_value": str(self.p_value)}

    def as_metrics(self) -> dict[str, float]:
        return {
            "sign_flip_p_value": self.p_value,
            "closer_challenger": self.closer_challenger,
            "closer_champion": self.closer_champion,
        }


def sign_flip_p_value(differences: np.ndarray) -> float:
    """Two-sided p-value of the hypothesis that (n,) paired differences are symmetric about 0.

    Fisher's randomization test for pairs (The Design of Experiments, 1935; Pitman, 1937): which of the two models made
    which error of a row is a toss of a fair coin. It is exact for models that are equally good in that sense,
    whatever the tails of their errors, and McNemar's test if the errors are 0 or 1. For differences of mean 0 that
    are not symmetric it holds for many rows (Janssen, Statistics & Probability Letters 36, 1997). The flips are drawn
    at random, seeded, 9,999 up to 20,000 rows, fewer for more rows, at least 999, and the observed signs count as one
    of them, so that the p-value stays valid (Phipson & Smyth, 2010).
    """
    kept = differences[differences != 0]
    if not len(kept):
        return 1.0
    scaled = kept / np.abs(kept).max()
    n_flips = min(_FLIPS, max(_FEWEST_FLIPS, _COST // len(kept)))
    observed = abs(scaled.sum()) * (1 - 1e-9)  # flips that give the same sum but for rounding are as extreme
    rng, n_extreme, done = np.random.default_rng(0), 0, 0
    n_bytes = -(-len(kept) // 8)
    while done < n_flips:
        b = min(n_flips - done, max(1, _CHUNK // len(kept)))
        bits = np.unpackbits(rng.integers(0, 256, (b, n_bytes), dtype=np.uint8), axis=1)[:, : len(kept)]
        # The sum over signs of -1 and 1 is twice that over bits of 0 and 1, minus the sum of all.
        sums = 2 * (bits.astype(np.float64) @ scaled) - scaled.sum()
        n_extreme += int((np.abs(sums) >= observed).sum())
        done += b
    return (1 + n_extreme) / (1 + n_flips)
