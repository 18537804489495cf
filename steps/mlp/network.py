"""The forward and backward pass of an MLP, on the weights of its Keras model.

`keras.Model.__call__` and a gradient tape would do the same in more and slower ops: here, dropout cuts its masks out of
a bank, batch normalization and activations make fewer passes, and matrix products may run in bfloat16. Tests compare
the graph with the Keras model at inference and with a tape in training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf

from steps.datasets.interface import Interface
from steps.mlp.config import MLPConfig, Precision
from steps.mlp.dropout import Bank, Masks
from steps.mlp.heads import OUTPUT_LAYER
from steps.mlp.model import BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM, BINS, EMBEDDING, INPUT_SCALE, MEMBERS
from steps.mlp.operations import ACTIVATIONS, Pullback, Step, add, batch_norm, product, traced

_BEFORE = (EMBEDDING, INPUT_SCALE, MEMBERS)  # the trained layers before the first product, in the order of the model
Layers = Mapping[str, Sequence[tf.Variable]]  # by layer, in the order of the model


def layers_of(model: keras.Model) -> dict[str, list[tf.Variable]]:
    """The variables of each layer that has any."""
    return {layer.name: [v.value for v in layer.weights] for layer in model.layers if layer.weights}


class Network:
    """Logits of an MLP for training and for evaluation; owns no weights.

    With members, each row of a batch stands for `n_members` successive rows: those of the members.
    """

    def __init__(
        self, config: MLPConfig, layers: Layers, interface: Interface, precision: Precision, n_parts: int = 1
    ) -> None:
        """
        Args:
            n_parts: Calls of `train` per update, each on a part of the batch.
        """
        self._config, self._layers, self._interface = config, layers, interface
        self._n_dense = interface.n_features - len(interface.level_counts)
        self._activation = ACTIVATIONS[config.activation]
        self._dtype = tf.as_dtype(precision)
        self._momentum = BATCH_NORM_MOMENTUM ** (1 / n_parts)

    @property
    def trainable(self) -> list[tf.Variable]:
        """The variables that are trained, in the order of `model.trainable_variables`."""
        found = [variable for name in _BEFORE for variable in self._layers.get(name, ())]
        for i in range(len(self._config.units)):
            found += [*self._layers[f"dense_{i}"], *self._layers.get(f"batch_norm_{i}", ())[:2]]
        return [*found, *self._layers[OUTPUT_LAYER]]

    @property
    def _input_width(self) -> int:
        """Width of the input of the first layer."""
        n_bins = self._config.n_bins * len(self._interface.numbers)
        return self._n_dense + n_bins + len(self._interface.level_counts) * self._config.embedding_size

    def draw_banks(self, rates: Mapping[str, tf.Tensor], seed: tf.Tensor, batch_size: int) -> dict[str, Bank]:
        """The banks of one epoch, for `masks`.

        Args:
            rates: Values of `dropout` and `input_dropout`, scalars.
            seed: (2,) int32.
        """
        rows = batch_size * self._config.n_members
        widths = {"input_dropout": self._input_width, "dropout": max(self._config.units)}
        used = {name: width for name, width in widths.items() if getattr(self._config, name)}
        return {name: Bank.draw(rates[name], rows * width, seed) for name, width in used.items()}

    def masks(self, banks: Mapping[str, Bank], seed: tf.Tensor) -> Masks:
        """The masks of one update; `seed`: (2,) int32."""
        return Masks.cut(banks, seed, len(self._config.units) + 1)

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """(batch, n_features) float32 -> logits (batch * n_members, n_outputs) float32, at inference."""
        return self._forward(x, None)[0]

    def train(self, x: tf.Tensor, masks: Masks) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        """Forward pass in training: dropout, and batch statistics, which also update the running ones.

        Args:
            x: (batch, n_features) float32.

        Returns:
            Logits (batch * n_members, n_outputs) float32, and a function that maps the gradient of a loss with respect
            to the logits to its gradients with respect to `model.trainable_variables`.
        """
        logits, pullbacks = self._forward(x, masks)

        def gradients(dy: tf.Tensor) -> list[tf.Tensor]:
            found: list[tf.Tensor] = []
            for pullback in reversed(pullbacks):
                dy, own = pullback(dy)
                found = own + found
            return found

        return logits, gradients

    def _forward(self, x: tf.Tensor, masks: Masks | None) -> tuple[tf.Tensor, list[Pullback]]:
        pullbacks: list[Pullback] = []

        def after(step: Step) -> tf.Tensor:
            pullbacks.append(step[1])
            return step[0]

        x = after(self._embed(x))
        if INPUT_SCALE in self._layers:
            (scale,) = self._layers[INPUT_SCALE]
            x = after(traced(lambda inputs: inputs * scale, [scale])(x))
        if MEMBERS in self._layers:
            x = after(self._scale_members(x))
        is_fixed = not any(name in self._layers for name in _BEFORE)
        if masks is not None:
            x = after(masks.drop(x, "input_dropout", 0))
        if is_fixed:
            pullbacks.clear()
        for i in range(len(self._config.units)):
            kernel, *bias = self._layers[f"dense_{i}"]
            x = after(product(x, kernel, self._dtype, is_first=is_fixed and i == 0))
            x = after(add(x, bias[0]) if bias else self._normalize(x, i, training=masks is not None))
            x = after(self._activation(x))
            if masks is not None:
                x = after(masks.drop(x, "dropout", i + 1))
        if MEMBERS in self._layers:
            return after(self._member_outputs(x)), pullbacks
        kernel, bias = self._layers[OUTPUT_LAYER]
        x = after(product(x, kernel, self._dtype))
        return after(add(x, bias)), pullbacks

    def _embed(self, x: tf.Tensor) -> Step:
        """Features scaled to [0, 1], or unscaled numbers, their bins and the embedding of each category."""
        x = x * (1 / self._interface.feature_max)
        dense = x[:, : self._n_dense]
        parts = [dense]
        if BINS in self._layers:
            slopes, offsets = self._layers[BINS]
            numbers = tf.gather(dense, self._interface.numbers, axis=1)
            bins = tf.clip_by_value(tf.expand_dims(numbers, 2) * slopes + offsets, 0.0, 1.0)
            parts.append(tf.reshape(bins, (-1, bins.shape[1] * bins.shape[2])))
        if EMBEDDING not in self._layers:
            return (tf.concat(parts, axis=1) if len(parts) > 1 else dense), lambda dy: (dy, [])
        (table,) = self._layers[EMBEDDING]

        def lookup(codes: tf.Tensor) -> tf.Tensor:
            vectors = tf.gather(table, tf.cast(codes, tf.int32))  # (batch, n_codes, embedding_size)
            return tf.reshape(vectors, (-1, vectors.shape[1] * vectors.shape[2]))

        vectors, of_table = traced(lookup, [table])(x[:, self._n_dense :])
        width = sum(part.shape[1] for part in parts)
        return tf.concat([*parts, vectors], axis=1), lambda dy: of_table(dy[:, width:])

    def _scale_members(self, x: tf.Tensor) -> Step:
        """(batch, n) -> (batch * n_members, n), scaled for each member."""
        (scales,) = self._layers[MEMBERS]
        members, width = scales.shape
        y = tf.reshape(tf.expand_dims(x, 1) * scales, (-1, width))

        def pullback(dy: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
            dy = tf.reshape(dy, (-1, members, width))
            return tf.reduce_sum(dy * scales, 1), [tf.reduce_sum(dy * tf.expand_dims(x, 1), 0)]

        return y, pullback

    def _member_outputs(self, x: tf.Tensor) -> Step:
        """(batch * n_members, units) -> (batch * n_members, n_outputs), by the output layer of each member."""
        kernel, bias = self._layers[OUTPUT_LAYER]
        members, units, n_outputs = kernel.shape

        def outputs(x: tf.Tensor) -> tf.Tensor:
            by_member = tf.einsum("bku,kuc->bkc", tf.reshape(x, (-1, members, units)), kernel) + bias
            return tf.reshape(by_member, (-1, n_outputs))

        return traced(outputs, [kernel, bias])(x)

    def _normalize(self, x: tf.Tensor, i: int, training: bool) -> Step:
        gamma, beta, mean, variance = self._layers[f"batch_norm_{i}"]
        if not training:
            scale = gamma * tf.math.rsqrt(variance + BATCH_NORM_EPSILON)
            return add(x * scale, beta - mean * scale)
        step, batch_mean, batch_variance = batch_norm(x, tf.convert_to_tensor(gamma), tf.convert_to_tensor(beta))
        mean.assign_sub((1 - self._momentum) * (mean - batch_mean))
        variance.assign_sub((1 - self._momentum) * (variance - batch_variance))
        return step
