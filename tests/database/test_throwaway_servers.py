"""A throwaway server is ours alone, starts in a moment and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from bed.clusters import Word, asked, statement, tools_of
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.accounts import Account, OutOfReach, server_account
from pgtend.postgres.command import started
from pgtend.postgres.errors import ServerUnreachable
from pgtend.postgres.leftovers import claimed_folder, sweep_leftovers
from pgtend.postgres.throwaway import ServerDidNotStart, ThrowawayServer

OWNER = """
import sys, time
from pathlib import Path
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.postgres.tools import ClientTools
with ThrowawayServer(tools=ClientTools(int(sys.argv[1]), Path(sys.argv[2]))) as server:
    print(server.pid, server.folder, flush=True)
    time.sleep(600)
"""


BUSY = asked("SELECT query AS word FROM pg_stat_activity WHERE query LIKE 'SELECT count%%generate_series%%'")


def is_gone(pid: int) -> bool:
    """Give a process a moment to end."""
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not Path(f"/proc/{pid}").exists()


def test_nothing_is_left_at_the_end(server: ThrowawayServer) -> None:
    """Process and folder are gone when the block ends."""
    with ThrowawayServer(tools=server.tools) as own:
        pid, folder = own.pid, own.folder
        assert folder.exists()
    assert is_gone(pid)
    assert not folder.exists()


def test_nothing_is_left_when_the_block_fails(server: ThrowawayServer) -> None:
    """A test that fails cleans up too."""
    made: list[ThrowawayServer] = []

    def fail() -> None:
        with ThrowawayServer(tools=server.tools) as own:
            made.append(own)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not made[0].folder.exists()


def test_data_survives_a_crash_and_a_restart(server: ThrowawayServer) -> None:
    """A server killed by SIGKILL recovers what was committed, as a real one does."""
    with ThrowawayServer(tools=server.tools) as own:
        with own.session() as session:
            session.run(statement("CREATE TABLE public.words AS SELECT 'kept' AS word"))
        own.stop(signal.SIGKILL)
        with pytest.raises(ServerUnreachable), own.session():
            pass
        own.start()
        with own.session() as session:
            assert session.rows(asked("SELECT word FROM public.words")) == [Word("kept")]


def test_settings_are_taken(server: ThrowawayServer) -> None:
    """A test decides about the settings of its server, quotes included."""
    with ThrowawayServer(tools=server.tools, settings={"cluster_name": "it's mine"}) as own, own.session() as session:
        assert session.row(asked("SELECT current_setting('cluster_name') AS word")) == Word("it's mine")


def test_a_bad_setting_is_said(server: ThrowawayServer) -> None:
    """The end of the server's log is in the error, and nothing is left."""
    with pytest.raises(ServerDidNotStart) as caught, ThrowawayServer(tools=server.tools, settings={"nonsense": "1"}):
        pass
    assert 'unrecognized configuration parameter "nonsense"' in caught.value.detail


def test_two_servers_live_side_by_side(server: ThrowawayServer) -> None:
    """Each has its folder, its port and its password."""
    with (
        ThrowawayServer(tools=server.tools, listens_on_tcp=True) as one,
        ThrowawayServer(tools=server.tools, listens_on_tcp=True) as two,
    ):
        assert one.port != two.port
        assert one.password != two.password
        assert one.folder != two.folder


def test_only_the_account_can_enter_the_folder(server: ThrowawayServer) -> None:
    """The socket is reachable by nobody else on the machine."""
    assert server.folder.stat().st_mode & 0o077 == 0


def test_a_server_dies_with_an_owner_that_was_killed(server: ThrowawayServer) -> None:
    """Killing the worker ends its server at once, and the next sweep removes the folder."""
    owner = subprocess.Popen(
        (sys.executable, "-c", OWNER, str(server.tools.major), str(server.tools.folder)), stdout=subprocess.PIPE
    )
    with owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().decode().split()
        owner.send_signal(signal.SIGKILL)
    assert is_gone(int(pid))
    # Another worker may have swept it already: what counts is that it is gone.
    sweep_leftovers()
    assert not Path(folder).exists()


def test_a_sweep_leaves_living_servers_alone(server: ThrowawayServer) -> None:
    """A folder whose owner lives is not a leftover."""
    assert server.folder not in sweep_leftovers()
    assert server.folder.exists()


def test_a_sweep_stops_a_server_that_outlived_its_owner(server: ThrowawayServer) -> None:
    """Should the signal of the kernel have missed it, the sweep finds the process by its folder."""
    with ThrowawayServer(tools=server.tools) as own:
        own.stop()
        with started(own._postgres()) as orphan:
            while not (own.data / "postmaster.pid").exists():
                time.sleep(0.02)
            orphaned = own.folder / "owner.lock"
            orphaned.unlink()
            orphaned.touch()
            sweep_leftovers()
            assert not own.folder.exists()
            assert orphan.process.wait(timeout=10) is not None
        own.folder.mkdir()


def test_a_claimed_folder_is_no_leftover(tmp_path: Path) -> None:
    """The claim ends with the block."""
    with claimed_folder(tmp_path) as folder:
        assert sweep_leftovers(tmp_path) == ()
    assert not folder.exists()


def test_a_folder_closed_to_the_account_is_refused(tmp_path: Path) -> None:
    """Folders of pytest are closed to everybody but root: the error names the one that is in the way."""
    tmp_path.chmod(0o700)
    stranger = Account("somebody", 4242, 4242)
    with pytest.raises(OutOfReach, match="somebody cannot reach") as caught:
        stranger.must_reach(tmp_path / "data")
    assert "chmod o+x" in caught.value.hint


def test_a_server_never_runs_as_root() -> None:
    """As root another account is chosen; as anybody else it is ourselves."""
    account = server_account()
    assert account is None or account.uid != 0


def test_the_tools_are_of_the_servers_version(server: ThrowawayServer) -> None:
    """What is started is what was asked for."""
    assert server.tools == tools_of(server.tools.major)
    with server.session() as session:
        assert session.facts.major == server.tools.major


def test_the_first_server_makes_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache is filled once, in a folder that only we can enter."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with ThrowawayServer(tools=tools_of(15)):
        pass
    templates = list((tmp_path / "pgtend" / "templates").iterdir())
    assert [template.name.partition("-")[0] for template in templates] == ["15"]
    assert (tmp_path / "pgtend" / "templates").stat().st_mode & 0o077 == 0


def test_a_crashed_server_begins_again_when_its_old_sessions_are_gone() -> None:
    """They outlive it until they have done what they were at, and no server may begin beside them."""
    with ThrowawayServer(tools=tools_of(15)) as server, ThreadPoolExecutor() as crew:

        def count() -> None:
            with suppress(PgtendError), server.session() as busy:
                busy.run(statement("SELECT count(*) FROM generate_series(1, 15000000)"))

        counting = crew.submit(count)
        with server.session() as watcher:
            while not watcher.rows(BUSY):
                assert not counting.done()
                time.sleep(0.01)
        assert not counting.done()
        server.stop(how=signal.SIGKILL)
        server.start()
        with server.session() as session:
            assert session.facts.major == 15


def test_templates_that_nobody_copied_for_a_month_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each version of the programs leaves one behind; using one keeps it, and a new one ends what is out of use."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = tmp_path / "pgtend" / "templates"
    with ThrowawayServer(tools=tools_of(15)):
        (first,) = cache.iterdir()
    for name, age in (("14-0123456789abcdef", timedelta(days=31)), ("17-0123456789abcdef", timedelta(days=29))):
        (cache / name / "base").mkdir(parents=True)
        os.utime(cache / name, (0, time.time() - age.total_seconds()))
    os.utime(first, (0, 0))
    with ThrowawayServer(tools=tools_of(15)), ThrowawayServer(tools=tools_of(18)):
        left = sorted(template.name.partition("-")[0] for template in cache.iterdir())
    assert left == ["15", "17", "18"]


def test_a_folder_without_a_claim_is_swept_once_it_is_old(tmp_path: Path) -> None:
    """A folder that was just made may be about to be claimed; an old one was abandoned before its claim."""
    young, old = tmp_path / "pgtend-server-young", tmp_path / "pgtend-server-old"
    young.mkdir()
    old.mkdir()
    os.utime(old, (0, 0))
    assert sweep_leftovers(tmp_path) == (old,)
    assert young.exists()


def test_what_lies_beside_a_server_is_swept_too(tmp_path: Path) -> None:
    """Canaries and flipped objects of a drill that was killed hold nothing secret, and still they go."""
    for name in ("pgtend-canary-x", "pgtend-flipped-x", "pgtend-initdb-x", "pgtend-somebody-else-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "owner.lock").touch()
    sweep_leftovers(tmp_path)
    assert [left.name for left in tmp_path.iterdir()] == ["pgtend-somebody-else-x"]
