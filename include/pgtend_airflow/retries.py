"""Which failures Airflow tries again: the family of the error decides, never the text of it."""

from __future__ import annotations

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, Refusal


def retry_by_family() -> ExceptionRetryPolicy:
    """Retry an outage with the task's own backoff; let the other three families fail at once.

    What is no error of ours (a time-out, a lost API server) keeps the default, which is to use the retries left.
    """
    return ExceptionRetryPolicy(
        rules=[
            RetryRule(exception=Outage, action=RetryAction.RETRY, reason="an outage: trying again may help"),
            RetryRule(exception=Refusal, action=RetryAction.FAIL, reason="a safety rule said no"),
            RetryRule(exception=Misconfigured, action=RetryAction.FAIL, reason="a setting is wrong: a person must act"),
            RetryRule(exception=BrokenEvidence, action=RetryAction.FAIL, reason="data is not what was promised"),
        ],
    )
