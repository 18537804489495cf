"""McNemar's test: two classifiers on the same rows, which is better, and could that be chance?"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class McNemar:
    """The 2 x 2 table of a challenger and a champion that predicted the same rows: four counts."""

    both_right: int
    only_challenger_right: int
    only_champion_right: int
    both_wrong: int

    test = "exact McNemar test"
    metric = "accuracy"

    @classmethod
    def of(cls, targets: np.ndarray, challenger: np.ndarray, champion: np.ndarray) -> McNemar:
        """Count from (n,) targets and the (n,) predicted classes of both."""
        ours, theirs = challenger == targets, champion == targets
        return cls(*(int(n) for n in ((ours & theirs).sum(), (ours & ~theirs).sum(), (~ours & theirs).sum(),
                                      (~ours & ~theirs).sum())))  # fmt: skip

    @property
    def n(self) -> int:
        return self.both_right + self.only_challenger_right + self.only_champion_right + self.both_wrong

    @property
    def challenger(self) -> float:
        """Accuracy of the challenger."""
        return (self.both_right + self.only_challenger_right) / self.n

    @property
    def champion(self) -> float:
        """Accuracy of the champion."""
        return (self.both_right + self.only_champion_right) / self.n

    @property
    def p_value(self) -> float:
        """Exact, two-sided McNemar test (McNemar, 1947): under "equally good", each row that only one
        of the two gets right is a toss of a fair coin. 1 if there is no such row."""
        from scipy.stats import binomtest

        discordant = self.only_challenger_right + self.only_champion_right
        return float(binomtest(self.only_challenger_right, discordant).pvalue) if discordant else 1.0

    @property
    def challenger_leads(self) -> bool:
        return self.only_challenger_right > self.only_champion_right

    def challenger_is_better(self, alpha: float) -> bool:
        """Return whether the challenger has more right, and chance gives such a lead less often than `alpha`.

        Equally good models pass at most half as often as `alpha`, because the test is two-sided.
        """
        return self.challenger_leads and self.p_value < alpha

    def summary(self) -> str:
        return (
            f"samples right in both: {self.both_right}, in this version only: {self.only_challenger_right}, "
            f"in the champion only: {self.only_champion_right}, in neither: {self.both_wrong}"
        )

    def as_tags(self) -> dict[str, str]:
        rows = [[self.both_right, self.only_challenger_right], [self.only_champion_right, self.both_wrong]]
        return {"mcnemar_table": json.dumps(rows), "mcnemar_p_value": str(self.p_value)}

    def as_metrics(self) -> dict[str, float]:
        return {
            "mcnemar_p_value": self.p_value,
            "mcnemar_both_right": self.both_right,
            "mcnemar_only_challenger_right": self.only_challenger_right,
            "mcnemar_only_champion_right": self.only_champion_right,
            "mcnemar_both_wrong": self.both_wrong,
        }
