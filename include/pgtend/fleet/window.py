"""The part of the day in which maintenance may run, and its arithmetic across midnight and clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from pgtend.fleet.settings import ClockTime, Settings, Zone
from pgtend.kernel.errors import Refusal

_DAY = timedelta(days=1)
_NEVER = datetime.max.replace(tzinfo=UTC)


class OutsideWindow(Refusal):
    """Maintenance was asked for at a time of day at which the fleet file does not allow it."""

    code = "fleet.outside_window"


class Window(Settings):
    """The part of the day in which maintenance may run."""

    start: ClockTime = Field(
        default=time(1), description="Time of day at which the window opens. Work starts no earlier."
    )
    end: ClockTime = Field(
        default=time(5),
        description=(
            "Time of day at which the window closes. Nothing new is started from then on. Earlier than `start` means: "
            "on the next day. Equal to `start` means: always open."
        ),
    )
    timezone: Zone = Field(
        default="UTC",
        description="Time zone of `start`, `end` and the schedules in this window. Default: the fleet's timezone.",
    )

    def __str__(self) -> str:
        if self.is_always_open:
            return f"always open ({self.timezone})"
        return f"{self.start:%H:%M} to {self.end:%H:%M} {self.timezone}"

    def __hash__(self) -> int:
        return hash((self.start, self.end, self.timezone))

    @property
    def is_always_open(self) -> bool:
        """Tell whether maintenance may run at any time."""
        return self.start == self.end

    def covers(self, clock: time) -> bool:
        """Tell whether a time of day, as the clock on the wall shows it, lies inside."""
        if self.start < self.end:
            return self.start <= clock < self.end
        return self.is_always_open or clock >= self.start or clock < self.end

    def contains(self, moment: datetime) -> bool:
        """Tell whether maintenance may start something at this moment."""
        return self.is_always_open or any(opens <= moment < closes for opens, closes in self._nights_near(moment))

    def closes_at(self, moment: datetime) -> datetime:
        """Tell when the window that is open at this moment closes; an always open one closes at the end of time."""
        if self.is_always_open:
            return _NEVER
        for opens, closes in self._nights_near(moment):
            if opens <= moment < closes:
                return closes
        raise OutsideWindow(
            f"the maintenance window is closed: {self}",
            detail=f"It opens again at {self.opens_after(moment):%Y-%m-%d %H:%M} UTC.",
            hint="Wait for it, or change the window in the fleet file.",
        )

    def opens_after(self, moment: datetime) -> datetime:
        """Tell when the window opens next: strictly after this moment."""
        nights = self._nights(moment, 0, 1, 2, 3)
        return min(opens for opens, closes in nights if opens > moment and closes > opens)

    def _nights_near(self, moment: datetime) -> list[tuple[datetime, datetime]]:
        """List the nights that can contain a moment: yesterday's may reach into today."""
        return self._nights(moment, -1, 0)

    def _nights(self, moment: datetime, *days: int) -> list[tuple[datetime, datetime]]:
        today = moment.astimezone(ZoneInfo(self.timezone)).date()
        return [self._night(today + timedelta(days=day)) for day in days]

    def _night(self, day: date) -> tuple[datetime, datetime]:
        last = day if self.start < self.end else day + _DAY
        return self._moment(day, self.start), self._moment(last, self.end)

    def _moment(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)
