"""Whose fault an error in a drill is: the backup's, or the place's that the drill runs in."""

from __future__ import annotations

import pytest

from pgtend.drill.course import blame
from pgtend.drill.failures import FailureClass
from pgtend.drill.model import CheckName
from pgtend.kernel.errors import PgtendError
from pgtend.postgres.errors import ConnectionLost, StatementTimeout
from pgtend.postgres.process import Stalled, ToolFailed, ToolKilled


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionLost("the server went away"), FailureClass.ENVIRONMENT),
        (StatementTimeout("it took too long"), FailureClass.ENVIRONMENT),
        (ToolKilled("pg_restore was killed by SIGKILL"), FailureClass.ENVIRONMENT),
        (Stalled("pg_restore stalled"), FailureClass.ENVIRONMENT),
        (ToolFailed("pg_restore exited", detail="ERROR:  ... No space left on device"), FailureClass.ENVIRONMENT),
        (ToolFailed("pg_restore exited", detail="ERROR:  out of memory"), FailureClass.ENVIRONMENT),
        (ToolFailed("pg_restore exited", detail="ERROR:  function f() does not exist"), FailureClass.RESTORE_FAILED),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, PgtendError) else "",
)
def test_what_the_place_could_not_carry_is_held_against_no_backup(error: PgtendError, kind: FailureClass) -> None:
    """Only what a server with enough of everything would refuse too is the fault of the backup."""
    check = blame(error, CheckName.RESTORE)
    assert check is not None
    assert check.failure is kind
