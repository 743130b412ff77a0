"""The face of pgtend inside Airflow: an API and the pages that are drawn from it, behind Airflow's own login."""
