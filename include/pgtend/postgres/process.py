"""Runs programs: alone or as a pipeline, every exit status counted, no silence longer than allowed."""

from __future__ import annotations

import fcntl
import io
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from typing import IO, Protocol

from typing_extensions import Buffer, override

from pgtend.kernel.errors import Outage, PgtendError
from pgtend.kernel.times import say_span
from pgtend.postgres.command import Command, Running, started
from pgtend.postgres.translation import hint_for, recognise

_SHELL_OFFSET = 128
_PIECE = 256 * 1024
_WIDTH = 1024 * 1024
_FILLED_A_SECOND = 512 * 1024 * 1024
_SIGNALS = {number.value: number.name for number in signal.Signals}


class Source(Protocol):
    """Anything bytes can be read from; it raises instead of ending when it is damaged."""

    def read(self, size: int = ..., /) -> bytes:
        """Read at most so many bytes; none mean the end."""
        ...


class ToolFailed(Outage):
    """A program ended with an error; the detail is the redacted end of what it said."""

    code = "postgres.tool_failed"


class ToolKilled(ToolFailed):
    """A program was killed by somebody else, such as a system without memory: it says nothing about what it read."""

    code = "postgres.tool_killed"


class Stalled(Outage):
    """A program gave no sign of life for longer than allowed and was killed."""

    code = "postgres.stalled"


def run(command: Command, *, within: timedelta, feed: bytes = b"") -> bytes:
    """Run a program whose output is small, and give its output."""
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        try:
            output, _ = running.process.communicate(feed, timeout=within.total_seconds())
        except subprocess.TimeoutExpired as error:
            raise _stalled(running, within, "it did not end") from error
        _refuse_failure([running])
        return output


@contextmanager
def reading(
    *commands: Command, silence: timedelta, source: IO[bytes] | int = subprocess.DEVNULL
) -> Generator[CheckedPipe]:
    """Read the output of a pipeline; the end of it is reached only when every member ended well."""
    with ExitStack() as cleanup:
        members: list[Running] = []
        upstream: IO[bytes] | int = source
        for command in commands:
            running = cleanup.enter_context(started(command, stdin=upstream, stdout=subprocess.PIPE))
            if members:
                # Held open here, a pipe would never tell the writer that its reader died.
                _outlet(members[-1]).close()
            members.append(running)
            upstream = _outlet(running)
        yield cleanup.enter_context(CheckedPipe(members, silence))


def feeding(command: Command, stream: Source, *, silence: timedelta) -> None:
    """Write a stream into a program to its end, and wait until the program ended well.

    A stream that raises takes the program down with it, so that it never sees a regular end of damaged input. A
    program that needs no more may end early; the rest of the stream is still read, because it is judged at its end.
    """
    with started(command, stdin=subprocess.PIPE) as running:
        inlet = _inlet(running)
        is_wanted = True
        while chunk := stream.read(_PIECE):
            if is_wanted and not _offer(running, inlet, chunk, silence):
                _await_end(running, silence)
                _refuse_failure([running])
                is_wanted = False
        inlet.close()
        _await_end(running, silence)
        _refuse_failure([running])


@contextmanager
def filtering(command: Command, stream: Source, *, silence: timedelta) -> Generator[CheckedPipe]:
    """Feed a stream into a program, and read what it makes of it.

    What was read counts when the block has ended, and not before: only then was the stream judged to its last byte.
    """
    with (
        started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running,
        CheckedPipe([running], silence) as pipe,
    ):
        feeder = _Feeder(running, stream, silence)
        try:
            yield pipe
        except ToolFailed as error:
            # A stream that raised has made the program fail, and knows better why.
            raise feeder.ended() or error from None
        except PgtendError as error:
            raise feeder.stopped() or error from None
        except BaseException:
            feeder.stopped()
            raise
        if trouble := feeder.ended():
            raise trouble


class _Feeder:
    """Writes a stream into a program from a thread of its own, and remembers what went wrong."""

    def __init__(self, running: Running, stream: Source, silence: timedelta) -> None:
        self._running = running
        self._stream = stream
        self._silence = silence
        self._is_over = threading.Event()
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="feeder", daemon=True)
        self._thread.start()

    def ended(self) -> BaseException | None:
        """Wait for the end of the stream, which is read also when the program wants no more of it."""
        self._thread.join()
        return self._trouble

    def stopped(self) -> BaseException | None:
        """End it now, wherever the stream is."""
        self._is_over.set()
        self._running.process.kill()
        return self.ended()

    def _work(self) -> None:
        try:
            with _inlet(self._running) as inlet:
                is_wanted = True
                while not self._is_over.is_set() and (chunk := self._stream.read(_PIECE)):
                    is_wanted = is_wanted and _offer(self._running, inlet, chunk, self._silence)
        except BaseException as error:  # noqa: BLE001 - it is not swallowed: whoever waits for the end raises it
            self._trouble = error


def _inlet(running: Running) -> IO[bytes]:
    if running.process.stdin is None:
        raise ValueError(f"{running.command.name} was started without an input to write to")
    os.set_blocking(running.process.stdin.fileno(), False)  # a write of more than fits must not wait too long
    _widen(running.process.stdin)
    return running.process.stdin


def _widen(pipe: IO[bytes]) -> None:
    """Let more wait in a pipe, so that its two ends take turns less often; an account may have its fill of that."""
    with suppress(OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _WIDTH)


def _rest(pipe: IO[bytes]) -> None:
    """Give the other end a moment to fill or to empty a good part of the pipe, less than it needs for all of it.

    Programs write and read 4 KB at a time. Whoever wakes for each spends four times as long on waking as on bytes.
    """
    time.sleep(fcntl.fcntl(pipe.fileno(), fcntl.F_GETPIPE_SZ) / _FILLED_A_SECOND)


def _offer(running: Running, inlet: IO[bytes], chunk: bytes, silence: timedelta) -> bool:
    """Hand over some bytes, and tell whether more are wanted."""
    left = memoryview(chunk)
    watched = select.poll()
    watched.register(inlet, select.POLLOUT)
    while left:
        if not watched.poll(silence.total_seconds() * 1000):
            raise _stalled(running, silence, "it took no byte")
        try:
            left = left[os.write(inlet.fileno(), left) :]
        except BrokenPipeError:
            return False
        if left:
            _rest(inlet)
    return True


def _await_end(running: Running, silence: timedelta) -> None:
    try:
        running.process.wait(timeout=silence.total_seconds())
    except subprocess.TimeoutExpired as error:
        raise _stalled(running, silence, "it was given everything and did not end") from error


class CheckedPipe(io.RawIOBase):
    """The output of a pipeline as a stream that raises instead of ending early.

    An upload reads until the end of its stream and calls that success. Here the end comes only after every member
    exited with 0; a member that died makes the read raise, and the upload is given up.
    """

    def __init__(self, members: Sequence[Running], silence: timedelta) -> None:
        super().__init__()
        self._members = members
        self._silence = silence
        self._outlet = _outlet(members[-1])
        self._is_checked = False
        self._is_drained = False
        self._watched = select.poll()
        self._watched.register(self._outlet, select.POLLIN)
        _widen(self._outlet)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        if view.nbytes == 0:
            return 0
        self._await_bytes()
        # From the descriptor: a buffered read waits for a full buffer, and the watchdog would see no silence.
        count = os.readv(self._outlet.fileno(), [view])
        self._is_drained = count < view.nbytes
        if not count and not self._is_checked:
            self._check()
        return count

    @override
    def read(self, size: int = -1, /) -> bytes:
        """Read what there is: inherited, it would clear memory for all that was asked for, and then copy."""
        if size < 0:
            return self.readall()
        self._await_bytes()
        chunk = os.read(self._outlet.fileno(), size)
        self._is_drained = len(chunk) < size
        if size and not chunk and not self._is_checked:
            self._check()
        return chunk

    def await_output(self, within: timedelta) -> bool:
        """Tell whether there is something to read, or the end; a member that failed is raised."""
        seen = self._watched.poll(within.total_seconds() * 1000)
        if seen and not seen[0][1] & select.POLLIN:
            self._check()
        return bool(seen)

    def ask_to_end(self) -> None:
        """Ask every member to end by itself; pg_dump then cancels what it asked of the server."""
        for member in self._members:
            member.process.terminate()

    def await_end(self, within: timedelta) -> None:
        """Give members time to end that were asked to; who does not is killed when the pipe is closed."""
        for member in self._members:
            with suppress(subprocess.TimeoutExpired):
                member.process.wait(timeout=within.total_seconds())

    def stop(self) -> None:
        """End every member, so that whoever reads is told at once; for another thread than the reader's."""
        for member in self._members:
            member.process.kill()

    @override
    def close(self) -> None:
        self._outlet.close()
        super().close()

    def _await_bytes(self) -> None:
        if self._is_drained:
            _rest(self._outlet)
        if not self._watched.poll(self._silence.total_seconds() * 1000):
            raise _stalled(self._members[-1], self._silence, "no byte came")

    def _check(self) -> None:
        """Wait for every member: one that closed its output may still fail, or hang."""
        deadline = time.monotonic() + self._silence.total_seconds()
        for member in self._members:
            try:
                member.process.wait(timeout=max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired as error:
                raise _stalled(member, self._silence, "it closed its output and did not end") from error
        _refuse_failure(self._members)
        self._is_checked = True


def _outlet(member: Running) -> IO[bytes]:
    if member.process.stdout is None:
        raise ValueError(f"{member.command.name} was started without an output to read")
    return member.process.stdout


def _refuse_failure(members: Sequence[Running]) -> None:
    """Raise the failure that explains the others: a broken pipe upstream only echoes a failure downstream."""
    failed = [member for member in members if member.process.returncode != 0]
    causes = [member for member in failed if not _is_broken_pipe(member.process.returncode)]
    if failed:
        raise _failure((causes or failed)[-1], failed)


def _is_broken_pipe(status: int) -> bool:
    return status in {-signal.SIGPIPE, _SHELL_OFFSET + signal.SIGPIPE}


def _failure(blamed: Running, failed: Sequence[Running]) -> PgtendError:
    words = blamed.last_words()
    recognised = recognise(words)
    kind = recognised or (ToolFailed if _killed_by(blamed) is None else ToolKilled)
    others = [f"{member.command.name} {_ending(member)}" for member in failed if member is not blamed]
    return kind(
        f"{blamed.command.name} {_ending(blamed)}",
        detail="\n".join(filter(None, [words or "It said nothing.", *(f"With it: {other}." for other in others)])),
        hint=hint_for(recognised) if recognised else "See docs/runbooks/tool-failed.md.",
    )


def _ending(member: Running) -> str:
    signal_name = _killed_by(member)
    return f"was killed by {signal_name}" if signal_name else f"exited with status {member.process.returncode}"


def _killed_by(member: Running) -> str | None:
    status = member.process.returncode
    return _SIGNALS.get(-status if status < 0 else status - _SHELL_OFFSET)


def _stalled(member: Running, span: timedelta, what: str) -> Stalled:
    return Stalled(
        f"{member.command.name} stalled: {what} within {say_span(span)}",
        detail=member.last_words(),
        hint="The network or the server holds it up: look at pg_stat_activity there. It is tried again.",
    )
