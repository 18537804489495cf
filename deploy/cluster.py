"""A cluster on one machine: PostgreSQL, an MLflow server, a Dask scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import click
from distributed.security import Security

from deploy.postgresql import Postgresql, free_port

_REPOSITORY = Path(__file__).parents[1]
_START_UP = 300.0  # seconds in which the MLflow server must answer, on any machine


class Cluster:
    """All servers for `engine=dask`; a context manager that starts and stops them.

    Attributes:
        postgresql: Server with the study in one database and the runs in another.
        address: Address of the Dask scheduler.
        tracking_uri: URI of the MLflow server, which also serves artifacts.
    """

    def __init__(
        self, folder: Path, host: str = "127.0.0.1", n_workers: int = 2, n_threads: int = 1, *, secure: bool = False
    ) -> None:
        """
        Args:
            folder: Folder for the data and the logs of all servers; its path must be short.
            host: Address that all servers listen on.
            secure: Whether Dask speaks TLS and the MLflow server asks for a password.
        """
        self.folder, self.host, self.n_workers, self.n_threads = folder, host, n_workers, n_threads
        self.secure = secure
        self.postgresql = Postgresql(folder / "postgresql", host)
        self.address = f"{'tls' if secure else 'tcp'}://{host}:{free_port(host)}"
        self.tracking_uri = f"http://{host}:{free_port(host)}"
        self._n_started = 0
        self.workers: list[subprocess.Popen[bytes]] = []
        self._shared: dict[str, str] = {}  # environment of all users of the cluster
        self._runs_url = ""
        self._server: subprocess.Popen[bytes] | None = None
        self._scheduler: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.postgresql.start()
        study, self._runs_url = (self.postgresql.create(name, name, _password()) for name in ("study", "runs"))
        self._shared = {"MLFLOW_TRACKING_URI": self.tracking_uri, "TUNE_STORAGE": study}
        if self.secure:
            self._shared |= {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": _password()}
            self._shared |= self._certificate()
        try:
            self.start_mlflow()
            self.start_scheduler()
            for _ in range(self.n_workers):
                self.start_worker()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def environment(self) -> dict[str, str]:
        """Environment variables for tune, evaluate and every worker; they include passwords."""
        return dict(self._shared)

    def process_ids(self) -> dict[str, int]:
        """Process IDs of the servers, by name, for measurements."""
        assert self._server is not None
        return {"postgresql": self.postgresql.process_id(), "mlflow": self._server.pid}

    def start_mlflow(self) -> None:
        """Start the MLflow server, and return when it answers."""
        port = self.tracking_uri.rpartition(":")[2]
        command = [sys.executable, "-m", "mlflow", "server", "--host", self.host, "--port", port, "--workers", "2"]
        command += ["--gunicorn-opts", "--log-level warning"]  # uvicorn with several workers is slow: docs/scale.md
        command += ["--artifacts-destination", str(self.folder / "artifacts"), "--serve-artifacts"]
        own = {"MLFLOW_BACKEND_STORE_URI": self._runs_url}
        own["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # ten processes for requests that never come
        if self.secure:
            command += ["--app-name", "basic-auth"]
            own["MLFLOW_AUTH_ADMIN_PASSWORD"] = self._shared["MLFLOW_TRACKING_PASSWORD"]
            own["MLFLOW_FLASK_SERVER_SECRET_KEY"] = _password()
        self._server = self._start("mlflow", command, own)
        deadline = time.monotonic() + _START_UP
        while not _answers(f"{self.tracking_uri}/health"):
            alive = self._server.poll() is None and time.monotonic() < deadline
            assert alive, (self.folder / "mlflow.log").read_text()
            time.sleep(0.2)

    def stop_mlflow(self) -> None:
        _end(self._server)

    def start_scheduler(self) -> None:
        """Start the Dask scheduler."""
        port = self.address.rpartition(":")[2]
        command = ["distributed.cli.dask_scheduler", "--host", self.host, "--port", port, "--no-dashboard"]
        self._scheduler = self._start("scheduler", [sys.executable, "-m", *command], self.environment())

    def kill_scheduler(self) -> None:
        _end(self._scheduler)

    def start_worker(self, host: str = "", prefix: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start a Dask worker, a nanny and the process that it watches.

        Args:
            host: Address that it listens on; empty for that of the cluster.
            prefix: Command that runs it, such as `ip netns exec <name>`.
        """
        command = ["distributed.cli.dask_worker", self.address, "--host", host or self.host, "--no-dashboard"]
        command += ["--nthreads", str(self.n_threads), "--memory-limit", "0", "--local-directory", str(self.folder)]
        self._n_started += 1
        started = self._start(
            f"worker-{self._n_started}", [*prefix, sys.executable, "-m", *command], self.environment()
        )
        self.workers.append(started)
        return started

    def kill_workers(self) -> None:
        """End every worker at once, with its nanny."""
        for worker in self.workers:
            _end(worker)
        self.workers.clear()

    def _certificate(self) -> dict[str, str]:
        """Environment variables for Dask with a certificate for the whole cluster."""
        made = Security.temporary()
        path = self.folder / "dask.pem"
        path.touch(mode=0o600)
        path.write_text(f"{made.tls_client_cert}{made.tls_client_key}")
        names = ("CA_FILE", "SCHEDULER__CERT", "WORKER__CERT", "CLIENT__CERT")
        return {
            "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true",
            **{f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(path) for name in names},
        }

    def _start(self, name: str, command: Sequence[str], extra: dict[str, str]) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, (str(_REPOSITORY), os.environ.get("PYTHONPATH"))))
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "TUNE_"))}
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env={**kept, "PYTHONPATH": path, **extra}, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def _stop(self) -> None:
        self.kill_workers()
        self.kill_scheduler()
        self.stop_mlflow()
        self.postgresql.stop()


@click.command()
@click.option("--workers", default=2, show_default=True, help="Dask worker processes.")
@click.option("--threads", default=1, show_default=True, help="Trials at once in each.")
@click.option("--secure", is_flag=True, help="TLS for Dask, and a password for the MLflow server.")
def main(workers: int, threads: int, secure: bool) -> None:
    """Start a cluster on this machine, print the next commands, and stop it at Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the first, too: a background shell makes its children ignore it
        signal.signal(number, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    with Cluster(folder, n_workers=workers, n_threads=threads, secure=secure) as cluster:
        script = folder / "environment"
        script.touch(mode=0o600)  # it holds a password
        lines = [f"export {name}={shlex.quote(value)}" for name, value in cluster.environment().items()]
        script.write_text("\n".join(lines) + "\n")
        click.echo(f"MLflow server    {cluster.tracking_uri}")
        click.echo(f"Dask scheduler   {cluster.address}, {workers} workers of {threads} threads")
        click.echo(f"PostgreSQL       {cluster.host}:{cluster.postgresql.port}, its URL with the password in {script}")
        click.echo(f"Logs             {folder}")
        click.echo("\nNow, in another terminal:\n")
        click.echo(f"  source {script}")
        click.echo(f"  make main ARGS='-P engine=dask -P address={cluster.address}'")
        click.echo("  mlflow run . -e worker --env-manager local      # joins the study too, from anywhere")
        click.echo("\nCtrl-C stops the cluster.")
        try:
            signal.pause()
        except KeyboardInterrupt:
            click.echo("Stopping")


def _password() -> str:
    return secrets.token_urlsafe(16)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes] | None) -> None:
    """End a process and all it has started, as `kill -9` does."""
    if process is not None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    main()
