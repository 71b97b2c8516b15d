# Be the server, on data that is made where there is none; the arguments are its settings.
set -eu
[ -d /srv/mariadb/data/mysql ] || sh /opt/steroids-mariadb/make.sh
exec mariadbd --no-defaults --datadir=/srv/mariadb/data --innodb-log-file-size=16M \
    --socket=/run/mysqld/mysqld.sock "$@"
