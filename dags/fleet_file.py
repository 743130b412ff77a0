"""
# The fleet file

This file has no DAG. When something in the fleet file is wrong, Airflow shows everything that is wrong under
*Dag import errors*, each problem with its line and the nearest known name. The DAGs of all databases without a problem
go on; those of a broken one disappear until its lines are corrected.
"""

from __future__ import annotations

from pgtend.fleet.load import bad_fleet_file, fleet_path
from pgtend_airflow.pipelines import the_fleet

problems = the_fleet().problems
if problems:
    raise bad_fleet_file(fleet_path(), problems)
