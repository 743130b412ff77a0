"""Writes the first fleet file: sensible rules, each explained, from what a first look showed. Pure."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

from pgtend.cli.survey import Portrait, Survey
from pgtend.kernel.names import counted

_MOST_SESSIONS = 4
_SHARE = 10
_YEAR = timedelta(days=365)


def slug(text: str) -> str:
    """Make a name for the fleet file from any text."""
    plain = re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_-")[:40]
    return plain if re.match(r"[a-z]", plain) else f"db_{plain}".rstrip("_")[:40]


def propose(survey: Survey, *, connection: str, name: str, at: datetime) -> str:
    """Write a fleet file for one database."""
    database, role = _on_one_line(survey.database), _on_one_line(survey.role)
    sessions = max(1, min(_MOST_SESSIONS, survey.connection_limit // _SHARE))
    return f"""\
# The fleet file of pgtend: which databases are looked after, and by which rules.
# Written by `pgtend init` on {at:%Y-%m-%d}, after a look at {database} (PostgreSQL {survey.server}, \
{survey.size}, {counted(survey.tables, "table")}).
# Every setting is explained by `pgtend fleet settings`. After a change: `pgtend fleet check`, then `pgtend doctor`.
# No password belongs into this file: it stays in ~/.pgpass or in the libpq service.

fleet: {slug(name)}

# development, test, staging or production: decides the limits and windows that are not set below.
environment: production
timezone: UTC

# Without a ledger and a vault, what was done and the copies are kept in ~/.local/share/pgtend on this machine.
# ledger:
#   connection: reporting

databases:
  {slug(name)}:
    # A libpq service (~/.pg_service.conf), or a connection string without its password.
    connection: {json.dumps(connection, ensure_ascii=False)}

    limits:
      # {role} may open {counted(survey.connection_limit, "connection")} here; maintenance takes few of them.
      sessions: {sessions}
      # Everybody who asks for a lock after us waits behind us.
      lock_timeout: 5 s

    window:
      # Nothing is started outside of these hours.
      start: "01:00"
      end: "05:00"

    analyze:
      # Statistics are renewed when this share of a table's rows changed; see `pgtend plan analyze {slug(name)}`.
      changed_fraction: 0.02
{_skip_lines()}
{_size_lines(survey)}"""


def _skip_lines() -> str:
    return """\
      # Tables to leave alone, and columns whose values the planner should know better:
      # skip: ["staging.*"]
      # statistics_targets:
      #   public.visits.patient_id: 500
"""


def _size_lines(survey: Survey) -> str:
    if not survey.largest:
        return "# There are no tables with rows yet.\n"
    lines = "".join(f"#   {_portrait_line(portrait)}\n" for portrait in survey.largest)
    return f"# The largest tables, and how far back they reach:\n{lines}"


def _portrait_line(portrait: Portrait) -> str:
    reach = f", {_on_one_line(portrait.time_column)} reaches back {say_age(portrait.age)}" if portrait.age else ""
    return f"{_on_one_line(portrait.name)}: {portrait.size}, about {counted(portrait.rows, 'row')}{reach}"


def _on_one_line(name: str) -> str:
    """Keep a name within its comment: what stood behind a line break in it would be a rule of the fleet."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def say_age(age: timedelta) -> str:
    """Say an age as coarsely as a person would, so that it gives away no moment."""
    if age >= _YEAR:
        return f"{age / _YEAR:.1f} years"
    months = round(age / _YEAR * 12)
    return f"{counted(months, 'month')}" if months > 1 else f"{counted(max(age.days, 0), 'day')}"
