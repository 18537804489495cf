from __future__ import annotations

import numpy as np

from steps.tasks.classification.confusions import largest_confusions, matrix_of

NAMES = [f"class {i}" for i in range(50)]


def planted() -> np.ndarray:
    """Counts of 50 classes of 100 rows each; class 7 is taken for 31 in 40 of them, class 3 for 4 in 20."""
    counts = np.diag(np.full(50, 100))
    for true, predicted, n in ((7, 31, 40), (3, 4, 20), (10, 11, 1)):
        counts[true, true] -= n
        counts[true, predicted] += n
    return counts


def test_the_largest_confusions_come_first() -> None:
    found = largest_confusions(planted(), NAMES)
    assert [(pair.true, pair.predicted, pair.count, pair.share) for pair in found] == [
        ("class 7", "class 31", 40, 0.4),
        ("class 3", "class 4", 20, 0.2),
        ("class 10", "class 11", 1, 0.01),
    ]
    assert largest_confusions(np.diag([5, 5, 0]), NAMES[:3]) == []
    assert len(largest_confusions(np.ones((20, 20), int), NAMES[:20])) == 10


def test_a_matrix_of_few_classes_is_whole() -> None:
    counts = planted()[:15, :15]
    found = matrix_of(counts, NAMES[:15])
    assert (found.n_joined, found.names) == (0, tuple(NAMES[:15]))
    assert found.counts is counts


def test_a_matrix_of_many_classes_keeps_those_with_the_most_errors_and_every_row() -> None:
    counts = planted()
    found = matrix_of(counts, NAMES)
    assert found.names == (*(f"class {i}" for i in (3, 4, 7, 10, 11, 31)), "44 others")
    assert found.counts.shape == (7, 7)
    assert (found.n_joined, found.n_confused) == (44, 0)
    assert found.counts.sum() == counts.sum()
    assert found.counts[found.names.index("class 7"), found.names.index("class 31")] == 40
    np.testing.assert_allclose(found.shares.sum(1), 1)


def test_a_matrix_without_an_error_is_one_cell() -> None:
    found = matrix_of(np.diag(np.full(50, 100)), NAMES)
    assert (found.names, found.counts.tolist(), found.n_confused) == (("50 others",), [[5000]], 0)


def test_long_names_are_turned() -> None:
    assert not matrix_of(np.eye(10, dtype=int), [str(i) for i in range(10)]).is_tall
    assert matrix_of(np.eye(10, dtype=int), [*NAMES[:9], "a very long name"]).is_tall


def test_confusions_among_the_joined_classes_are_counted() -> None:
    rng = np.random.default_rng(0)
    counts = np.diag(np.full(50, 100)) + rng.integers(0, 3, (50, 50))
    found = matrix_of(counts, NAMES)
    assert found.names[-1] == "39 others"
    kept = [int(name.removeprefix("class ")) for name in found.names[:-1]]
    rest = np.delete(np.delete(counts, kept, 0), kept, 1)
    assert found.counts[-1, -1] == rest.sum()
    assert found.n_confused == rest.sum() - rest.trace()
    assert found.counts.sum() == counts.sum()
