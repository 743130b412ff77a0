"""What the watchdog can find, beyond what a vault, a ledger or a server says in its own words."""

from __future__ import annotations

from pgtend.kernel.errors import Misconfigured, Outage


class Overdue(Outage):
    """Something that the fleet file schedules did not happen in time."""

    code = "watchdog.overdue"


class AirflowDown(Outage):
    """Airflow does not answer, or says that a part of it is not alive."""

    code = "watchdog.airflow_down"


class ChannelDown(Outage):
    """A channel would not take a message, or did not take one."""

    code = "watchdog.channel_down"


class NobodyTold(Outage):
    """There is something to tell, and no channel took it."""

    code = "watchdog.nobody_told"


class AlreadyWatching(Outage):
    """Another watchdog of the same fleet looks at this very moment."""

    code = "watchdog.already_watching"


class BadConnectionFile(Misconfigured):
    """The connections that the watchdog was given cannot be read or used."""

    code = "watchdog.bad_connection"
