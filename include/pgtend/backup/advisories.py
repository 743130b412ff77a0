"""Minor versions of PostgreSQL that a backup should not be taken by or from, as its release notes say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# CVE-2025-8714 and CVE-2025-8715: a restore could be made to run commands that stood in names or in the dump itself.
_SAFE_RESTORE: Mapping[int, int] = MappingProxyType({13: 22, 14: 19, 15: 14, 16: 10, 17: 6, 18: 0})
# Releases of 12 November 2026: dumps clobbered memory, archives led pg_restore astray (CVE-2026-116314), and on a
# standby a shared snapshot could damage both the dump and the standby.
_SOUND: Mapping[int, int] = MappingProxyType({14: 25, 15: 20, 16: 16, 17: 12, 18: 7})


@dataclass(frozen=True, slots=True)
class Version:
    """A version of PostgreSQL since 10: major and minor."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read 15.20."""
        major, _, minor = text.partition(".")
        return cls(int(major), int(minor or 0))

    @property
    def is_before_safe_restores(self) -> bool:
        """Whether what these tools write may run commands where it is restored."""
        return self.minor < _SAFE_RESTORE.get(self.major, 0)

    @property
    def is_before_sound_dumps(self) -> bool:
        """Whether a known defect may damage a dump or a restore. Of a release line that ended nothing was repaired."""
        oldest = min(_SOUND)
        return self.major < oldest or self.minor < _SOUND.get(self.major, 0)

    @property
    def sound(self) -> str:
        """The first version of the same line without known defects."""
        minor = _SOUND.get(self.major)
        return f"{self.major}.{minor}" if minor is not None else f"a supported line, at least {min(_SOUND)}"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"
