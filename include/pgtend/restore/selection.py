"""What of the last section is left out when only some rows are restored."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from pgtend.restore.archive import Spool

# With rows of other tables missing, a foreign key cannot hold, and a materialized view would show half of the truth.
_LINKS = re.compile(r"^\d+; \d+ \d+ (?:FK CONSTRAINT|MATERIALIZED VIEW DATA) ")


@contextmanager
def without_links(contents: Sequence[str]) -> Generator[Spool]:
    """List everything but what ties tables together, for pg_restore to follow."""
    with tempfile.TemporaryFile() as file:
        kept = [line for line in contents if not _LINKS.match(line)]
        file.write("".join(f"{line}\n" for line in kept).encode(errors="surrogateescape"))
        file.flush()
        yield Spool(file)
