from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from steps.base.errors import InputError
from steps.search.space.changes import keep_space
from steps.search.space.file import load_space
from steps.search.space.space import Space
from steps.search.store.attributes import SPACE_DIGEST, SPACE_TEXT

BEFORE = """
dropout: {type: float, low: 0.0, high: 0.2}
optimizer: {type: categorical, choices: [adam, sgd]}
momentum: {type: float, low: 0.8, high: 0.9, when: {optimizer: sgd}}
batch_size: {type: int, low: 32, high: 64}
"""


def space(text: str, folder: Path) -> Space:
    (folder / "space.yaml").write_text(text)
    return load_space(folder / "space.yaml")


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    """A study with trials of the space BEFORE."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    before = space(BEFORE, tmp_path)
    assert keep_space(study, before) == []
    for _ in range(4):
        trial = study.ask()
        before.suggest(trial)
        study.tell(trial, 0.0)
    return study


def test_text_and_digest_are_kept(study: optuna.Study, tmp_path: Path) -> None:
    same = space(f"# another comment\n{BEFORE}", tmp_path)
    assert study.user_attrs[SPACE_TEXT] == BEFORE
    assert study.user_attrs[SPACE_DIGEST] == same.digest
    assert keep_space(study, same) == []


def test_what_changed_is_said(study: optuna.Study, tmp_path: Path) -> None:
    changed = BEFORE.replace("high: 0.2", "high: 0.5").replace("batch_size", "label_smoothing: 0.1\n# batch_size")
    assert keep_space(study, space(changed, tmp_path)) == [
        "batch_size removed (was int 32 to 64)",
        "label_smoothing added (fixed at 0.1)",
        "dropout changed from float 0.0 to 0.2 to float 0.0 to 0.5",
    ]
    assert study.user_attrs[SPACE_DIGEST] == space(changed, tmp_path).digest
    trial = study.ask()
    space(changed, tmp_path).suggest(trial)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("choices: [adam, sgd]", "choices: [adam, sgd, adamw]"),
        ("{type: int, low: 32, high: 64}", "{type: categorical, choices: [32, 64]}"),
        ("{type: int, low: 32, high: 64}", "{type: int, low: 32, high: 64, log: true}"),
    ],
)
def test_what_optuna_cannot_mix_is_refused_and_nothing_is_stored(
    old: str, new: str, study: optuna.Study, tmp_path: Path
) -> None:
    before = dict(study.user_attrs)
    with pytest.raises(InputError, match=r"space must keep the kind, scale and choices of (optimizer|batch_size)"):
        keep_space(study, space(BEFORE.replace(old, new), tmp_path))
    assert study.user_attrs == before
