"""TensorFlow's use of this machine: threads, and the type of the matrix products."""

from __future__ import annotations

import contextlib
import functools
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

MOST_PARTS = 4  # of a batch, for the threads of one training
_ON_A_GPU = 4  # trainings at once: they take turns on the GPU, while others are compiled or scored
_REQUIRED_GAIN = 1.2  # for a smaller speed-up, rounding to bfloat16 and back costs more than it saves
_GEMM = (256, 1024, 1024)
_N_TIMED = 15
_VECTOR_UNITS = ("sse4", "avx", "fma", "amx", "asimd", "sve", "bf16")


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of_each(n_jobs: int) -> int:
    """Number of cores for each of `n_jobs` concurrent graphs; 1 on a GPU."""
    return 1 if has_gpu() else max(1, available_cores() // n_jobs)


def limit_threads(n_jobs: int, threads: int = 0) -> None:
    """Let `n_jobs` graphs run at once, each on `threads` threads (0: their share); call it before any TensorFlow work.

    A graph runs operations side by side, each on one thread: an operation on a batch is too short to be divided well.
    Only with more threads than parts of a batch (see `EpochGraph`) is it divided, which affects the last bits of a sum.
    """
    threads = threads or threads_of_each(n_jobs)
    tf.config.threading.set_intra_op_parallelism_threads(max(1, threads // MOST_PARTS))
    tf.config.threading.set_inter_op_parallelism_threads(max(2, n_jobs * min(threads, MOST_PARTS)))


def has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


@functools.cache
def compiles_for_gpu() -> bool:
    """Return whether there is a GPU and XLA can compile for it, which takes ptxas and libdevice of CUDA's toolkit."""
    if not has_gpu():
        return False
    try:
        tf.function(tf.exp, jit_compile=True)(tf.zeros(()))  # needs both
    except tf.errors.OpError:
        return False
    return True


def trainings_at_once(n_places: int) -> int:
    """Number of trainings that best run side by side in a process that has room for so many on its cores."""
    return min(n_places, _ON_A_GPU) if has_gpu() else n_places


def hardware() -> dict[str, object]:
    """Properties that can change the last bit of a result: processor, vector units, cores, GPUs, use of oneDNN."""
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
    """`float32` or `bfloat16` as given; for `auto`, the faster one for matrix products on this machine.

    The result for `auto` is measured once per kind of machine and version of TensorFlow and kept in the user's cache
    directory, so that equal runs stay equal. The vector units are part of the kind: clouds use the same processor name
    for machines with and without bfloat16.

    Args:
        cache: Folder for the result instead of the default.
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
    """Ratio of the times of a product in float32 and in bfloat16, including the casts of a training step.

    The two are timed alternately, and the result is the median ratio, as other load on the machine slows down both.
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
