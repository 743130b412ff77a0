"""What should have happened and did not is told, from outside Airflow and with nothing of Airflow."""
