"""Two classifiers on the same samples: which is better, and could that be chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest


@dataclass(frozen=True)
class Comparison:
    """The 2 x 2 table of a challenger and a champion that predicted the same samples: four counts."""

    both_right: int
    only_challenger_right: int
    only_champion_right: int
    both_wrong: int

    @classmethod
    def of(cls, challenger: np.ndarray, champion: np.ndarray, labels: np.ndarray) -> Comparison:
        """Count from (n,) predicted classes of both and (n,) labels."""
        ours, theirs = challenger == labels, champion == labels
        return cls(*(int(n) for n in ((ours & theirs).sum(), (ours & ~theirs).sum(), (~ours & theirs).sum(),
                                      (~ours & ~theirs).sum())))  # fmt: skip

    @property
    def n(self) -> int:
        return self.both_right + self.only_challenger_right + self.only_champion_right + self.both_wrong

    @property
    def challenger_accuracy(self) -> float:
        return (self.both_right + self.only_challenger_right) / self.n

    @property
    def champion_accuracy(self) -> float:
        return (self.both_right + self.only_champion_right) / self.n

    @property
    def p_value(self) -> float:
        """Exact, two-sided McNemar test (McNemar, 1947): under "equally good", each sample that only one
        of the two gets right is a toss of a fair coin. 1 where there is no such sample."""
        discordant = self.only_challenger_right + self.only_champion_right
        return float(binomtest(self.only_challenger_right, discordant).pvalue) if discordant else 1.0

    def challenger_is_better(self, alpha: float) -> bool:
        """Whether the challenger has more right, and chance would give such a difference less often than `alpha`.

        Equally good models pass at most half as often as `alpha`, because the test is two-sided.
        """
        return self.only_challenger_right > self.only_champion_right and self.p_value < alpha
