"""What the parts of an archive are called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pgtend.kernel.digests import sha256_hex
from pgtend.postgres.identifiers import Identifier, relation

SCHEMA = "pgtend_archive"
_LONGEST = 63


@dataclass(frozen=True, slots=True)
class Names:
    """The names around one table."""

    schema: str
    table: str

    @classmethod
    def of(cls, written: str) -> Names:
        """Take `schema.table` apart."""
        schema, _, table = written.partition(".")
        return cls(schema, table)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def live(self) -> Identifier:
        """The table itself."""
        return relation(self.schema, self.table)

    @property
    def archive_name(self) -> str:
        """What the archive is called in the table's own schema."""
        return _fitting(f"{self.table}_archive")

    @property
    def archive(self) -> Identifier:
        """The archive."""
        return relation(self.schema, self.archive_name)

    @property
    def view_name(self) -> str:
        """What the view over both is called."""
        return _fitting(f"{self.table}_all")

    @property
    def view(self) -> Identifier:
        """The view over the table and its archive."""
        return relation(self.schema, self.view_name)

    def month_name(self, month: date) -> str:
        """Name the table of one month in our schema."""
        return _fitting(f"{self.schema}__{self.table}_{month:%Y_%m}")

    def month(self, month: date) -> Identifier:
        """Point at the table of one month."""
        return relation(SCHEMA, self.month_name(month))

    def index_name(self, month: date, place: int) -> str:
        """Name an index of a month that came as a whole."""
        return _fitting(f"{self.month_name(month)}_index_{place}")

    def landing_name(self, month: date) -> str:
        """Name the partition that takes late rows of a month that left."""
        return _fitting(f"{self.table}_late_{month:%Y_%m}")

    def partition_name(self, month: date) -> str:
        """Name the partition of a month to come."""
        return _fitting(f"{self.table}_{month:%Y_%m}")

    def past_name(self, bound: date) -> str:
        """Name the partition that a table becomes which was not partitioned."""
        return _fitting(f"{self.table}_until_{bound:%Y_%m}")

    @property
    def wider_key_name(self) -> str:
        """Name the key that a table needs before it can be partitioned."""
        return _fitting(f"{self.table}_by_month_key")

    @property
    def comment(self) -> str:
        """What the archive's comment says, by which it is known to be ours."""
        return f"Archived rows of {self}. Made and kept by pgtend."


def _fitting(name: str) -> str:
    """Shorten a name that PostgreSQL would cut, so that two long ones stay two."""
    if len(name.encode()) <= _LONGEST:
        return name
    digest = sha256_hex(name.encode())[:10]
    return f"{name.encode()[: _LONGEST - 11].decode(errors='ignore')}_{digest}"
