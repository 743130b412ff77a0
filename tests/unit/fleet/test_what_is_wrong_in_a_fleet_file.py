"""What a person reads when the fleet file is wrong: the place, the line, the reason, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet_files import SMALLEST, load, problems, write
from pgtend.fleet.load import BadFleetFile, load_fleet
from pgtend.kernel.errors import Misconfigured, family_of

HEAD = "fleet: clinic\ndatabases:\n"


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (
            "analyze: {schedul: 30 1 * * *}",
            "databases.kgc.analyze.schedul (line 4): unknown setting 'schedul' (did you mean 'schedule'?)",
        ),
        (
            "analyze: {schedule: 61 1 * * *}",
            (
                "databases.kgc.analyze.schedule (line 4): '61 1 * * *' is not a schedule: '61' is no minute "
                "(from 0 to 59) (five fields: minute, hour, day of the month, month, day of the week; "
                "for example 30 1 * * * is 01:30 every day)"
            ),
        ),
        (
            "analyze: {schedule: 30 12 * * *}",
            (
                "databases.kgc.analyze.schedule (line 4): '30 12 * * *' starts at 12:30, outside the window "
                "01:00 to 05:00 UTC ('30 1 * * *' would lie inside)"
            ),
        ),
        (
            "analyze: {schedule: '0 * * * *'}",
            (
                "databases.kgc.analyze.schedule (line 4): '0 * * * *' starts at 00:00, 05:00, 06:00 and 17 more times, "
                "outside the window 01:00 to 05:00 UTC ('30 1 * * *' would lie inside)"
            ),
        ),
        ("vault: mian", "databases.kgc.vault (line 4): unknown vault 'mian' (did you mean 'main'?)"),
        (
            "name: kgc",
            "databases.kgc.name (line 4): unknown setting 'name' (the name of this database is its key: 'kgc')",
        ),
        ("owner: 5", 'databases.kgc.owner (line 4): expected text, found the number 5 (put it in quotes: "5")'),
        (
            "owner:",
            "databases.kgc.owner (line 4): nothing is written here (write a value, or remove the line for the default)",
        ),
        ("connection: ''", "databases.kgc.connection (line 4): nothing is written here (at least 1)"),
        ("limits: {sessions: 0}", "databases.kgc.limits.sessions (line 4): 0 is too small: at least 1"),
        (
            "limits: {sessions: '2,000'}",
            "databases.kgc.limits.sessions (line 4): expected a whole number, found '2,000' (write 2000)",
        ),
        (
            "limits: {lock_timeout: 30}",
            "databases.kgc.limits.lock_timeout (line 4): 30 has no unit of time (write 30 s, 30 min or 30 h)",
        ),
        (
            "limits: {lock_timeout: soon}",
            (
                "databases.kgc.limits.lock_timeout (line 4): 'soon' is not a span of time "
                "(write numbers with units: 90 s, 15 min, 2 h, 7 days)"
            ),
        ),
        (
            "limits: {lock_timeout: 0 s}",
            "databases.kgc.limits.lock_timeout (line 4): '0 s' is no time at all (write a span longer than zero)",
        ),
        (
            "limits: many",
            (
                "databases.kgc.limits (line 4): expected settings below this name, found 'many' "
                "(settings here: sessions, connect_timeout, statement_timeout, lock_timeout)"
            ),
        ),
        (
            "window: {start: 25:00}",
            (
                "databases.kgc.window.start (line 4): '25:00' is not a time of day "
                "(write hours and minutes, from 00:00 to 23:59)"
            ),
        ),
        (
            "window: {timezone: Afrika/Lagos}",
            "databases.kgc.window.timezone (line 4): 'Afrika/Lagos' is not a time zone (did you mean 'Africa/Lagos'?)",
        ),
        ("analyze: {enabled: yes}", "databases.kgc.analyze.enabled (line 4): expected true or false, found 'yes'"),
        (
            "analyze: {changed_fraction: 2%}",
            "databases.kgc.analyze.changed_fraction (line 4): expected a number, found '2%' (write 0.02 for 2%)",
        ),
        (
            "analyze: {skip: public.audit}",
            (
                "databases.kgc.analyze.skip (line 4): expected a list, found 'public.audit' "
                "(write [a, b], or one '- a' a line)"
            ),
        ),
        (
            "analyze: {skip: [public.a, audit]}",
            (
                "databases.kgc.analyze.skip[1] (line 4): 'audit' names no table "
                "(write schema.table, with * for any text: public.audit_* or staging.*)"
            ),
        ),
        (
            "analyze: {statistics_targets: {users.id: 10}}",
            (
                "databases.kgc.analyze.statistics_targets.'users.id' (line 4): 'users.id' names no column "
                "(write schema.table.column: public.health_metrics.user_id)"
            ),
        ),
        (
            "analyze: {statistics_targets: {public.users.id: 20000}}",
            "databases.kgc.analyze.statistics_targets.'public.users.id' (line 4): 20000 is too large: at most 10000",
        ),
        (
            "analyze: {deadline: 10 min}",
            (
                "databases.kgc.analyze.deadline (line 4): the deadline of 10 min ends before the time budget of 1 h "
                "(every long run would raise an alert)"
            ),
        ),
    ],
)
def test_a_wrong_rule_of_a_database_is_explained(tmp_path: Path, rules: str, problem: str) -> None:
    """One wrong rule gives exactly one sentence, with its line and what would be right."""
    assert problems(tmp_path, f"{HEAD}  kgc:\n    {rules}\n") == [problem]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "environment: prod",
            "environment (line 1): expected one of development, test, staging, production, found 'prod'",
        ),
        (
            "environment: stagin",
            (
                "environment (line 1): expected one of development, test, staging, production, found 'stagin' "
                "(did you mean 'staging'?)"
            ),
        ),
        ("enviroment: test", "enviroment (line 1): unknown setting 'enviroment' (did you mean 'environment'?)"),
        ("ledger:", "ledger.connection (line 1): 'connection' is missing (it has no default)"),
        (
            "ledger: {connection: ledger, keep: 30 days}",
            "ledger.keep (line 1): 30 d is too small: at least 90 days",
        ),
        (
            "vaults: {main: {}}",
            (
                "vaults.main (line 1): a vault is either a folder or an S3 bucket "
                "(write one of 'folder:' and 's3:' below the vault's name)"
            ),
        ),
        (
            "vaults: {main: {folder: {}, s3: {bucket: copies}}}",
            (
                "vaults.main (line 1): a vault is either a folder or an S3 bucket, and this is both "
                "(write one of 'folder:' and 's3:' below the vault's name)"
            ),
        ),
        (
            "vaults: {main: {s3: {bucket: copies, kms_key: k}}}",
            (
                "vaults.main.s3 (line 1): kms_key has no effect without encryption: aws:kms "
                "(add that line or remove kms_key)"
            ),
        ),
        (
            "vaults: {main: {s3: {bucket: copies, endpoint: s3.example.org}}}",
            (
                "vaults.main.s3.endpoint (line 1): 's3.example.org' is not the address of a server "
                "(write https://host:port, without user, path or bucket)"
            ),
        ),
        (
            "vaults: {main: {s3: {bucket: copies, bucket_owner: 123456789012}}}",
            (
                "vaults.main.s3.bucket_owner (line 1): expected text, found the number 123456789012 "
                '(put it in quotes: "123456789012")'
            ),
        ),
        (
            "vaults: {main: {s3: {buket: copies}}}",
            "vaults.main.s3.buket (line 1): unknown setting 'buket' (did you mean 'bucket'?)",
        ),
        (
            "alerts: {channels: {team: {smtp: {connection: mail, to: nobody}}}}",
            "alerts.channels.team.smtp.to (line 1): 'nobody' is not a mail address (write somebody@example.org)",
        ),
        (
            "alerts: {channels: {team: {smtp: {connection: mail, to: []}}}}",
            "alerts.channels.team.smtp.to (line 1): nothing is written here (at least 1)",
        ),
    ],
)
def test_a_wrong_rule_of_the_fleet_is_explained(tmp_path: Path, line: str, problem: str) -> None:
    """What is set for the whole fleet is explained in the same way."""
    assert problems(tmp_path, line + SMALLEST) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("fleet: clinic\n", "databases (line 1): 'databases' is missing (it has no default)"),
        (
            "fleet: clinic\ndatabases:\n",
            "databases (line 2): the fleet has no databases (name at least one, indented below it)",
        ),
        (
            "fleet: clinic\ndatabses:\n  kgc:\n",
            "databses (line 2): unknown setting 'databses' (did you mean 'databases'?)",
        ),
        (
            "fleet: clinic\ndatabases: [kgc]\n",
            (
                "databases (line 2): expected settings below this name, found a list "
                "(write 'name: value' lines, indented below it)"
            ),
        ),
        (
            f"{HEAD}  kgc:\n  fleet:\n",
            "databases.fleet (line 4): a database cannot be called 'fleet' (pipelines of the whole fleet are named so)",
        ),
        (
            f"{HEAD}  KGC:\n",
            (
                "databases.KGC (line 3): 'KGC' cannot be used as a name "
                "(a lower-case letter first, then lower-case letters, "
                "digits, '_' and '-', 40 at most: names become part of DAG ids and object keys)"
            ),
        ),
        (
            f"{HEAD}  kgc:\n  scribemed:\n  kgc: {{owner: me}}\n",
            (
                "databases.kgc (line 5): two databases are named 'kgc', on line 3 and on line 5 "
                "(rename or remove one of them)"
            ),
        ),
        (
            f"{HEAD}  kgc:\n  scribemed: {{connection: kgc}}\n",
            (
                "databases.scribemed.connection (line 4): databases 'kgc' and 'scribemed' have the same connection "
                "'kgc' (give each its own connection, or remove one)"
            ),
        ),
        (
            "fleet: clinic\nfleet: hospital\ndatabases: {kgc: }\n",
            "fleet (line 2): 'fleet' is set twice, on line 1 and on line 2 (remove one of them)",
        ),
    ],
)
def test_a_wrong_set_of_databases_is_explained(tmp_path: Path, text: str, problem: str) -> None:
    """Missing, repeated and misnamed databases are named with their lines."""
    assert problems(tmp_path, text) == [problem]


def test_an_unknown_connection_is_found_when_all_of_them_are_known(tmp_path: Path) -> None:
    """With `connections: environment` a mistyped connection does not wait until the night."""
    text = "fleet: clinic\nconnections: environment\nledger: {connection: legder}\ndatabases:\n  kcg:\n"
    assert problems(tmp_path, text, known={"kgc", "ledger"}) == [
        "ledger.connection (line 3): unknown connection 'legder' (did you mean 'ledger'?)",
        "databases.kcg.connection (line 5): unknown connection 'kcg' (did you mean 'kgc'?)",
    ]
    assert problems(tmp_path, text, known=set())[0].endswith("(no connection is defined at all)")


def test_connections_defined_elsewhere_are_not_looked_for(tmp_path: Path) -> None:
    """With `connections: anywhere` a connection may live in the Airflow UI, where reading the file cannot look."""
    assert load(tmp_path, SMALLEST, known=set()).databases["kgc"].connection == "kgc"


def test_a_wrong_environment_does_not_bring_complaints_about_its_window(tmp_path: Path) -> None:
    """What only follows from another mistake is not said: nobody knows which window was meant."""
    text = "fleet: clinic\nenvironment: tset\ndatabases:\n  kgc: {analyze: {schedule: 0 12 * * *}}\n"
    assert [problem.partition(" ")[0] for problem in problems(tmp_path, text)] == ["environment"]


def test_all_problems_are_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """One run is enough to correct a file: YAML, rules and what must fit together are all in one error."""
    text = """\
fleet: clinic
owner: data
owner: team
databases:
  kgc:
    limits: {sessions: many}
    vault: mian
  scribemed:
    analyze: {schedule: 0 12 * * *}
    conection: kgc
"""
    with pytest.raises(BadFleetFile) as raised:
        load_fleet(write(tmp_path, text))
    assert family_of(raised.value) is Misconfigured
    assert str(raised.value) == (
        f"the fleet file {tmp_path / 'fleet.yaml'} has 5 problems [fleet.bad_file]\n"
        "DETAIL: \n"
        "  - owner (line 3): 'owner' is set twice, on line 2 and on line 3 (remove one of them)\n"
        "  - databases.kgc.limits.sessions (line 6): expected a whole number, found 'many'\n"
        "  - databases.kgc.vault (line 7): unknown vault 'mian' (did you mean 'main'?)\n"
        "  - databases.scribemed.analyze.schedule (line 9): '0 12 * * *' starts at 12:00, outside the window "
        "01:00 to 05:00 UTC ('30 1 * * *' would lie inside)\n"
        "  - databases.scribemed.conection (line 10): unknown setting 'conection' (did you mean 'connection'?)\n"
        f"HINT: Correct these lines of {tmp_path / 'fleet.yaml'}; "
        "every setting is explained in docs/reference/settings.md."
    )
