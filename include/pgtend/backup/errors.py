"""What can go wrong with a backup, beyond what a server, a tool or a vault reports in its own words."""

from __future__ import annotations

from pgtend.kernel.errors import BrokenEvidence, ManyProblems, Misconfigured, Outage


class UnreadableManifest(BrokenEvidence):
    """A manifest, or the fingerprints beside it, is not what pgtend wrote."""

    code = "backup.unreadable_manifest"


class NewerManifest(Misconfigured):
    """A manifest was written by a pgtend newer than this one."""

    code = "backup.newer_manifest"


class NoSuchBackup(Misconfigured):
    """The vault holds no backup like the one that was asked for."""

    code = "backup.no_such_backup"


class NotReady(ManyProblems):
    """Something must be set right before this database can be backed up: tools, keys or rights."""

    code = "backup.not_ready"


class NeverStill(Outage):
    """Tables came and went faster than they could be locked."""

    code = "backup.never_still"


class GaveWay(Outage):
    """Somebody wanted a table for itself while the locks of a backup were taken, so the backup let go of them."""

    code = "backup.gave_way"


class Disturbed(Outage):
    """Something that cannot be locked, such as a view or a function, changed while pg_dump read it."""

    code = "backup.disturbed"


class SnapshotGone(Outage):
    """The session that held the locks and the snapshot was lost, so nobody can see that moment any more."""

    code = "backup.snapshot_gone"


class SourceChanged(Outage):
    """The server was another one at the end than at the beginning, so the locks were gone in between."""

    code = "backup.source_changed"


class BackupBroken(BrokenEvidence):
    """A stored backup is not what its manifest says."""

    code = "backup.broken"


class CopyLate(Outage):
    """A second vault is further behind the first than the fleet file allows."""

    code = "backup.copy_late"
