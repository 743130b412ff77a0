"""Starts a run as the button of Airflow's own page does, with the same checks of the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow.api.common.trigger_dag import trigger_dag  # pyright: ignore[reportUnknownVariableType] - half typed
from airflow.exceptions import DagNotFound
from airflow.models import DagModel
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType

from pgtend.kernel.errors import Outage
from pgtend.kernel.names import suggestion
from pgtend_airflow.web.problems import BadRequest, NotFound


class NotStarted(Outage):
    """Airflow did not start the run."""

    code = "web.not_started"


@dataclass(frozen=True, slots=True)
class Queued:
    """A run that waits for the scheduler."""

    run_id: str
    is_paused: bool


def start_run(dag_id: str, form: Mapping[str, object], login: str) -> Queued:
    """Queue one run."""
    with create_session() as session:
        dag = DagModel.get_current(dag_id, session=session)
        if dag is None or dag.is_stale:
            raise NotFound(f"Airflow knows no pipeline '{dag_id}'", hint="Look at the import errors on Airflow's home.")
        _refuse_strange(form, SerializedDagModel.get_dag(dag_id, session=session))
        try:
            run = trigger_dag(
                dag_id,
                triggered_by=DagRunTriggeredByType.UI,
                triggering_user_name=login,
                conf=dict(form),
                session=session,
            )
        except (ParamValidationError, ValueError) as error:
            raise BadRequest("the form does not hold what the pipeline takes", detail=_first_line(error)) from error
        except DagNotFound as error:
            raise NotFound(f"Airflow knows no pipeline '{dag_id}'") from error
        if run is None:
            raise NotStarted(f"Airflow did not start {dag_id}", hint="Start it on its own page, and look at its log.")
        return Queued(run.run_id, bool(dag.is_paused))


def _refuse_strange(form: Mapping[str, object], dag: SerializedDAG | None) -> None:
    """Refuse a field that the pipeline does not have, which Airflow takes without a look at its value."""
    fields = list(dag.params) if dag else []
    if strange := sorted(form.keys() - set(fields)):
        raise BadRequest(
            f"the form of this pipeline has no field '{strange[0][:63]}'",
            detail=suggestion(strange[0], fields),
            hint=f"Its fields: {', '.join(fields) or 'none'}.",
        )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
