"""What can go wrong with a backup, beyond what a server, a tool or a vault reports in its own words."""

from __future__ import annotations

from pgtend.kernel.errors import BrokenEvidence, Misconfigured


class UnreadableManifest(BrokenEvidence):
    """A manifest, or the fingerprints beside it, is not what pgtend wrote."""

    code = "backup.unreadable_manifest"


class NewerManifest(Misconfigured):
    """A manifest was written by a pgtend newer than this one."""

    code = "backup.newer_manifest"
