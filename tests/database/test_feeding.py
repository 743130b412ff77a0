"""Programs that are given a stream: nothing is lost, and nothing regular comes of a damaged one."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest

from pgtend.kernel.errors import BrokenEvidence, Outage
from pgtend.postgres.command import Command
from pgtend.postgres.process import Stalled, ToolFailed, feeding, filtering
from pgtend.vault.errors import ObjectDamaged

SOON = timedelta(seconds=20)


class Broken(io.BytesIO):
    """A stream whose end turns out not to be what was stored."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Give what is there, and raise where the end would be."""
        chunk = super().read(size)
        if not chunk:
            raise ObjectDamaged("'x' is damaged")
        return chunk


def test_a_program_gets_every_byte(tmp_path: Path) -> None:
    """More than a pipe holds arrives whole."""
    content = bytes(range(256)) * 8192
    feeding(Command(argv=("/usr/bin/dd", f"of={tmp_path / 'out'}", "status=none")), io.BytesIO(content), silence=SOON)
    assert (tmp_path / "out").read_bytes() == content


def test_a_program_that_fails_is_an_error() -> None:
    """Its status counts, even when it took every byte."""
    command = Command(argv=("/bin/sh", "-c", "cat >/dev/null; echo it went wrong >&2; exit 3"))
    with pytest.raises(ToolFailed, match="exited with status 3"):
        feeding(command, io.BytesIO(b"x" * 10), silence=SOON)


def test_a_program_that_needs_no_more_leaves_the_stream_to_be_judged() -> None:
    """It may stop reading, and still a damaged stream is found out at its end."""
    command = Command(argv=("/usr/bin/head", "-c", "1"))
    feeding(command, io.BytesIO(b"x" * 10_000_000), silence=SOON)
    with pytest.raises(BrokenEvidence):
        feeding(command, Broken(b"x" * 10_000_000), silence=SOON)


def test_a_program_never_sees_a_regular_end_of_a_damaged_stream(tmp_path: Path) -> None:
    """It is killed before it could act on the end."""
    told = tmp_path / "told"
    with pytest.raises(ObjectDamaged):
        feeding(Command(argv=("/bin/sh", "-c", f"cat >/dev/null; touch {told}")), Broken(b"x"), silence=SOON)
    assert not told.exists()


def test_a_program_that_takes_nothing_is_ended() -> None:
    """One that hangs is not waited for longer than allowed."""
    with pytest.raises(Stalled, match="it took no byte"):
        feeding(Command(argv=("/usr/bin/sleep", "60")), io.BytesIO(b"x" * 4_000_000), silence=timedelta(seconds=0.3))


def test_a_program_that_does_not_end_is_ended() -> None:
    """One that was given everything and hangs is not waited for either."""
    with pytest.raises(Stalled, match="did not end"):
        feeding(Command(argv=("/usr/bin/sleep", "60")), io.BytesIO(b""), silence=timedelta(seconds=0.3))


def read_all(command: Command, stream: io.BytesIO, *, silence: timedelta = SOON) -> bytes:
    """Give what a program makes of a stream."""
    with filtering(command, stream, silence=silence) as made:
        return made.readall()


def test_a_filter_gives_what_it_makes_of_every_byte() -> None:
    """More than two pipes hold goes in and comes out whole."""
    content = bytes(range(256)) * 32768
    assert read_all(Command(argv=("/usr/bin/cat",)), io.BytesIO(content)) == content


def test_a_filter_that_fails_is_an_error() -> None:
    """Its status counts, even when all that it gave was read."""
    with pytest.raises(ToolFailed, match="exited with status 3"):
        read_all(Command(argv=("/bin/sh", "-c", "cat; exit 3")), io.BytesIO(b"x"))


@pytest.mark.parametrize("filtered", ["cat", "head -c 1", "cat >/dev/null; exit 3"])
def test_what_a_filter_made_of_a_damaged_stream_never_counts(filtered: str) -> None:
    """A stream is judged at its last byte, also when the filter wanted no more of it, or failed because of it."""
    with pytest.raises(ObjectDamaged):
        read_all(Command(argv=("/bin/sh", "-c", filtered)), Broken(b"x" * 10_000_000))


def test_a_filter_that_takes_nothing_is_ended() -> None:
    """Nothing comes of it either, and whichever end notices first says so."""

    def hang() -> None:
        hangs, much = Command(argv=("/usr/bin/sleep", "60")), io.BytesIO(b"x" * 4_000_000)
        with filtering(hangs, much, silence=timedelta(seconds=0.3)) as made:
            made.read()

    with pytest.raises(Stalled, match=r"it took no byte|no byte came"):
        hang()


def test_who_reads_a_filter_may_fail_without_waiting_for_the_stream() -> None:
    """The failure is the reader's own, and the rest of the stream is left alone."""
    stream = io.BytesIO(b"x" * 400_000_000)

    def fail() -> None:
        with filtering(Command(argv=("/usr/bin/cat",)), stream, silence=SOON) as made:
            made.read(1)
            raise Outage("there is no room for rows")

    with pytest.raises(Outage, match="no room"):
        fail()
    assert stream.tell() < 300_000_000
