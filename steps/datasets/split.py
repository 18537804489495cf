"""Stratified, seeded splits, and their union."""

from __future__ import annotations

import numpy as np

from steps.base.errors import InputError
from steps.datasets.dataset import TRAINING, Dataset, Split


def stratified(
    samples: Split, fraction: float, seed: int, parameter: str = "validation_fraction"
) -> tuple[Split, Split]:
    """Split into (rest, held out), stratified by class, both in the original order.

    Args:
        samples: Samples to split.
        fraction: Held-out share, in (0, 1).
        seed: Equal seeds give equal splits.
        parameter: Name of the parameter that holds the fraction, for the error.

    Raises:
        InputError: A part would be too small to hold every class.
    """
    from sklearn.model_selection import train_test_split  # late, as below: only download splits

    try:
        kept, held_out = train_test_split(
            np.arange(len(samples)), test_size=fraction, random_state=seed, stratify=samples.targets
        )
    except ValueError as error:
        raise InputError(
            f"{parameter} must leave every class on both sides, got {fraction:g} of {len(samples)} samples"
        ) from error
    kept.sort()
    held_out.sort()
    return samples.rows(kept), samples.rows(held_out)


def k_folds(samples: Split, n: int, seed: int) -> dict[str, Split]:
    """`fold_<i>_train` and `fold_<i>_validation` for i from 1 to n, stratified by class.

    Raises:
        InputError: A class has fewer samples than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold

    if (least := int(np.bincount(samples.targets).min())) < n:
        raise InputError(f"folds must be at most the samples of the rarest class ({least}), got {n}")
    folds = StratifiedKFold(n, shuffle=True, random_state=seed).split(samples.features, samples.targets)
    return {
        f"fold_{i}_{name}": samples.rows(rows)
        for i, parts in enumerate(folds, 1)
        for name, rows in zip(TRAINING, parts, strict=True)
    }


def training_rows(dataset: Dataset) -> Split:
    """All loaded rows that a model may learn from: those of the final training."""
    return joined(*(dataset.splits[name] for name in TRAINING if name in dataset.splits))


def joined(*splits: Split) -> Split:
    """The rows of several splits, concatenated."""
    names = splits[0].arrays
    return Split(**{name: np.concatenate([split.arrays[name] for split in splits]) for name in names})
