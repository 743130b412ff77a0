"""The porch: connects Airflow to the library. It arranges; the library decides and acts."""
