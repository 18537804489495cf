from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf

from steps.datasets import Dataset, Split
from steps.datasets.interface import Interface
from steps.mlp.config import Augmentation, MLPConfig, Optimizer, Precision, TargetScale
from steps.mlp.graphs import Graphs
from steps.mlp.heads import make_head
from steps.mlp.model import INPUT_SCALE, build_model, set_bins
from steps.mlp.network import Network, layers_of
from steps.mlp.trainer import Epoch, Samples, Trainer
from tests.mlp.tables import CATEGORIES, NUMBERS, PRICES, rows


def trainer(
    digits: Dataset,
    config: MLPConfig,
    *,
    epochs: int = 2,
    seed: int = 0,
    precision: Precision = "float32",
    threads: int = 1,
    graphs: Graphs | None = None,
) -> Trainer:
    train, validation = (Samples.of(digits.splits[name]) for name in ("train", "validation"))
    return Trainer(
        config, train, validation, interface=Interface.of(digits),
        epochs=epochs, seed=seed, precision=precision, threads=threads, graphs=graphs,
    )  # fmt: skip


def result(digits: Dataset, config: MLPConfig, **kwargs: int) -> tuple[list[float], list[np.ndarray]]:
    """Training losses of two epochs; outputs for the validation rows and weights after them."""
    trained = trainer(digits, config, **kwargs)
    epochs = [trained.run_epoch() for _ in range(2)]
    return [epoch.train_loss for epoch in epochs], [*map(outputs, epochs), *trained.model.get_weights()]


def outputs(epoch: Epoch) -> np.ndarray:
    assert epoch.outputs is not None
    return epoch.outputs


CONFIGS = [
    *(MLPConfig(units=(32, 16), optimizer=o, batch_size=64, label_smoothing=0.05) for o in get_args(Optimizer)),
    *(MLPConfig(units=(32,), augmentation=a, batch_size=64, input_dropout=0.1) for a in get_args(Augmentation)),
    MLPConfig(units=(32,), batch_norm=False, activation="gelu", schedule="constant"),
    MLPConfig(units=(32,), n_members=4, input_scale=6.0, schedule="coslog4", beta_2=0.95),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.optimizer}-{c.augmentation}-{c.activation}")
def test_a_trial_is_bit_identical_alone_and_beside_another(digits: Dataset, config: MLPConfig) -> None:
    alone = result(digits, config)
    beside: list[tuple[list[float], list[np.ndarray]]] = []
    other = MLPConfig(units=(48, 24), optimizer="sgd", batch_size=32)
    threads = [
        threading.Thread(target=lambda: beside.append(result(digits, config))),
        threading.Thread(target=lambda: result(digits, other, seed=7)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert beside[0][0] == alone[0]
    for ours, theirs in zip(alone[1], beside[0][1], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_seed_reaches_everything(digits: Dataset) -> None:
    config = MLPConfig(units=(32,))
    assert result(digits, config, seed=0)[0] != result(digits, config, seed=1)[0]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("optimizer", get_args(Optimizer))
def test_it_learns(digits: Dataset, optimizer: Optimizer, precision: Precision) -> None:
    rate = 0.1 if optimizer == "sgd" else 3e-3
    config = MLPConfig(units=(64,), optimizer=optimizer, learning_rate=rate, weight_decay=1e-3, batch_size=32)
    trained = trainer(digits, config, epochs=8, precision=precision)
    epochs = [trained.run_epoch() for _ in range(8)]
    assert (outputs(epochs[-1]).argmax(1) == digits.splits["validation"].targets).mean() > 0.9
    assert epochs[-1].train_loss < epochs[0].train_loss


def test_the_outputs_are_those_of_the_keras_model_for_every_row(digits: Dataset) -> None:
    trained = trainer(digits, MLPConfig(units=(32, 16)))
    epoch = trained.run_epoch()
    theirs = trained.model.predict(np.asarray(digits.splits["validation"].features), verbose=0)
    np.testing.assert_allclose(outputs(epoch), theirs, rtol=1e-4, atol=1e-6)


def test_a_partial_evaluation_batch_counts(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    config = MLPConfig(units=(16,))
    whole = trainer(digits, config).run_epoch()
    monkeypatch.setattr("steps.mlp.graphs.EVALUATION_BATCH", 77)  # 240 validation samples: 77 + 77 + 77 + 9
    parts = trainer(digits, config).run_epoch()
    np.testing.assert_allclose(outputs(parts), outputs(whole), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh"])
@pytest.mark.parametrize(
    ("interface", "members"), [(NUMBERS, 1), (CATEGORIES, 1), (CATEGORIES, 3)], ids=["numbers", "categories", "members"]
)
def test_the_graph_is_the_keras_model(interface: Interface, batch_norm: bool, activation: str, members: int) -> None:
    config = MLPConfig(
        (24, 12),
        activation,  # type: ignore[arg-type]
        batch_norm=batch_norm,
        n_bins=8,
        n_members=members,
        input_scale=members - 1.0,
    )
    model = build_model(config, interface, seed=3)
    if config.input_scale:
        model.get_layer(INPUT_SCALE).set_weights([np.linspace(0.5, 2, model.get_layer(INPUT_SCALE).input.shape[1])])
    x = rows(interface, 50)
    if interface.numbers:
        set_bins(model, Samples.of(Split(x, np.zeros(50, np.int32))).edges(interface.numbers, config.n_bins))
    logits = Network(config, layers_of(model), interface, "float32").logits(tf.constant(x))
    outputs = make_head(interface.target, config).outputs(logits)
    np.testing.assert_allclose(outputs, model(x), rtol=1e-4, atol=1e-6)


def test_the_variables_are_in_the_order_of_the_model() -> None:
    config = MLPConfig((24, 12), n_bins=8, n_members=3, input_scale=6.0)
    model = build_model(config, CATEGORIES, seed=0)
    ours = Network(config, layers_of(model), CATEGORIES, "float32").trainable
    assert [id(v) for v in ours] == [id(v.value) for v in model.trainable_variables]


def test_a_bin_holds_the_share_of_it_that_lies_below_the_number() -> None:
    """As in equation 1 of Gorishniy et al. (2022), within [0, 1]; a bin without width is 0."""
    interface = replace(NUMBERS, n_features=2, numbers=(1,))
    values = np.repeat(np.arange(5), 4).astype(np.float32)  # four of five values are edges, the rest of no width
    samples = Samples.of(Split(np.column_stack([0 * values, values]), np.zeros(20, np.int32)))
    model = build_model(MLPConfig(units=(4,), n_bins=16), interface, seed=0)
    set_bins(model, samples.edges(interface.numbers, 16))
    bins = keras.Model(model.input, model.get_layer("flat_bins").output)(np.array([[7, 2.25]], np.float32))
    filled = np.array(bins)[0]
    assert filled.sum() == pytest.approx(2.25)
    assert np.sort(filled)[-4:].tolist() == [0.0, 0.25, 1.0, 1.0]


def test_trainings_of_equal_structure_share_a_graph_and_nothing_else(digits: Dataset) -> None:
    graphs = Graphs()
    configs = [
        MLPConfig(units=(32,), learning_rate=rate, dropout=dropout, weight_decay=decay, label_smoothing=smoothing)
        for rate, dropout, decay, smoothing in ((1e-3, 0.1, 0.01, 0.1), (1e-2, 0.3, 0.1, 0.02), (1e-3, 0.0, 0.1, 0.02))
    ]
    shared = [trainer(digits, config, graphs=graphs, seed=i) for i, config in enumerate(configs)]
    assert [one.graph is shared[0].graph for one in shared] == [True, True, False]
    found = [[one.run_epoch() for one in shared] for _ in range(2)]  # in turn
    for i, config in enumerate(configs):
        alone = trainer(digits, config, seed=i)
        for epochs in found:
            np.testing.assert_array_equal(outputs(epochs[i]), outputs(alone.run_epoch()))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("interface", [NUMBERS, CATEGORIES], ids=["numbers", "members"])
def test_threads_that_share_a_batch_make_the_same_updates(interface: Interface, optimizer: Optimizer) -> None:
    x, y = rows(interface, 800), (np.arange(800) % 3).astype(np.int32)
    samples = Samples.of(Split(x, y, np.linspace(0.5, 1.5, 800, dtype=np.float32)))
    members = 4 if interface is CATEGORIES else 1
    config = MLPConfig(units=(16, 8), dropout=0.0, batch_norm=False, batch_size=200, optimizer=optimizer,
                       class_weight="balanced", n_members=members, input_scale=6.0)  # fmt: skip
    one, three = (
        Trainer(config, samples, samples, interface=interface, epochs=3, seed=0, threads=threads) for threads in (1, 3)
    )
    for _ in range(3):
        ours, theirs = one.run_epoch(), three.run_epoch()
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-4)
        np.testing.assert_allclose(outputs(ours), outputs(theirs), atol=1e-4)


def test_threads_that_share_a_batch_give_the_same_bits_again(digits: Dataset) -> None:
    config = MLPConfig(units=(32, 16), dropout=0.3, input_dropout=0.1, augmentation="elastic", batch_size=200)

    def last(threads: int) -> np.ndarray:
        trained = trainer(digits, config, threads=threads)
        return [outputs(trained.run_epoch()) for _ in range(2)][-1]

    first = last(3)
    np.testing.assert_array_equal(first, last(3))
    assert not np.array_equal(first, last(1))  # batch normalization, masks and distortions are those of each part


def test_averages_of_batch_norm_move_as_far_with_several_parts(digits: Dataset) -> None:
    config = MLPConfig(units=(16,), dropout=0.0, batch_size=256, learning_rate=1e-9)
    averages = []
    for threads in (1, 4):
        trained = trainer(digits, config, threads=threads)
        trained.run_epoch()
        averages.append(trained.model.get_layer("batch_norm_0").get_weights()[2])
    assert not np.array_equal(*averages)
    np.testing.assert_allclose(*averages, atol=0.01 * np.abs(averages[0]).max())


def test_augmentation_needs_images(digits: Dataset) -> None:
    samples = Samples.of(digits.splits["train"])
    with pytest.raises(ValueError, match="augmentation must be none"):
        Trainer(
            MLPConfig(augmentation="affine"), samples, interface=replace(Interface.of(digits), image_shape=None),
            epochs=1, seed=0,
        )  # fmt: skip


@pytest.mark.parametrize("scale", get_args(TargetScale))
def test_a_number_is_learnt_in_its_own_units(scale: TargetScale) -> None:
    x = rows(PRICES, 400)
    codes = x[:, -1]
    y = np.clip(400 + 100 * x[:, 0] + 40 * codes, 100, 900).astype(np.float32)
    split = Split(x, y)
    config = MLPConfig(units=(64,), dropout=0.0, batch_size=32, learning_rate=1e-2, target_scale=scale)
    trained = Trainer(config, Samples.of(split), Samples.of(split), interface=PRICES, epochs=30, seed=0)
    found = [trained.run_epoch() for _ in range(30)][-1]
    assert outputs(found).shape == (400, 1)
    assert np.corrcoef(outputs(found)[:, 0], y)[0, 1] > 0.95
    np.testing.assert_allclose(trained.model.predict(x, verbose=0), outputs(found), rtol=1e-4)  # the Keras model's
    far = trained.model.predict(np.hstack([100 * x[:, :-2], x[:, -2:]]), verbose=0)
    assert far.min() >= 100 - 1e-3
    assert far.max() <= 900 + 1e-3


def test_the_model_of_a_table_loads_with_keras_alone_in_safe_mode(tmp_path: Path) -> None:
    for interface, scale in ((CATEGORIES, "linear"), (PRICES, "linear"), (PRICES, "log")):
        config = MLPConfig(units=(8,), target_scale=scale, n_bins=8, n_members=3)  # type: ignore[arg-type]
        model = build_model(config, interface, seed=0)
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras", compile=False)
        x = rows(interface, 20)
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_what_is_unseen_has_no_say_until_it_is_learnt() -> None:
    model = build_model(MLPConfig(units=(8,)), CATEGORIES, seed=0)
    (vectors,) = model.get_layer("embedding").get_weights()
    assert not vectors[[0, 4]].any()
    assert vectors[[1, 2, 3, 5, 6]].all()


def test_a_row_of_weight_two_counts_like_two_rows() -> None:
    x, y = rows(NUMBERS, 64), np.arange(64, dtype=np.int32) % 3
    twice = np.arange(64) < 32
    config = MLPConfig(units=(8,), dropout=0.0, batch_norm=False, optimizer="sgd", momentum=0.0, warmup=0.0,
                       schedule="constant", weight_decay=0.0, batch_size=96)  # fmt: skip
    weighted = Split(x, y, np.where(twice, 2, 1).astype(np.float32))
    repeated = Split(np.vstack([x, x[twice]]), np.concatenate([y, y[twice]]))
    trained = [
        Trainer(config, Samples.of(split), interface=NUMBERS, epochs=1, seed=0) for split in (weighted, repeated)
    ]
    for one in trained:
        one.run_epoch()
    for ours, theirs in zip(*(one.model.get_weights() for one in trained), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_balanced_classes_count_the_same_however_many_rows_they_have() -> None:
    x = np.zeros((100, 40), np.float32)  # nothing to learn but the share of each class
    split = Split(x, (np.arange(100) < 10).astype(np.int32) + (np.arange(100) < 2))
    config = MLPConfig(units=(8,), dropout=0.0, batch_size=100, learning_rate=0.1, weight_decay=0.0)
    for weight, expected in (("none", (0.9, 0.08, 0.02)), ("balanced", (1 / 3, 1 / 3, 1 / 3))):
        weighted = replace(config, class_weight=weight)  # type: ignore[arg-type]
        trained = Trainer(weighted, Samples.of(split), Samples.of(split), interface=NUMBERS, epochs=200, seed=0)
        found = [trained.run_epoch() for _ in range(200)][-1]
        np.testing.assert_allclose(outputs(found)[0], expected, atol=0.02)
