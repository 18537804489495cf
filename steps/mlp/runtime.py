"""How TensorFlow uses this machine: threads, and the type of the matrix products."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from steps.base.files import cache_folder, replacing
from steps.mlp.config import Precision

_REQUIRED_GAIN = 1.2  # below that, rounding to bfloat16 and back costs more than it saves
_GEMM = (256, 1024, 1024)
_N_TIMED = 15
_VECTOR_UNITS = ("sse4", "avx", "fma", "amx", "asimd", "sve", "bf16")


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of_each(n_jobs: int) -> int:
    """The share of the cores that each of `n_jobs` concurrent graphs has."""
    return max(1, available_cores() // n_jobs)


def limit_threads(n_jobs: int, threads: int = 0) -> None:
    """Let `n_jobs` graphs run at once on so many threads each (0: their share); before TensorFlow does any work.

    How a sum is split over threads decides its last bits: a result is a function of `threads` too.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads or threads_of_each(n_jobs))
    tf.config.threading.set_inter_op_parallelism_threads(max(2, n_jobs))


def has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def hardware() -> dict[str, object]:
    """Everything that can change the last bit of a result: processor, vector units, cores, GPUs, use of oneDNN."""
    flags = next((line.partition(":")[2].split() for line in _cpuinfo() if line.startswith(("flags", "Features"))), [])
    gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cpu_features": " ".join(sorted(flag for flag in flags if flag.startswith(_VECTOR_UNITS))),
        "cores": available_cores(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        "gpus": ", ".join(gpu.get("device_name", "unknown") for gpu in gpus) or "none",
    }


def resolve_precision(given: str, cache: Path | None = None) -> Precision:
    """`float32` or `bfloat16` as given; for `auto`, the one that multiplies matrices faster here.

    The answer for `auto` is measured once for each kind of machine and version of TensorFlow and kept in the user's
    cache directory, so that equal runs stay equal. The vector units are part of the kind: clouds give one processor
    name to machines with and without bfloat16.

    Args:
        cache: Another folder to keep the answer in.
    """
    if given == "float32":
        return "float32"
    if given == "bfloat16":
        return "bfloat16"
    found = hardware()
    key = ", ".join(str(found[name]) for name in ("processor", "cpu_features", "gpus", "onednn"))
    key = f"{key}, tensorflow {tf.__version__}"
    path = (cache or cache_folder()) / "precision.json"
    try:
        known = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        known = {}
    if known.get(key) not in ("float32", "bfloat16"):
        known[key] = "bfloat16" if _gain_of_bfloat16() > _REQUIRED_GAIN else "float32"
        with contextlib.suppress(OSError), replacing(path) as draft:  # a cache: without it the next run measures again
            draft.write_text(json.dumps(known, indent=2), encoding="utf-8")
    return "bfloat16" if known[key] == "bfloat16" else "float32"


def _gain_of_bfloat16() -> float:
    """Time of a product in float32 over its time in bfloat16, with the casts that a training step makes around it.

    The two are timed in turns and the median of the ratios counts: other work on the machine slows both.
    """
    m, k, n = _GEMM
    a, b = tf.ones((m, k)), tf.ones((k, n))

    def timed(precision: Precision) -> Callable[[], float]:
        @tf.function
        def product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
            return tf.cast(tf.matmul(tf.cast(a, precision), tf.cast(b, precision)), tf.float32)

        def seconds() -> float:
            start = time.perf_counter()
            product(a, b).numpy()
            return time.perf_counter() - start

        seconds()  # traces
        return seconds

    float32, bfloat16 = timed("float32"), timed("bfloat16")
    return statistics.median(float32() / bfloat16() for _ in range(_N_TIMED))


def _processor() -> str:
    names = (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
