# Airflow with pgtend, and the client tools and servers of every PostgreSQL major that it looks after.
# Nobody's password, key or fleet file is in the image: those come as secrets and mounts (docker-compose.yaml).
FROM apache/airflow:slim-3.3.2-python3.11

USER root
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# The PostgreSQL project's own packages: a dump needs tools at least as new as its server, and only there are all majors.
# A restore drill starts a server of the version that was backed up, between the walls of bubblewrap; none runs otherwise.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-common ca-certificates age zstd bubblewrap \
 && sed --in-place --regexp-extended 's/^#? *create_main_cluster .*/create_main_cluster = false/' \
      /etc/postgresql-common/createcluster.conf \
 && grep --quiet '^create_main_cluster = false$' /etc/postgresql-common/createcluster.conf \
 && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
 && apt-get install -y --no-install-recommends \
      postgresql-13 postgresql-14 postgresql-15 postgresql-16 postgresql-17 postgresql-18 \
      postgresql-client-13 postgresql-client-14 postgresql-client-15 \
      postgresql-client-16 postgresql-client-17 postgresql-client-18 \
 && apt-get clean && rm -rf /var/lib/apt/lists/*

USER airflow
COPY requirements.txt /tmp/pgtend/
RUN pip install --no-cache-dir --require-hashes --requirement /tmp/pgtend/requirements.txt

COPY --chown=airflow:0 pyproject.toml README.md LICENSE /tmp/pgtend/
COPY --chown=airflow:0 include /tmp/pgtend/include
RUN pip install --no-cache-dir --no-deps /tmp/pgtend && rm -r /tmp/pgtend/include

# A volume that is mounted where nothing is belongs to root: here the watchdog keeps what it remembers, and drills restore.
RUN mkdir -p /home/airflow/.local/share/pgtend/watchdog /home/airflow/scratch

COPY --chown=airflow:0 include/airflow_local_settings.py /opt/airflow/config/
COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 plugins /opt/airflow/plugins
