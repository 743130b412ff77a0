"""What the five teams want archived leaves by the rules of the demo's fleet file, by a role that is no superuser."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from bed.archiving import Attic
from bed.clusters import MAJORS, LiveDatabase, tools_of
from demo.databases.create import create_fleet
from demo.databases.roster import FLEET, TEAMS, TENDER, login_roles
from demo.databases.seed import seed_fleet
from pgtend.postgres.throwaway import ThrowawayServer

RULES = yaml.safe_load((Path(__file__).parents[2] / "demo" / "fleet.yaml").read_text())["databases"]
TODAY = date(2026, 11, 21)


def attic_of(server: ThrowawayServer, name: str, passwords: dict[str, str], folder: Path) -> Attic:
    """Tend one team's database by the demo's rules, as the tender does."""
    tender = server.role(TENDER, SecretStr(passwords[TENDER]), name)
    made = Attic(LiveDatabase(server, name, tender), folder / name, tables=RULES[name]["archive"]["tables"])
    made.now = datetime(2026, 11, 21, 3, tzinfo=UTC)
    # From 17 on the demo's tender may only ANALYZE; to archive it has to be a member of the owner, which the plan says.
    hints = {problem.hint for table in made.plan().tables for problem in table.problems}
    wanted = f"GRANT {TEAMS[name].owner} TO {TENDER};"
    assert (wanted in hints) is (server.tools.major >= 17)
    made.live.run(wanted)
    return made


@pytest.mark.parametrize("major", MAJORS, ids=lambda major: f"pg{major}")
def test_the_teams_tables_are_archived_and_nothing_is_lost(major: int, tmp_path: Path) -> None:
    """Health metrics that recommendations point at, memories in json that expired, and the logs of the other four."""
    passwords = {role: secrets.token_urlsafe(12) for role in login_roles()}
    with ThrowawayServer(tools=tools_of(major), settings={"shared_preload_libraries": ""}) as server:
        create_fleet(server.superuser().conninfo, passwords, progress=str)
        seed_fleet(server.superuser().conninfo, today=TODAY, progress=str)
        for name in FLEET:
            attic = attic_of(server, name, passwords, tmp_path)
            before = {table: attic.content(table) for table in attic.tables}
            report = attic.run()
            assert report.rows > 0, name
            assert {table: attic.content(f"{table}_all") for table in attic.tables} == before, name
