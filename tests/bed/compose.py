"""docker-compose.yaml as tests see it: its services, and their environment moved from containers to this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias, cast

import yaml

PROJECT: Final = Path(__file__).resolve().parents[2]
FILE: Final = PROJECT / "docker-compose.yaml"
Service: TypeAlias = dict[str, object]
VARIABLE: Final = re.compile(r"(?<!\$)\$(?:\{([^}]*)\}|(\w+))")


def read_compose(text: str | None = None) -> dict[str, object]:
    """Read the file, with its anchors resolved."""
    return cast("dict[str, object]", yaml.safe_load(FILE.read_text() if text is None else text))


def services(compose: Mapping[str, object]) -> dict[str, Service]:
    """Give the services by name."""
    return cast("dict[str, Service]", compose["services"])


def environment_of(service: Service) -> dict[str, str]:
    """Give a service's environment as it stands in the file."""
    return cast("dict[str, str]", service.get("environment", {}))


def moved_here(
    environment: Mapping[str, str], moves: Mapping[str, str], variables: Mapping[str, str]
) -> dict[str, str]:
    """Resolve variables as compose does, then replace what exists only in containers: hosts and folders."""
    moved: dict[str, str] = {}
    for name, value in environment.items():
        text = VARIABLE.sub(lambda found: variables[variable_name(found)], value).replace("$$", "$")
        for container, here in moves.items():
            text = text.replace(container, here)
        moved[name] = text
    return moved


def variable_name(found: re.Match[str]) -> str:
    """Name the variable of ${NAME}, ${NAME:?why} or $NAME."""
    return re.split(r"[:?+-]", found.group(1) or found.group(2))[0]
