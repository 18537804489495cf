"""Update rules as fused TensorFlow kernels: one op reads and writes a variable and its slots."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import tensorflow as tf

from steps.mlp.config import SCALARS, MLPConfig

_BETA_1, _EPSILON = 0.9, 1e-7
_RHO = 0.9
_SLOTS = {"adam": 2, "adamw": 2, "sgd": 1, "rmsprop": 2}
Scalars = Mapping[str, tf.Tensor]  # hyperparameters that are inputs of the graph, float32


def scalars_of(config: MLPConfig) -> Scalars:
    """Those of a config."""
    return {name: tf.constant(getattr(config, name), tf.float32) for name in SCALARS}


def zero_slots(config: MLPConfig, variables: Sequence[tf.Variable]) -> list[list[tf.Variable]]:
    """State of the optimizer before the first update, for each variable."""
    n_slots = _SLOTS[config.optimizer]
    return [[tf.Variable(tf.zeros_like(v), trainable=False) for _ in range(n_slots)] for v in variables]


class Optimizer:
    """Applies one optimizer to a fixed list of variables.

    Adam and AdamW follow Kingma & Ba (2015) and Loshchilov & Hutter (2019), RMSprop Hinton's lecture
    6e, SGD uses Nesterov momentum in the form of Keras. Weight decay is decoupled and applies to
    kernels (rank 2 or 3) only, for `adamw` and `sgd`.
    """

    def __init__(
        self,
        config: MLPConfig,
        scalars: Scalars,
        variables: Sequence[tf.Variable],
        slots: Sequence[Sequence[tf.Variable]],
        *,
        exempt: Sequence[tf.Variable] = (),
        input_scale: Sequence[tf.Variable] = (),
    ) -> None:
        """
        Args:
            slots: From `zero_slots`.
            exempt: Kernels without weight decay.
            input_scale: The variables whose learning rate is multiplied by the hyperparameter of this name.
        """
        self._exempt, self._input_scale = exempt, input_scale
        self._config, self._scalars = config, scalars
        self._variables, self._slots = variables, slots

    def apply(self, gradients: Sequence[tf.Tensor], learning_rate: tf.Tensor, step: tf.Tensor) -> None:
        """Update all variables; `step` (int32, scalar) counts from 0 and is used only for Adam's bias correction."""
        done = tf.cast(step + 1, tf.float32)
        powers = (tf.pow(_BETA_1, done), tf.pow(self._scalars["beta_2"], done))
        for variable, slots, gradient in zip(self._variables, self._slots, gradients, strict=True):
            is_scale = any(variable is other for other in self._input_scale)
            rate = learning_rate * self._scalars["input_scale"] if is_scale else learning_rate
            with tf.control_dependencies([gradient]):  # most reads of the old value are over: it is rarely copied
                self._decay(variable, rate)
                self._update(variable, slots, gradient, rate, powers)

    def _decay(self, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        if not self._config.weight_decay or self._config.optimizer not in ("adamw", "sgd"):
            return
        if variable.shape.rank > 1 and all(variable is not other for other in self._exempt):
            variable.assign(variable * (1 - learning_rate * self._scalars["weight_decay"]))

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
                    lr=learning_rate, beta1=_BETA_1, beta2=self._scalars["beta_2"], epsilon=_EPSILON, grad=gradient,
                )  # fmt: skip
            case "sgd":
                tf.raw_ops.ResourceApplyKerasMomentum(
                    var=variable.handle, accum=handles[0], lr=learning_rate, grad=gradient,
                    momentum=self._scalars["momentum"], use_nesterov=True,
                )  # fmt: skip
            case "rmsprop":
                tf.raw_ops.ResourceApplyRMSProp(
                    var=variable.handle, ms=handles[0], mom=handles[1], lr=learning_rate, rho=_RHO,
                    momentum=0.0, epsilon=_EPSILON, grad=gradient,
                )  # fmt: skip


def learning_rate_at(config: MLPConfig, scalars: Scalars, step: tf.Tensor, n_steps: tf.Tensor) -> tf.Tensor:
    """Learning rate of update `step` (0-based) out of `n_steps`: linear warm-up, then the schedule.

    `cosine` falls to 0 (Loshchilov & Hutter 2017, without restarts); `coslog4` has four cosine cycles, each twice as
    long as the one before (Holzmüller et al. 2024). Everything is relative to the budget, so a rate tuned on few epochs
    keeps its meaning on many.
    """
    done, n = tf.cast(step, tf.float32), tf.cast(n_steps, tf.float32)
    n_warmup = tf.maximum(1.0, tf.round(scalars["warmup"] * n))
    factor = tf.minimum(1.0, (done + 1.0) / n_warmup)
    if config.schedule == "cosine":
        progress = tf.clip_by_value((done - n_warmup) / tf.maximum(1.0, n - n_warmup), 0.0, 1.0)
        factor *= 0.5 * (1.0 + tf.cos(progress * math.pi))
    elif config.schedule == "coslog4":
        cycles = tf.math.log(1.0 + 15.0 * done / n) / math.log(2)
        factor *= 0.5 * (1.0 - tf.cos(2 * math.pi * cycles))
    return scalars["learning_rate"] * factor
