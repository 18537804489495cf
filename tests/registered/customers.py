"""A table as people have it: numbers with holes, booleans, categories of few and of many levels, dates, names."""

from __future__ import annotations

import numpy as np
import pandas as pd

FEATURES = ("age", "visits", "member", "plan", "town", "since")


def customers(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Rows with the columns `id`, `FEATURES` and `churn`, which age tells one way or the other, as the plan says."""
    rng = np.random.default_rng(seed)
    age, plan, town = (
        rng.uniform(18, 82, n).round(1),
        rng.choice(["basic", "basic", "plus", "pro"], n),
        rng.integers(0, 20, n),
    )
    score = np.where(plan == "basic", 1, -1) * (age - 50) / 15
    frame = pd.DataFrame(
        {
            "id": [f"customer-{seed}-{i}" for i in range(n)],
            "age": age,
            "visits": rng.poisson(40, n),
            "member": rng.choice(["yes", "no"], n),
            "plan": plan,
            "town": [f"Town {i}" for i in town],
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 2000, n), "D"),
            "churn": np.where(score + rng.normal(0, 0.3, n) > 0, "yes", "no"),
        }
    )
    frame.loc[rng.random(n) < 0.1, "age"] = np.nan
    frame.loc[rng.random(n) < 0.1, "plan"] = None
    return frame
