"""Create Airflow's users in one process: `airflow users create` would import Airflow once for each of them.

Reads {"name": ["Role", "password"]} from standard input.
"""

from __future__ import annotations

import json
import sys

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

# Airflow knows no such role. docs/how-to/who-may-what.md makes it with the same rights, by commands.
RESEARCHER = "Researcher"
RIGHTS = [("can_read", thing) for thing in ("DAG Runs", "DAGs", "Website", "Database Analysis")]


def main() -> None:
    """Create the users that are missing, and give the others the password we know."""
    wanted: dict[str, list[str]] = json.load(sys.stdin)
    with get_application_builder() as builder:
        security = builder.sm
        security.bulk_sync_roles([{"role": RESEARCHER, "perms": RIGHTS}])
        for name, (role, password) in wanted.items():
            user = security.find_user(name)
            if user is None:
                security.add_user(name, name, "demo", f"{name}@demo.invalid", security.find_role(role), password)
            else:
                security.reset_password(user.id, password)


if __name__ == "__main__":
    main()
