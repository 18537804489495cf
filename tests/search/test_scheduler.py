"""Every wrong address of a scheduler, and wrong settings of Dask, are found within seconds, before anything runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import dask.config
import pytest
from distributed import LocalCluster

from deploy.postgresql import free_port
from steps.base.errors import InputError, StepError
from steps.search.scheduler import check_dask, check_scheduler
from tests.conftest import Step
from tests.running import run_command, script


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:8787", ", which seems to be that of its dashboard"),
        ("HTTPS://dask.example/status", ", which seems to be that of its dashboard"),
        ("127.0.0.1", ", without a port"),
        ("tcp://10.0.0.1", ", without a port"),
        ("tcp://[::1]", ", without a port"),
        ("tcp://10.0.0.1:eight", ", without a port"),
        (" ", ", without a port"),
        ("tcp://:8786", ""),
        ("tcp://10.0.0.1:99999", ""),
        ("tcp://10.0.0.1:0", ""),
        ("ssh://10.0.0.1:22", ""),
        ("tcp//10.0.0.1:8786", ""),
        ("tcp://me:password@10.0.0.1:8786", ""),
    ],
)
def test_a_text_that_is_no_address_is_refused(address: str, reason: str) -> None:
    with pytest.raises(InputError, match=r"^address must be that of a Dask scheduler") as error:
        check_scheduler(address)
    assert str(error.value).endswith(f"got {address!r}{reason}")


def test_tls_needs_certificates() -> None:
    with pytest.raises(InputError, match=r"^address must be without TLS if no certificates are set"):
        check_scheduler("tls://10.0.0.1:8786")


def test_damaged_settings_of_dask_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "dask.yaml").write_text("distributed: {comm: [1\n")
    check = """
from steps.base.errors import InputError
from steps.search.scheduler import check_dask
try:
    check_dask()
except InputError as error:
    print(error)
"""
    done = run_command(script(check), tmp_path, DASK_CONFIG=str(tmp_path / "dask.yaml"))
    assert done.stdout.startswith("the settings of Dask must be ones that it can read"), done.stderr
    assert f"A dask config file at '{tmp_path}/dask.yaml' is malformed" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("distributed.comm.timeouts.connect", "soon", "got 'soon' for distributed.comm.timeouts.connect"),
        ("distributed.admin.tick.interval", "20 parsecs", "got '20 parsecs' for distributed.admin.tick.interval"),
        ("distributed.comm", 5, "got 5 for the section distributed.comm"),
        ("distributed", ["comm"], r"got \['comm'\] for the section distributed"),
    ],
)
def test_a_setting_of_dask_of_another_kind_is_named(name: str, value: object, found: str) -> None:
    check_dask()
    with dask.config.set({name: value}), pytest.raises(InputError, match=found):
        check_dask()


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for path in (tmp_path / "nowhere.pem", tmp_path / "ca.pem"):
        names = ("ca-file", "client.cert", "client.key")
        with (
            dask.config.set({f"distributed.comm.tls.{name}": str(path) for name in names}),
            pytest.raises(InputError, match="certificates for TLS that cannot be read"),
        ):
            check_scheduler("tls://10.0.0.1:8786")


def test_no_listener_and_no_host_are_failures_of_the_network() -> None:
    with pytest.raises(StepError, match="does not answer: Connection refused"):
        check_scheduler(f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(StepError, match=r"at tcp://nowhere\.invalid:8786 does not answer: "):
        check_scheduler("tcp://nowhere.invalid:8786")


def silent(connection: socket.socket) -> None:
    connection.recv(1 << 20)


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 100)


def text(connection: socket.socket) -> None:
    connection.recv(1 << 20)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def closed(connection: socket.socket) -> None:
    connection.close()


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (silent, (InputError, ", which is not a part of Dask")),
        (garbage, (InputError, ", which is not a part of Dask")),
        (text, (InputError, ", which is not a part of Dask")),
        (closed, (StepError, "does not answer: ")),
    ],
)
def test_another_program_is_not_taken_for_a_scheduler(
    behaviour: Callable[[socket.socket], None], expected: tuple[type[Exception], str]
) -> None:
    kind, reason = expected
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        kept: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    kept.append(connection)  # an open one, unless the behaviour closes it
                    behaviour(connection)
            except OSError:  # the test is over, or the other end has gone
                return

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(kind, match=reason):
            check_scheduler(f"127.0.0.1:{server.getsockname()[1]}")


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as found:
        yield found


def test_the_scheduler_itself_is_accepted_in_each_form(cluster: LocalCluster) -> None:
    port = cluster.scheduler_address.rpartition(":")[2]
    for address in (f"tcp://127.0.0.1:{port}", f"127.0.0.1:{port}", f"tcp://localhost:{port}"):
        check_scheduler(address)


def test_its_workers_are_not_it(cluster: LocalCluster) -> None:
    (nanny,) = cluster.workers.values()
    for address, kind in {nanny.worker_address: "worker", nanny.address: "nanny"}.items():
        with pytest.raises(InputError, match=f", which is a {kind} of Dask$"):
            check_scheduler(address)


def test_a_step_says_so_in_one_line(cluster: LocalCluster, step: Step) -> None:
    (nanny,) = cluster.workers.values()
    done = step("tune", "--engine", "dask", "--address", nanny.worker_address)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "which is a worker of Dask" in done.stderr
