"""Several trained networks as one, which averages their outputs."""

from __future__ import annotations

from collections.abc import Mapping

import keras


def averaged(members: Mapping[str, keras.Model], weights: Mapping[str, float]) -> keras.Model:
    """A model with the inputs of the members, and the weighted mean of their outputs.

    It is made of Keras' own layers, so that it loads like its members; a single member is returned as it is.

    Args:
        members: Trained models of the same inputs and outputs, by names that are valid for a Keras layer.
        weights: The share of each; they add up to 1.
    """
    if len(members) == 1:
        return next(iter(members.values()))
    first = next(iter(members.values()))
    inputs = keras.Input(first.input_shape[1:], dtype=first.inputs[0].dtype, name="features")
    parts = []
    for name, member in members.items():
        outputs = keras.Model(member.inputs[0], member.outputs[0], name=name)(inputs)
        parts.append(keras.layers.Rescaling(weights[name], name=f"{name}_share")(outputs))
    return keras.Model(inputs, keras.layers.Add(name="mean")(parts), name="ensemble")
