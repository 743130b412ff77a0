"""Programs we run: every exit status counts, no secret is visible, and none outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bed.clusters import LiveDatabase, tools_of
from bed.faulty_network import faulty_network
from pgtend.postgres.accounts import server_account
from pgtend.postgres.command import Command, client, started
from pgtend.postgres.errors import ConnectionLost, MissingRight, PasswordRefused, ServerUnreachable
from pgtend.postgres.process import Stalled, ToolFailed, reading, run

SOON = timedelta(seconds=20)
IMPATIENT = timedelta(milliseconds=400)
CANARY = "c4nary-s3cret"
MEMORY = "/memfd:pgtend (deleted)"
PARENT = """
import time
from pgtend.postgres.command import Command, started
with started(Command(argv=("sleep", "600"))) as running:
    print(running.process.pid, flush=True)
    time.sleep(600)
"""


def shell(script: str, **more: SecretStr) -> Command:
    """Let a shell play a program that misbehaves."""
    return Command(argv=("/bin/sh", "-c", script), secrets=more)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> bool:
    """Give a process a moment to end."""
    deadline = time.monotonic() + 60
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_output_and_input_of_a_small_program() -> None:
    """What goes in comes out."""
    assert run(Command(argv=("tr", "a-z", "A-Z")), feed=b"abc", within=SOON) == b"ABC"


def test_a_failed_program_says_its_last_words() -> None:
    """The status and the end of its complaints are in the error."""
    with pytest.raises(ToolFailed) as caught:
        run(shell("echo one >&2; echo two >&2; exit 3"), within=SOON)
    assert caught.value.message == "sh exited with status 3"
    assert caught.value.detail == "one\ntwo"


def test_a_killed_program_is_named_with_its_signal() -> None:
    """The out-of-memory killer and an impatient person leave only a signal."""
    with pytest.raises(ToolFailed, match="sh was killed by SIGKILL"):
        run(shell("kill -9 $$"), within=SOON)


def test_a_program_that_is_missing_is_said() -> None:
    """The name of what could not be started is in the error."""
    with pytest.raises(ToolFailed) as caught:
        run(Command(argv=("/nowhere/pg_dump",)), within=SOON)
    assert "/nowhere/pg_dump" in caught.value.detail


def test_a_program_that_does_not_end_is_killed() -> None:
    """A deadline is a deadline."""
    with pytest.raises(Stalled, match="sleep stalled: it did not end within 400 ms"):
        run(Command(argv=("sleep", "60")), within=IMPATIENT)


def test_nothing_of_our_environment_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program gets what its command says and nothing else."""
    monkeypatch.setenv("PGPASSWORD", CANARY)
    inherited = run(Command(argv=("env",), env={"OWN": "yes"}), within=SOON).decode().splitlines()
    assert sorted(inherited) == ["LC_ALL=C", "OWN=yes", "PATH=/usr/local/bin:/usr/bin:/bin", "TZ=UTC"]


def test_a_secret_is_in_no_argument_no_environment_and_no_file() -> None:
    """A running program is searched through /proc for its secret, as any process of the same user could."""
    command = shell("cat $PGPASSFILE; sleep 60", PGPASSFILE=SecretStr(CANARY))
    with started(command, stdout=subprocess.PIPE) as running:
        output = running.process.stdout
        assert output is not None
        assert output.read(len(CANARY)) == CANARY.encode()
        proc = Path(f"/proc/{running.process.pid}")
        assert CANARY.encode() not in (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()
        files = [entry for entry in (proc / "fd").iterdir() if entry.is_file()]
        assert [str(one.readlink()) for one in files if CANARY.encode() in one.read_bytes()] == [MEMORY]
        output.close()


def test_a_secret_file_is_private_and_belongs_to_the_account() -> None:
    """A password file that others may read is refused by libpq, and the program must be able to open it."""
    account = server_account()
    command = Command(
        argv=("/bin/sh", "-c", "stat -L -c '%a %u' $KEY; cat $KEY"), secrets={"KEY": SecretStr(CANARY)}, account=account
    )
    owner = account.uid if account else os.geteuid()
    assert run(command, within=SOON).decode() == f"600 {owner}\n{CANARY}"


def test_a_secret_in_complaints_is_redacted() -> None:
    """A program that prints its secret does not get it into our error."""
    with pytest.raises(ToolFailed) as caught:
        run(shell("echo it is $(cat $KEY) >&2; exit 1", KEY=SecretStr(CANARY)), within=SOON)
    assert caught.value.detail == "it is [redacted]"


def test_a_pipeline_is_read_to_its_end() -> None:
    """The output of the last member comes through, and the end is reached when all ended well."""
    upper, count = Command(argv=("tr", "a", "b")), Command(argv=("wc", "-c"))
    with reading(shell("head -c 300000 /dev/zero"), upper, count, silence=SOON) as pipe:
        assert pipe.read().strip() == b"300000"


def test_what_comes_in_dribs_is_read_in_helpings() -> None:
    """A producer that writes 4 KB at a time does not wake its reader four thousand times."""
    dribs = Command(argv=("dd", "if=/dev/zero", "bs=4096", "count=4096", "status=none"))
    with reading(dribs, silence=SOON) as pipe:
        sizes = [len(chunk) for chunk in iter(lambda: pipe.read(256 * 1024), b"")]
    assert sum(sizes) == 4096 * 4096
    assert len(sizes) < 500


def test_a_producer_killed_half_way_makes_the_read_raise() -> None:
    """The next program ends well on the half it got: only the producer's status tells, and the upload must abort."""
    producer = shell("head -c 200000 /dev/zero; kill -9 $$")
    received: list[bytes] = []
    with (
        reading(producer, Command(argv=("cat",)), silence=SOON) as pipe,
        pytest.raises(ToolFailed, match="sh was killed by SIGKILL"),
    ):
        received.extend(iter(lambda: pipe.read(65536), b""))
    assert sum(map(len, received)) == 200000


def test_a_failure_downstream_is_blamed_and_not_the_broken_pipe_it_caused() -> None:
    """The first member dies of SIGPIPE because the second gave up: the second is the cause."""
    with (
        reading(shell("exec cat /dev/zero"), shell("echo disk full >&2; exit 2"), silence=SOON) as pipe,
        pytest.raises(ToolFailed) as caught,
    ):
        pipe.read()
    assert caught.value.message == "sh exited with status 2"
    assert caught.value.detail == "disk full\nWith it: sh was killed by SIGPIPE."


def test_a_member_that_stops_listening_is_a_failure_even_when_it_ends_well() -> None:
    """`head` exits with 0 and leaves the producer with a broken pipe: the output is not whole."""
    with (
        reading(Command(argv=("cat", "/dev/zero")), Command(argv=("head", "-c", "10")), silence=SOON) as pipe,
        pytest.raises(ToolFailed, match="cat was killed by SIGPIPE"),
    ):
        pipe.read()


def test_a_producer_that_falls_silent_is_killed() -> None:
    """A stalled network keeps a program waiting for ever: the watchdog ends it."""
    with reading(shell("echo start; sleep 60"), silence=IMPATIENT) as pipe:
        assert pipe.read(6) == b"start\n"
        with pytest.raises(Stalled, match="no byte came within 400 ms"):
            pipe.read(1)


def test_a_producer_that_closes_its_output_and_hangs_is_killed() -> None:
    """The end of the output is not the end of the program."""
    with (
        reading(shell("exec >&-; sleep 60"), silence=IMPATIENT) as pipe,
        pytest.raises(Stalled, match="it closed its output and did not end"),
    ):
        pipe.read()


def test_a_slow_consumer_is_no_stall() -> None:
    """Only waiting for bytes counts, not the time an upload takes with those it has."""
    with reading(shell("echo a; sleep 0.1; echo b"), silence=IMPATIENT) as pipe:
        first = pipe.read(1)
        time.sleep(0.6)
        assert first + pipe.read() == b"a\nb\n"


def test_a_consumer_that_fails_leaves_no_process() -> None:
    """An upload that breaks takes its producers with it."""
    pids: list[int] = []

    def consume() -> None:
        with reading(Command(argv=("cat", "/dev/zero")), Command(argv=("cat",)), silence=SOON) as pipe:
            pids.extend(member.process.pid for member in pipe._members)
            raise ConnectionError("the vault is gone")

    with pytest.raises(ConnectionError):
        consume()
    assert [is_alive(pid) for pid in pids] == [False, False]


def test_children_die_with_a_parent_that_was_killed() -> None:
    """A worker killed by SIGKILL leaves no program behind."""
    parent = subprocess.Popen((sys.executable, "-c", PARENT), stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        time.sleep(0.2)
        parent.send_signal(signal.SIGKILL)
    assert wait_until_gone(child)


def test_pg_dump_logs_in_with_a_password_nobody_sees(database: LiveDatabase) -> None:
    """A client tool gets its password by a file in memory."""
    database.run("CREATE TABLE public.patients (id int)", address=database.owner)
    command = client(database.server.tools, "pg_dump", database.owner, "--schema-only")
    assert database.owner.password is not None
    assert not any(database.owner.password.get_secret_value() in argument for argument in command.argv)
    assert b"CREATE TABLE public.patients" in run(command, within=SOON)


def test_a_secret_parameter_reaches_a_client_tool_by_memory(database: LiveDatabase) -> None:
    """The password of a private key is read from a service file, and the tool logs in all the same."""
    address = database.owner.to(sslpassword=CANARY)
    command = client(database.server.tools, "psql", address, "--command=SELECT 'in'", "--no-align", "--tuples-only")
    assert not any(CANARY in argument for argument in command.argv)
    assert run(command, within=SOON) == b"in\n"


def test_a_failure_of_a_client_tool_belongs_to_its_family(database: LiveDatabase) -> None:
    """A wrong password is misconfigured and a missing server an outage, whoever found out."""
    wrong = database.server.role(database.owner.user, SecretStr("wrong"), database.name)
    with pytest.raises(PasswordRefused, match="pg_dump exited with status 1"):
        run(client(database.server.tools, "pg_dump", wrong), within=SOON)
    database.run("CREATE TABLE public.not_ours (id int)")
    with pytest.raises(MissingRight):
        run(client(database.server.tools, "pg_dump", database.owner), within=SOON)
    with pytest.raises(ServerUnreachable):
        run(client(tools_of(15), "pg_dump", database.owner.to(host="/nowhere")), within=SOON)


def test_a_dump_through_a_network_that_swallows_everything_is_stopped(database: LiveDatabase) -> None:
    """The connection stays open and nothing comes: no keepalive of TCP ends that, the watchdog does."""
    database.run("CREATE TABLE public.t AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 20000)")
    with faulty_network(database.server.port) as network:
        root = database.server.tcp_role("postgres", database.server.password, database.name)
        dump = client(database.server.tools, "pg_dump", root.to(port=str(network.port), sslmode="disable"))
        with reading(dump, silence=timedelta(seconds=2)) as pipe:
            assert pipe.read(100)
            network.is_black_hole = True
            with pytest.raises(Stalled, match="pg_dump stalled: no byte came within"):
                pipe.readall()


def test_a_dump_whose_connection_is_cut_makes_the_read_raise(database: LiveDatabase) -> None:
    """A plausible beginning of a dump is no dump."""
    database.run("CREATE TABLE public.t AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 20000)")
    with faulty_network(database.server.port) as network:
        network.cut_after = 3_000_000
        root = database.server.tcp_role("postgres", database.server.password, database.name)
        dump = client(database.server.tools, "pg_dump", root.to(port=str(network.port), sslmode="disable"))
        with reading(dump, silence=SOON) as pipe, pytest.raises((ToolFailed, ConnectionLost)) as caught:
            pipe.readall()
    assert caught.value.message == "pg_dump exited with status 1"
