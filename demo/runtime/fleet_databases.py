"""The five databases and the ledger, as the demo's cluster holds them."""

from __future__ import annotations

import os

from psycopg import sql

from demo.databases import roster
from demo.databases.create import create_fleet
from demo.databases.seed import seed_fleet
from demo.runtime.cluster import Cluster
from demo.runtime.connections import PostgresConnection
from demo.runtime.places import Places
from demo.runtime.secret_words import SecretWords

TENDER = roster.TENDER
LEDGER = "pgtend_ledger"
LEDGER_OWNER = "pgtend_ledger_owner"
SIZE = os.environ.get("PGTEND_DEMO_SIZE", "development")
LEDGER_GROUPS = ("pgtend_reader", "pgtend_writer")
FLEET = tuple(PostgresConnection(name, name, TENDER) for name in roster.FLEET)
# The ledger twice: the owner migrates it, the tender may only add to it.
CONNECTIONS = (
    *FLEET,
    PostgresConnection(LEDGER, LEDGER, TENDER),
    PostgresConnection(LEDGER_OWNER, LEDGER, LEDGER_OWNER),
)
# A person at a shell may break and mend things as the superuser; Airflow never gets this one.
ADMIN = PostgresConnection("demo_admin", "postgres", "postgres")


def create_and_seed(cluster: Cluster, words: SecretWords) -> None:
    """Create the five databases and fill them; what is there already stays as it is."""
    passwords = {role: words.password_of(role) for role in roster.login_roles()}
    admin = cluster.conninfo("postgres", "postgres")
    create_fleet(admin, passwords, progress=ignore)
    seed_fleet(admin, size=SIZE, progress=ignore)


def ignore(_line: str) -> None:
    """Say nothing: the step says it all."""


def migrate_ledger(places: Places, cluster: Cluster) -> None:
    """Create the ledger and bring its schema up to date."""
    from pgtend.fleet.model import Limits  # noqa: PLC0415 - only this step needs the library
    from pgtend.ledger.migrate import migrate  # noqa: PLC0415 - same
    from pgtend.postgres.services import LibpqServices  # noqa: PLC0415 - same
    from pgtend.postgres.session import open_session  # noqa: PLC0415 - same

    create_ledger(cluster)
    address = LibpqServices({"PGSERVICEFILE": str(places.state / "pg_service.conf")}).find(LEDGER_OWNER)
    with open_session(address, Limits(), application="pgtend:ledger:migrate") as session:
        migrate(session)


def create_ledger(cluster: Cluster) -> None:
    """Create the ledger's database, its owner, and the tender's right to add to it."""
    cluster.ensure_role(LEDGER_OWNER)
    cluster.ensure_role(TENDER)
    cluster.ensure_database(LEDGER, LEDGER_OWNER)
    ledger, tender = sql.Identifier(LEDGER), sql.Identifier(TENDER)
    with cluster.connect() as connection:
        for name in LEDGER_GROUPS:
            group = sql.Identifier(name)
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(group))
            connection.execute(sql.SQL("GRANT {} TO {}").format(group, tender))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(ledger, tender))
