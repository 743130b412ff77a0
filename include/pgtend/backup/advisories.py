"""Minor versions of PostgreSQL that a backup should not be taken by or from, as its release notes say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Advisory:
    """A defect that a dump or a restore meets, and the first minor version of each line without it."""

    name: str
    """Under which https://www.postgresql.org/support/security/ describes it."""
    what: str
    repaired: Mapping[int, int]

    def concerns(self, version: Version) -> bool:
        """Tell whether a version has it. Lines that had ended were never repaired; younger ones never had it."""
        oldest = min(self.repaired)
        return version.major < oldest or version.minor < self.repaired.get(version.major, 0)


def _since(**minors: int) -> Mapping[int, int]:
    return MappingProxyType({int(line.removeprefix("v")): minor for line, minor in minors.items()})


# Released on 14 August 2025. Every dump is concerned, in all formats.
_UNSAFE = Advisory(
    "CVE-2025-8714, CVE-2025-8715",
    "what it writes may run commands where it is restored",
    _since(v13=22, v14=19, v15=14, v16=10, v17=6, v18=0),
)
# Released on 14 May, 13 August and 12 November 2026. What is dumped here is no SQL text but for the roles, and archives
# are restored only after their seal was found whole, so these are told and not refused.
_UNSOUND = (
    Advisory(
        "CVE-2026-6477",
        "a hostile server may overwrite the memory of pg_dump through large objects",
        _since(v14=23, v15=18, v16=14, v17=10, v18=4),
    ),
    Advisory(
        "CVE-2026-18408",
        "the SQL text of the roles may run commands where psql reads it, if a superuser of the source wanted it to",
        _since(v14=24, v15=19, v16=15, v17=11, v18=6),
    ),
    # With it came repairs of dumps that clobbered memory, and of snapshots shared on a standby, which could damage both
    # the dump and the standby.
    Advisory(
        "CVE-2026-116314",
        "a forged archive may run commands where pg_restore reads it",
        _since(v14=25, v15=20, v16=16, v17=12, v18=7),
    ),
)


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
        return _UNSAFE.concerns(self)

    @property
    def is_before_sound_dumps(self) -> bool:
        """Whether a known defect may damage a dump or a restore. Of a release line that ended nothing was repaired."""
        return bool(self.advisories)

    @property
    def advisories(self) -> tuple[Advisory, ...]:
        """The defects of this version that are told."""
        return tuple(one for one in _UNSOUND if one.concerns(self))

    @property
    def sound(self) -> str:
        """The first version of the same line without known defects."""
        lines = _UNSOUND[-1].repaired
        minor = lines.get(self.major)
        return f"{self.major}.{minor}" if minor is not None else f"a supported line, at least {min(lines)}"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"
