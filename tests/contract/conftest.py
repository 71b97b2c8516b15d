from tests.support.databases import mysql_client_lab, mysql_lab
from tests.support.engines import host_lab, lab, real_lab
from tests.support.mariadb import mariadb
from tests.support.postgres_lab import guarded_postgres, postgres_admin_lab, postgres_lab

__all__ = [
    "guarded_postgres",
    "host_lab",
    "lab",
    "mariadb",
    "mysql_client_lab",
    "mysql_lab",
    "postgres_admin_lab",
    "postgres_lab",
    "real_lab",
]
