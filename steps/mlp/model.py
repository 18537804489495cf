"""MLPConfig -> Keras model, built only from Keras' own layers, so that it loads without this project."""

from __future__ import annotations

import keras
import numpy as np

from steps.datasets.interface import Interface
from steps.mlp.config import MLPConfig
from steps.mlp.heads import make_head

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.99
BINS, EMBEDDING, INPUT_SCALE, MEMBERS = "bins", "embedding", "input_scale", "members"


def build_model(config: MLPConfig, interface: Interface, seed: int) -> keras.Model:
    """Untrained model with seeded weights.

    It takes (batch, n_features) in the stored dtype of the data and returns the outputs of its task's head
    (batch, n_outputs) float32. The bins are empty until `set_bins`. Kernels are
    He-normal before `relu` and similar activations, else Glorot-uniform. The scale per input is that of RealMLP
    (Holzmüller et al., "Better by Default", NeurIPS 2024).
    """
    inputs = keras.Input((interface.n_features,), name="features")
    x = _embedded(inputs, config, interface, seed)
    if config.input_scale:
        x = keras.layers.EinsumDense("bd,d->bd", (x.shape[1],), kernel_initializer="ones", name=INPUT_SCALE)(x)
    if config.n_members > 1:
        x = keras.layers.EinsumDense(
            "bd,kd->bkd",
            (config.n_members, x.shape[1]),
            kernel_initializer=keras.initializers.RandomNormal(stddev=1.0, seed=seed),
            name=MEMBERS,
        )(x)
    if config.input_dropout:
        x = keras.layers.Dropout(config.input_dropout, seed=seed, name="input_dropout")(x)
    hidden = keras.initializers.GlorotUniform if config.activation == "tanh" else keras.initializers.HeNormal
    for i, units in enumerate(config.units):
        x = keras.layers.Dense(
            units, use_bias=not config.batch_norm, kernel_initializer=hidden(seed + i), name=f"dense_{i}"
        )(x)
        if config.batch_norm:
            x = keras.layers.BatchNormalization(
                momentum=BATCH_NORM_MOMENTUM, epsilon=BATCH_NORM_EPSILON, name=f"batch_norm_{i}"
            )(x)
        x = keras.layers.Activation(config.activation, name=f"activation_{i}")(x)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout, seed=seed + i + 1, name=f"dropout_{i}")(x)
    outputs = make_head(interface.target, config).attach(x, seed + len(config.units))
    return keras.Model(inputs, outputs, name="mlp")


def set_bins(model: keras.Model, edges: np.ndarray) -> None:
    """Set the bins of a model with `n_bins`.

    Args:
        edges: (n_bins + 1, n_numbers) ascending; a bin without width stays empty.
    """
    lower, widths = edges[:-1], np.diff(edges, axis=0)
    slopes = np.divide(1, widths, out=np.zeros_like(widths), where=widths > 0)
    model.get_layer(BINS).set_weights([slopes.T, (-lower * slopes).T])


def with_temperature(model: keras.Model, temperature: float) -> keras.Model:
    """A classifier whose logits are divided by a temperature: it is as sure as it is often right (Guo et al. 2017)."""
    logits = keras.ops.log(model.outputs[0])
    scaled = keras.layers.Rescaling(1 / temperature, name="temperature")(logits)
    return keras.Model(model.inputs, keras.layers.Softmax(name="calibrated")(scaled), name=model.name)


def _embedded(x: keras.KerasTensor, config: MLPConfig, interface: Interface, seed: int) -> keras.KerasTensor:
    """Features scaled to [0, 1], or unscaled numbers, their bins and the embedding of each category.

    Bins are the piecewise linear encoding of Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep
    Learning", NeurIPS 2022: the share of each bin that lies below the number. They stand beside the number itself.
    """
    if interface.feature_max != 1:
        x = keras.layers.Rescaling(1.0 / interface.feature_max, name="scale")(x)
    n_dense = interface.n_features - len(interface.level_counts)
    parts = [x[:, :n_dense] if interface.level_counts else x] if n_dense else []
    if config.n_bins and interface.numbers:
        parts.append(_bins(keras.ops.take(x, list(interface.numbers), axis=1), config.n_bins))
    if interface.level_counts:
        parts.append(_vectors(x[:, n_dense:], config, interface.level_counts, seed))
    return keras.layers.Concatenate(name="inputs")(parts) if len(parts) > 1 else parts[0]


def _bins(numbers: keras.KerasTensor, n_bins: int) -> keras.KerasTensor:
    """(batch, n_numbers) -> (batch, n_numbers * n_bins)."""
    shape = (numbers.shape[1], n_bins)
    layer = keras.layers.EinsumDense(
        "bf,fk->bfk", shape, bias_axes="fk", kernel_initializer="zeros", trainable=False, name=BINS
    )
    return keras.layers.Flatten(name="flat_bins")(keras.layers.ReLU(max_value=1.0, name="clip_bins")(layer(numbers)))


def _vectors(
    codes: keras.KerasTensor, config: MLPConfig, level_counts: tuple[int, ...], seed: int
) -> keras.KerasTensor:
    """(batch, n_codes) -> (batch, n_codes * embedding_size)."""
    table = keras.layers.Embedding(
        sum(level_counts),
        config.embedding_size,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=0.3, seed=seed),
        name=EMBEDDING,
    )
    vectors = keras.layers.Flatten(name="vectors")(table(codes))
    (weights,) = table.get_weights()
    weights[np.cumsum([0, *level_counts[:-1]])] = 0  # unseen categories contribute nothing until they are learned
    table.set_weights([weights])
    return vectors
