"""What stands in the way of a backup, and what a person should know before relying on one."""

from __future__ import annotations

from dataclasses import replace

from pgtend.backup.advisories import Version
from pgtend.backup.facts import Outside, SourceReading
from pgtend.backup.preflight import Preflight
from pgtend.kernel.sizes import Bytes
from pgtend.vault.agekeys import PublicKey, new_pair

SOURCE = SourceReading(
    database="kgc",
    owner="kgc_owner",
    version=150020,
    system_identifier="1",
    is_standby=False,
    encoding="UTF8",
    collation="C",
    ctype="C",
    locale_provider="libc",
    locale="",
    collation_version="",
    size=1,
    settings=[],
)
OUTSIDE = Outside(
    is_superuser=False,
    may_bypass_rls=False,
    sql_role="tender",
    role_names=[b"tender"],
    subscriptions=0,
    user_mappings=0,
    large_objects=0,
    large_objects_size=0,
    closed_objects=[],
)
TWO = (PublicKey("operations", new_pair().public), PublicKey("escrow", new_pair().public))
READY = Preflight(
    source=SOURCE, outside=OUTSIDE, relations=(), client=Version(15, 20), recipients=TWO, unencrypted=False
)


def test_nothing_to_say_when_all_is_well() -> None:
    """A sound server, sound tools and two recipients need no remark."""
    assert list(READY.problems()) == []
    assert list(READY.remarks()) == []


def test_tools_older_than_the_server_are_refused() -> None:
    """They would not know what the server knows."""
    problems = list(replace(READY, source=replace(SOURCE, version=180006)).problems())
    assert [problem.what for problem in problems] == ["it is older than the server, PostgreSQL 18.6"]


def test_tools_with_a_hole_at_restore_are_refused() -> None:
    """What they write may run commands on the machine that restores it."""
    problems = list(replace(READY, client=Version(15, 13)).problems())
    assert [problem.where for problem in problems] == ["pg_dump 15.13"]
    assert "CVE-2025-8714" in problems[0].what


def test_a_shared_snapshot_on_an_old_standby_is_refused() -> None:
    """The same version is fine on a primary, and a repaired one on a standby."""
    standby = replace(SOURCE, is_standby=True)
    assert [p.where for p in replace(READY, source=replace(standby, version=150019)).problems()] == ["PostgreSQL 15.19"]
    assert list(replace(READY, source=standby).problems()) == []
    assert list(replace(READY, source=replace(SOURCE, version=150019)).problems()) == []


def test_a_vault_with_less_room_than_the_last_backup_took_is_refused() -> None:
    """A tenth more is asked for; where the vault cannot know its room, nothing is claimed."""
    tight = replace(READY, room=Bytes(1_000), last_size=Bytes(1_000))
    (problem,) = tight.problems()
    assert (problem.where, problem.what) == ("vault", "1000 bytes are left, and the last backup took 1000 bytes")
    assert list(replace(tight, room=Bytes(1_100)).problems()) == []
    assert list(replace(tight, room=None).problems()) == []


def test_many_closed_large_objects_are_not_listed_to_the_last() -> None:
    """A message of ten thousand lines is read by nobody."""
    closed = replace(READY, outside=replace(OUTSIDE, closed_objects=list(range(1, 51))))
    problems = list(closed.problems())
    assert len(problems) == 21
    assert problems[-1].what == "the role may not open them, and 30 more"


def test_what_is_not_in_it_is_said() -> None:
    """A dump by an ordinary role lacks subscriptions and the options of user mappings, with exit status 0."""
    outside = replace(OUTSIDE, subscriptions=2, user_mappings=1)
    remarks = list(replace(READY, outside=outside, recipients=TWO[:1]).remarks())
    assert remarks == [
        "It is sealed for one recipient only: if that private key is lost, so is the backup.",
        "2 subscriptions are not in it: only a superuser's dump holds them.",
        "The options of user mappings, such as passwords, are not in it.",
    ]


def test_a_database_without_an_encoding_is_mentioned() -> None:
    """Restored into one with an encoding, it would carry invalid text with it."""
    remarks = list(replace(READY, source=replace(SOURCE, encoding="SQL_ASCII")).remarks())
    assert len(remarks) == 1
    assert "SQL_ASCII" in remarks[0]
