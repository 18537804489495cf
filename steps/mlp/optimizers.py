"""Update rules as fused TensorFlow kernels: one op reads and writes a variable and its slots."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from steps.mlp.config import MLPConfig

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7
_RHO = 0.9


class Optimizer:
    """Applies one optimizer to a fixed list of variables.

    Adam and AdamW follow Kingma & Ba (2015) and Loshchilov & Hutter (2019), RMSprop Hinton's lecture
    6e, SGD uses Nesterov momentum in the form of Keras. Weight decay is decoupled and applies to
    kernels (rank 2) only, for `adamw` and `sgd`.
    """

    def __init__(self, config: MLPConfig, variables: Sequence[tf.Variable]) -> None:
        self._config = config
        self._variables = list(variables)
        n_slots = {"adam": 2, "adamw": 2, "sgd": 1, "rmsprop": 2}[config.optimizer]
        self.slots = [[tf.Variable(tf.zeros_like(v), trainable=False) for _ in range(n_slots)] for v in self._variables]

    def apply(self, gradients: Sequence[tf.Tensor], learning_rate: tf.Tensor, step: tf.Tensor) -> None:
        """Update all variables; `step` (int32, scalar) counts from 0 and is used only for Adam's bias correction."""
        done = tf.cast(step + 1, tf.float32)
        powers = (tf.pow(_BETA_1, done), tf.pow(_BETA_2, done))
        for variable, slots, gradient in zip(self._variables, self.slots, gradients, strict=True):
            self._decay(variable, learning_rate)
            self._update(variable, slots, gradient, learning_rate, powers)

    def _decay(self, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        if self._config.weight_decay > 0 and self._config.optimizer in ("adamw", "sgd") and variable.shape.rank == 2:
            tf.raw_ops.ResourceApplyGradientDescent(
                var=variable.handle, alpha=learning_rate * self._config.weight_decay, delta=variable
            )

    def _update(
        self,
        variable: tf.Variable,
        slots: Sequence[tf.Variable],
        gradient: tf.Tensor,
        learning_rate: tf.Tensor,
        powers: tuple[tf.Tensor, tf.Tensor],
    ) -> None:
        handles = [slot.handle for slot in slots]
        match self._config.optimizer:
            case "adam" | "adamw":
                tf.raw_ops.ResourceApplyAdam(
                    var=variable.handle, m=handles[0], v=handles[1], beta1_power=powers[0], beta2_power=powers[1],
                    lr=learning_rate, beta1=_BETA_1, beta2=_BETA_2, epsilon=_EPSILON, grad=gradient,
                )  # fmt: skip
            case "sgd":
                tf.raw_ops.ResourceApplyKerasMomentum(
                    var=variable.handle, accum=handles[0], lr=learning_rate, grad=gradient,
                    momentum=self._config.momentum, use_nesterov=True,
                )  # fmt: skip
            case "rmsprop":
                tf.raw_ops.ResourceApplyRMSProp(
                    var=variable.handle, ms=handles[0], mom=handles[1], lr=learning_rate, rho=_RHO,
                    momentum=0.0, epsilon=_EPSILON, grad=gradient,
                )  # fmt: skip


def learning_rate_at(config: MLPConfig, step: tf.Tensor, n_steps: int) -> tf.Tensor:
    """Learning rate of update `step` (0-based) out of `n_steps`: linear warm-up, then constant or cosine to 0.

    The cosine is that of Loshchilov & Hutter (2017), without restarts. Everything is relative to the
    budget, so a rate tuned on few epochs keeps its meaning on many.
    """
    n_warmup = max(1.0, round(config.warmup * n_steps))
    done = tf.cast(step, tf.float32)
    factor = tf.minimum(1.0, (done + 1.0) / n_warmup)
    if config.schedule == "cosine":
        progress = tf.clip_by_value((done - n_warmup) / max(1.0, n_steps - n_warmup), 0.0, 1.0)
        factor *= 0.5 * (1.0 + tf.cos(progress * 3.141592653589793))
    return config.learning_rate * factor
