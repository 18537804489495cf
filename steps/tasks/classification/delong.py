"""DeLong's test: two classifiers of two classes on the same rows, which ranks better, and could that be chance?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steps.tasks.classification.ranking import placements


@dataclass(frozen=True)
class DeLong:
    """A challenger and a champion that scored the same rows of two classes.

    Attributes:
        challenger, champion: Area under the ROC curve of each.
        deviation: Standard error of the difference; 0 if a class has fewer than two rows.
        freedom: Degrees of freedom of that error.
    """

    challenger: float
    champion: float
    deviation: float
    freedom: float

    test = "DeLong's test"
    metric = "roc_auc"

    @classmethod
    def of(cls, is_positive: np.ndarray, challenger: np.ndarray, champion: np.ndarray) -> DeLong:
        """Compare (n,) scores of both for (n,) booleans, at least one row of each class.

        The variance is that of DeLong, DeLong & Clarke-Pearson (Biometrics 44, 1988), from placements found by
        sorting, as Sun & Xu (IEEE Signal Processing Letters 21, 2014) do. It is the sum of the variances of two means,
        one over each class, so that its degrees of freedom are Welch's (1947): with five rows of a class, the normal
        distribution would promote twice as often as it should.
        """
        areas, of_positive, of_negative = [], [], []
        for scores in (challenger, champion):
            positive, negative = scores[is_positive], scores[~is_positive]
            of_positive.append(placements(positive, negative))
            of_negative.append(1 - placements(negative, positive))
            areas.append(float(of_positive[-1].mean()))
        if not is_positive.sum() > 1 < (~is_positive).sum():
            return cls(areas[0], areas[1], 0.0, 1.0)
        parts = [float((a - b).var(ddof=1)) / len(a) for a, b in (of_positive, of_negative)]
        spread = sum(part**2 / (len(a) - 1) for part, (a, _) in zip(parts, (of_positive, of_negative), strict=True))
        freedom = sum(parts) ** 2 / spread if spread else 1.0
        return cls(areas[0], areas[1], math.sqrt(sum(parts)), freedom)

    @property
    def p_value(self) -> float:
        """Two-sided; 1 if the two rank all rows alike, or too few rows tell nothing about the error."""
        from scipy.stats import t

        if not self.deviation:
            return 1.0
        return float(2 * t.sf(abs(self.challenger - self.champion) / self.deviation, self.freedom))

    @property
    def challenger_leads(self) -> bool:
        return self.challenger > self.champion

    def challenger_is_better(self, alpha: float) -> bool:
        """Return whether the challenger has the larger area, and chance would give such a lead less often than `alpha`.

        Equally good models pass about half as often as `alpha`, because the test is two-sided.
        """
        return self.challenger_leads and self.p_value < alpha

    def summary(self) -> str:
        return f"difference of the areas: {self.challenger - self.champion:.4f}, standard error: {self.deviation:.4f}"

    def as_tags(self) -> dict[str, str]:
        return {"delong_p_value": str(self.p_value)}

    def as_metrics(self) -> dict[str, float]:
        return {"delong_p_value": self.p_value}
