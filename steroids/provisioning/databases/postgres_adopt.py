"""Making everything in a database belong to one role, whoever made it.

REASSIGN OWNED would do that for one owner, and would give away that owner's other databases, too.
"""

_NOT_OF_AN_EXTENSION = """NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = '{catalog}'::regclass AND d.objid = o.oid AND d.deptype = 'e')"""
_NOT_THE_SERVERS = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"

_RELATIONS = f"""SELECT format('ALTER %s %s OWNER TO {{owner}}', CASE o.relkind
            WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
            WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, o.oid::regclass)
        FROM pg_class o JOIN pg_namespace n ON n.oid = o.relnamespace
        WHERE o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND o.relowner <> wanted
            AND {_NOT_THE_SERVERS} AND {_NOT_OF_AN_EXTENSION.format(catalog="pg_class")}
            -- A sequence that a column owns goes with its table.
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                AND d.objid = o.oid AND o.relkind = 'S' AND d.deptype IN ('a', 'i'))"""
_FUNCTIONS = f"""SELECT format('ALTER ROUTINE %s OWNER TO {{owner}}', o.oid::regprocedure)
        FROM pg_proc o JOIN pg_namespace n ON n.oid = o.pronamespace
        WHERE o.proowner <> wanted
            AND {_NOT_THE_SERVERS} AND {_NOT_OF_AN_EXTENSION.format(catalog="pg_proc")}"""
_TYPES = f"""SELECT format('ALTER TYPE %s OWNER TO {{owner}}', o.oid::regtype)
        FROM pg_type o JOIN pg_namespace n ON n.oid = o.typnamespace
        WHERE o.typowner <> wanted AND o.typelem = 0 AND o.typtype <> 'm'
            AND (o.typrelid = 0 OR EXISTS (SELECT FROM pg_class c
                WHERE c.oid = o.typrelid AND c.relkind = 'c'))
            AND {_NOT_THE_SERVERS} AND {_NOT_OF_AN_EXTENSION.format(catalog="pg_type")}"""
_SCHEMAS = f"""SELECT format('ALTER SCHEMA %I OWNER TO {{owner}}', n.nspname)
        FROM pg_namespace n WHERE n.nspowner <> wanted AND {_NOT_THE_SERVERS}"""

ADOPT = f"""DO $do$ DECLARE
    wanted oid := (SELECT oid FROM pg_roles WHERE rolname = '{{owner}}');
    change text;
BEGIN
    FOR change IN
        {_SCHEMAS}
        UNION ALL {_RELATIONS}
        UNION ALL {_FUNCTIONS}
        UNION ALL {_TYPES}
    LOOP EXECUTE change; END LOOP;
END $do$"""
"""For `str.format` with `owner`: relations, routines, types and schemas. Those of extensions stay
whose they are; the order does not matter, since only owners change."""
