"""A study continued with other settings of its trials."""

from __future__ import annotations

from collections import Counter

import optuna

from steps.search.plan import Plan
from steps.search.store.attributes import TrialAttributes


def changed_settings(plan: Plan, study: optuna.Study) -> list[str]:
    """One line for each setting that earlier trials of the study have another value of; each trial keeps its own."""
    earlier = [known for trial in study.get_trials(deepcopy=False) if (known := TrialAttributes.read(trial).settings)]
    lines = []
    for option, name in {"max_epochs": "epochs", "seed": "seed", "precision": "precision"}.items():
        now = getattr(plan, option)
        counts = Counter(before for known in earlier if (before := getattr(known, name)) != now)
        if counts:
            said = ", ".join(f"{before} for {n} of the earlier trials" for before, n in counts.items())
            lines.append(f"Settings: {option} was {said}, which keep it, and is {now} for new ones")
    return lines
