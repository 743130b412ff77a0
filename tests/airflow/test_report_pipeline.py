"""The pipeline `fleet.report`: pages lie in the vault, and the people of the fleet get them by mail."""

from __future__ import annotations

import json

from bed.airflow_world import World
from bed.ledgers import ask


def test_the_report_is_kept_and_mailed(world: World) -> None:
    """A page for the fleet and one for its database, JSON beside them; the mail says the verdict and carries both."""
    world.source.run(f'GRANT pg_monitor TO "{world.tender.user}"')
    assert world.run("kgc.health").state == "success", world.log()
    before = len(world.messages())
    assert world.run("fleet.report").state == "success", world.log()
    kept = sorted((world.folder / "vault").rglob("reports/clinic/*/*/*"))
    names = {path.name for path in kept}
    assert {"fleet.html", "fleet.json", "kgc.html", "kgc.json"} <= names
    page = next(path for path in kept if path.name == "kgc.html").read_bytes()
    assert json.loads(next(path for path in kept if path.name == "kgc.json").read_text())["name"] == "kgc"
    assert world.messages()[before:] == ["[clinic production] weekly report: critical"]
    mail = world.mail.mails[-1]
    attached = {part.get_filename(): part.get_payload(decode=True) for part in mail.walk() if part.get_filename()}
    assert set(attached) == {"fleet.html", "kgc.html"}
    assert attached["kgc.html"] == page
    assert "critical: kgc needs somebody now" in world.mail.texts()[-1]
    with world.reporting.session() as ledger:
        assert ask(ledger, "SELECT outcome FROM reporting.runs WHERE pipeline = 'report'") == ["succeeded"]


def test_a_report_says_what_the_fleet_file_keeps_from_it(world: World) -> None:
    """A database with a mistake there has no page, and the mail says so before anything else."""
    world.add_to_fleet("  lab: {oner: lab-team}")
    assert world.run("fleet.report").state == "success", world.log()
    assert "unknown: the fleet file has 1 problem; what is wrong there is left out" in world.mail.texts()[-1]
