"""What a person sees: a package, so that its files share one running Airflow, which ends with the last of them."""
