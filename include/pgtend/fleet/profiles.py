"""What the environments differ in: every default that is not the same everywhere, in one place.

The teams' guides give an application 5 to 10 connections in development, 3 to 5 in a test, 20 in staging and 50 in
production. Maintenance takes only a few beside them, so that it never starves the application it looks after.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

Profile: TypeAlias = Mapping[str, Mapping[str, str | int]]


class Environment(StrEnum):
    """What a fleet is used for: decides limits and windows that the file does not set."""

    DEVELOPMENT = "development"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"


# Nobody is disturbed on a developer's machine: work at any time, and let an hour of debugging hold no lock for long.
_DEVELOPMENT: Profile = {
    "limits": {
        "sessions": 2,
        "connect_timeout": "2 s",
        "statement_timeout": "5 min",
        "lock_timeout": "10 s",
    },
    "window": {"start": "00:00", "end": "00:00"},
}

# Tests are small and impatient: what takes longer than a minute hangs.
_TEST: Profile = {
    "limits": {
        "sessions": 2,
        "connect_timeout": "2 s",
        "statement_timeout": "1 min",
        "lock_timeout": "2 s",
    },
    "window": {"start": "00:00", "end": "00:00"},
}

# As large as production, but with fewer people waiting: a longer night, and locks may be waited for a little longer.
_STAGING: Profile = {
    "limits": {
        "sessions": 4,
        "connect_timeout": "3 s",
        "statement_timeout": "30 min",
        "lock_timeout": "10 s",
    },
    "window": {"start": "00:00", "end": "06:00"},
}

# Everybody who asks for a lock after us waits behind us: give up after 5 s and try again another time. The guide's
# 10 s for a statement protects an application; an ANALYZE of a large table honestly takes minutes.
_PRODUCTION: Profile = {
    "limits": {
        "sessions": 4,
        "connect_timeout": "5 s",
        "statement_timeout": "30 min",
        "lock_timeout": "5 s",
    },
    "window": {"start": "01:00", "end": "05:00"},
}

PROFILES: Mapping[Environment, Profile] = MappingProxyType(
    {
        Environment.DEVELOPMENT: _DEVELOPMENT,
        Environment.TEST: _TEST,
        Environment.STAGING: _STAGING,
        Environment.PRODUCTION: _PRODUCTION,
    }
)
