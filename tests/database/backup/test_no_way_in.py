"""A backup that does not even get in: the error says why, and everything that was there before stays."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bed.backups import KEYS, Depot
from pgtend.backup.catalogue import read_catalogue
from pgtend.backup.retention import plan_retention
from pgtend.backup.verify import verify_backup
from pgtend.fleet.model import RetentionRules
from pgtend.kernel.errors import Misconfigured
from pgtend.kernel.progress import quietly
from pgtend.kernel.times import utc_now
from pgtend.postgres.address import Address
from pgtend.postgres.errors import NoSuchDatabase, PasswordRefused

pytestmark = pytest.mark.pg(">= 18")


def refused(depot: Depot, address: Address, kind: type[Misconfigured]) -> None:
    """Take a backup, then try to take another by an address that does not work."""
    taken = depot.take()
    before = depot.stored()
    depot.address = address
    with pytest.raises(kind):
        depot.take()
    assert depot.stored() == before
    assert verify_backup(depot.vault, taken, KEYS, quietly).faults == ()
    found = read_catalogue(depot.vault, "tests", "clinic", utc_now())
    assert plan_retention(found.holdings(), RetentionRules(), utc_now()).removable == ()


def test_a_wrong_password_leaves_the_earlier_backups_alone(depot: Depot) -> None:
    """No empty backup takes the place of a good one, and retention has nothing to remove."""
    owner = depot.live.owner
    refused(depot, Address(params=owner.params, password=SecretStr("not-it")), PasswordRefused)


def test_a_database_that_was_renamed_is_an_error_and_not_an_empty_backup(depot: Depot) -> None:
    """What was tended yesterday and is gone today is told, whatever else goes well."""
    refused(depot, depot.live.owner.to(dbname=f"{depot.live.name}_gone"), NoSuchDatabase)
