"""JAX and Optax: an epoch is one compiled scan, and an operation one thread."""

from __future__ import annotations

import itertools
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax
import jax.numpy as jnp
import mlflow
import numpy as np
import optax
from processes import BATCH_SIZE, load, optimize

Parameters = list[tuple[jax.Array, jax.Array]]


def logits_of(parameters: Parameters, x: jax.Array, dtype: Any, dropout: float, key: jax.Array | None) -> jax.Array:
    for i, (kernel, bias) in enumerate(parameters):
        x = jnp.dot(x.astype(dtype), kernel.astype(dtype)).astype(jnp.float32) + bias
        if i < len(parameters) - 1:
            x = jax.nn.relu(x)
            if key is not None and dropout:
                x *= jax.random.bernoulli(jax.random.fold_in(key, i), 1 - dropout, x.shape) / (1 - dropout)
    return x


def train(point: dict[str, Any], folder: Path, epochs: int, precision: str) -> float:
    (x, y), (x_val, y_val) = (map(jnp.asarray, load(folder, split)) for split in ("train", "validation"))
    dtype, dropout = jnp.dtype(precision), point["dropout"]
    adam = optax.adam(point["learning_rate"])
    n_steps = len(x) // BATCH_SIZE

    def loss_of(parameters: Parameters, x: jax.Array, y: jax.Array, key: jax.Array) -> jax.Array:
        logits = logits_of(parameters, x, dtype, dropout, key)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    @partial(jax.jit, donate_argnums=0)
    def epoch(state: Any, key: jax.Array, x: jax.Array, y: jax.Array, x_val: jax.Array, y_val: jax.Array) -> Any:
        def update(state: Any, batch: Any) -> Any:
            (parameters, slots), (rows, key) = state, batch
            loss, gradients = jax.value_and_grad(loss_of)(parameters, x[rows], y[rows], key)
            changes, slots = adam.update(gradients, slots)
            return (optax.apply_updates(parameters, changes), slots), loss

        order = jax.random.permutation(key, len(x))[: n_steps * BATCH_SIZE].reshape(n_steps, BATCH_SIZE)
        state, losses = jax.lax.scan(update, state, (order, jax.random.split(key, n_steps)))
        logits = logits_of(state[0], x_val, dtype, dropout, None)
        log_loss = optax.softmax_cross_entropy_with_integer_labels(logits, y_val).mean()
        return state, losses.mean(), log_loss, (logits.argmax(1) == y_val).mean()

    rng = np.random.default_rng(0)
    widths = (784, point["units_0"], point["units_1"], 10)
    parameters = [
        (jnp.asarray(rng.normal(0, (2 / n) ** 0.5, (n, m)), jnp.float32), jnp.zeros(m))
        for n, m in itertools.pairwise(widths)
    ]
    state = (parameters, adam.init(parameters))
    for number in range(epochs):
        state, *found = epoch(state, jax.random.key(number), x, y, x_val, y_val)
        logs = dict(zip(("train_loss", "val_log_loss", "val_accuracy"), map(float, found), strict=True))
        mlflow.log_metrics(logs, step=number + 1)
    return logs["val_accuracy"]


if __name__ == "__main__":
    optimize(train, Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
