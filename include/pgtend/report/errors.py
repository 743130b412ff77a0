"""What can go wrong while the fleet is reported on."""

from __future__ import annotations

from pgtend.kernel.errors import Misconfigured


class NothingRemembered(Misconfigured):
    """A report needs the history that only a reporting database keeps."""

    code = "report.nothing_remembered"
