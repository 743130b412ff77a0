"""The pipeline `backup` from end to end inside Airflow, against a real server and a real vault."""

from __future__ import annotations

from bed.airflow_world import CANARY_ROW, World
from bed.backups import tools_on_path
from bed.ledgers import ask
from bed.onlooker import onlooker
from pgtend.vault.agekeys import new_pair
from pgtend.vault.folder import FolderVault
from pgtend.vault.model import FolderPlace


def test_a_run_takes_a_backup_that_is_in_the_vault(world: World) -> None:
    """It is there with its manifest and no row is in any log; verified by hand it holds, and damaged it pages."""
    world.environ.setenv("PGTEND_PG_BINDIRS", tools_on_path(world.source.server.tools.major))
    world.add_to_fleet(f"keys: {{recipients: {{operations: {new_pair().public}}}}}")
    run = world.run("kgc.backup")
    assert run.state == "success", world.log()
    with FolderVault(FolderPlace(path=world.folder / "vault")) as vault:
        keys = [stored.key for stored in vault.objects("backups/clinic/kgc/")]
    assert [key.rpartition("/")[2] for key in keys if key.endswith("manifest.json")] == ["manifest.json"]
    assert CANARY_ROW not in world.log()

    assert world.run("kgc.verify").state == "success", world.log()
    assert "holds; looked at: every stored byte" in world.log()
    damaged = next((world.folder / "vault").rglob("pre-data*"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert world.run("kgc.verify").state == "failed"
    assert "[backup.broken]" in world.mail.texts()[-1]
    with world.reporting.session() as ledger:
        assert ask(ledger, "SELECT severity FROM reporting.open_alerts WHERE pipeline = 'verify'") == ["page"]


def test_a_backup_that_holds_says_nothing_of_another_one_that_is_damaged(world: World) -> None:
    """A backup that the form names is looked at alone: only the newest one that holds says that it is over."""
    world.environ.setenv("PGTEND_PG_BINDIRS", tools_on_path(world.source.server.tools.major))
    world.add_to_fleet(f"keys: {{recipients: {{operations: {new_pair().public}}}}}")
    assert world.run("kgc.backup").state == "success", world.log()
    sound = next((world.folder / "vault").rglob("manifest.json")).parent.name
    assert world.run("kgc.backup").state == "success", world.log()
    (damaged,) = (one for one in (world.folder / "vault").rglob("pre-data*") if one.parent.name != sound)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert world.run("kgc.verify").state == "failed"
    assert world.run("kgc.verify", {"backup": sound}).state == "success", world.log()
    assert len(world.messages()) == 1


def test_a_run_shows_no_secret_and_no_row(world: World) -> None:
    """Nothing that anybody else can look into holds the password or a row, whether the run succeeds or fails.

    That is: the log, Airflow's own database with XComs and rendered fields, the ledger, alerts, all that lies in the
    vault, and the arguments and the environment of every process.
    """
    world.environ.setenv("PGTEND_PG_BINDIRS", tools_on_path(world.source.server.tools.major))
    world.add_to_fleet(f"keys: {{recipients: {{operations: {new_pair().public}}}}}")
    with onlooker() as seen:
        run = world.run("kgc.backup")
    assert run.state == "success", world.log()
    world.source.run(f'ALTER TABLE public.visits OWNER TO "{world.source.owner.user}"')
    assert world.run("kgc.backup").state == "failed"
    (message,) = world.messages()
    assert message.startswith("[clinic production] kgc.backup failed: ")
    assert any(b"pg_dump" in one for one in seen), "the onlooker saw no dump, so it proves nothing"
    with world.reporting.session() as ledger:
        audited = str(ask(ledger, "SELECT a::text FROM reporting.audit AS a"))
        audited += str(ask(ledger, "SELECT r::text FROM reporting.runs AS r"))
    assert "backup.committed" in audited
    assert "kgc.backup" in world.remembered()
    told = "\n".join(
        [*map(str, world.mail.mails), *map(str, world.chat.posts), world.log(), world.remembered(), audited]
    )
    stored = [path.read_bytes() for path in (world.folder / "vault").rglob("*") if path.is_file()]
    assert world.tender.password is not None
    for secret in (CANARY_ROW, world.tender.password.get_secret_value()):
        assert [one for one in (told.encode(), *seen, *stored) if secret.encode() in one] == []


def test_a_second_vault_gets_the_backup_in_the_same_run(world: World) -> None:
    """The copy is a task of its own, and is in the second vault with its manifest when the run is green."""
    world.environ.setenv("PGTEND_PG_BINDIRS", tools_on_path(world.source.server.tools.major))
    (world.folder / "far").mkdir()
    path = world.folder / "fleet.yaml"
    far = f"vaults:\n  far: {{folder: {{path: {world.folder / 'far'}}}}}"
    with_far = path.read_text().replace("vaults:", far, 1)
    path.write_text(with_far.replace("  kgc:\n", "  kgc:\n    vault: main\n    backup: {copies: {far: {}}}\n", 1))
    world.add_to_fleet(f"keys: {{recipients: {{operations: {new_pair().public}}}}}")
    run = world.run("kgc.backup")
    assert run.state == "success", world.log()
    assert [task.task_id for task in run.get_task_instances() if task.task_id == "copy"] == ["copy"]
    with FolderVault(FolderPlace(path=world.folder / "far")) as vault:
        found = [stored.key for stored in vault.objects("backups/clinic/kgc/")]
    assert sum(key.endswith("/manifest.json") for key in found) == 1


def test_a_second_vault_that_is_gone_keeps_no_other_from_its_copies(world: World) -> None:
    """The run is red and says which one it was; the vault behind it has the backup all the same."""
    world.environ.setenv("PGTEND_PG_BINDIRS", tools_on_path(world.source.server.tools.major))
    (world.folder / "far").mkdir()
    path = world.folder / "fleet.yaml"
    both = "\n".join(f"  {name}: {{folder: {{path: {world.folder / name}}}}}" for name in ("gone", "far"))
    with_both = path.read_text().replace("vaults:", f"vaults:\n{both}", 1)
    rules = "    vault: main\n    backup: {copies: {gone: {}, far: {}}}\n"
    path.write_text(with_both.replace("  kgc:\n", f"  kgc:\n{rules}", 1))
    world.add_to_fleet(f"keys: {{recipients: {{operations: {new_pair().public}}}}}")
    run = world.run("kgc.backup")
    states = {task.task_id: task.state for task in run.get_task_instances()}
    assert (states["verify"], states["copy"]) == ("success", "failed"), world.log()
    assert "the copies in gone could not be kept: " in world.log()
    with FolderVault(FolderPlace(path=world.folder / "far")) as vault:
        found = [stored.key for stored in vault.objects("backups/clinic/kgc/")]
    assert sum(key.endswith("/manifest.json") for key in found) == 1


def test_a_fleet_without_keys_is_told_what_to_do(world: World) -> None:
    """No key is no reason to store rows in the clear: the run fails at once, and says how to make a pair."""
    world.environ.setenv("PGTEND_PG_BINDIRS", tools_on_path(world.source.server.tools.major))
    run = world.run("kgc.backup")
    assert run.state == "failed"
    assert "pgtend keys new" in world.log()
