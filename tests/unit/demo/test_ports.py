"""Ports of the demo: free ones, remembered ones, and those that a person asks for."""

from __future__ import annotations

import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from demo.runtime.places import DemoProblem, Places
from demo.runtime.ports import choose_ports


def nobody(_name: str) -> bool:
    """Say that none of our services runs."""
    return False


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Give a demo an empty folder."""
    return Places(tmp_path, tmp_path)


@pytest.fixture
def taken() -> Generator[int]:
    """Give a port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_every_service_gets_a_port_of_its_own_and_keeps_it(places: Places) -> None:
    """A bookmark still leads to the demo after a stop and a start."""
    first = choose_ports(places, nobody)
    assert len(set(vars(first).values())) == 9
    assert choose_ports(places, nobody) == first


def test_a_person_chooses_the_port(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment decides over what is remembered."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        wish = trial.getsockname()[1]
    monkeypatch.setenv("PGTEND_DEMO_PORT_UI", str(wish))
    assert choose_ports(places, nobody).ui == wish


def test_a_chosen_port_that_is_taken_stops_the_start(
    places: Places, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a person asked for is not silently replaced."""
    monkeypatch.setenv("PGTEND_DEMO_PORT_UI", str(taken))
    with pytest.raises(DemoProblem, match=f"port {taken} .PGTEND_DEMO_PORT_UI. is taken by somebody else"):
        choose_ports(places, nobody)


@pytest.mark.parametrize("nonsense", ["http", "0", "70000", "-1"])
def test_what_is_no_port_is_refused(places: Places, nonsense: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the keyboard is named as such."""
    monkeypatch.setenv("PGTEND_DEMO_PORT_UI", nonsense)
    with pytest.raises(DemoProblem, match=f"PGTEND_DEMO_PORT_UI={nonsense} is not a port"):
        choose_ports(places, nobody)


def test_a_remembered_port_that_is_taken_moves(places: Places, taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody else's service does not keep the demo from starting, and the move is told."""
    (places.state / "ports.json").write_text(f'{{"ui": {taken}}}')
    assert choose_ports(places, nobody).ui != taken
    assert f"port {taken} is taken by somebody else" in capsys.readouterr().out


def test_a_port_does_not_move_under_a_part_that_runs(places: Places, taken: int) -> None:
    """Airflow would go on looking for the database at the old port."""
    remembered = choose_ports(places, nobody)
    (places.state / "ports.json").write_text(f'{{"ui": {remembered.ui}, "postgres": {taken}}}')
    with pytest.raises(DemoProblem, match="while a part of the demo runs"):
        choose_ports(places, lambda name: name == "ui")
