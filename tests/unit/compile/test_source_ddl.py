import pytest

from fluvial.compile.source_ddl import compile_capture_ddl, compile_source_ddl
from fluvial.config.model import UseCase
from fluvial.config.types import postgres_type


def test_source_ddl_makes_schema_tables_heartbeat_and_signal_table_in_this_order(shop: UseCase) -> None:
    partitions = (
        "do $$ declare part text; begin for part in select part.oid::regclass::text "
        'from pg_partition_tree(\'"sales"."{}"\') as tree join pg_class as part on part.oid = tree.relid '
        "where part.relreplident <> 'f' loop execute 'alter table ' || part || ' replica identity full'; "
        "end loop; end $$"
    )
    assert compile_source_ddl(shop) == (
        'create schema if not exists "sales"',
        'create table if not exists "sales"."orders" (\n'
        '  "id" bigint not null,\n'
        '  "total" numeric(12,2) not null,\n'
        '  "buyer" text,\n'
        '  "placed_at" timestamp with time zone,\n'
        '  primary key ("id")\n'
        ")",
        'alter table "sales"."orders" replica identity full',
        partitions.format("orders"),
        'create table if not exists "sales"."order_lines" (\n'
        '  "order_id" bigint not null,\n'
        '  "line" smallint not null,\n'
        '  "is_gift" boolean,\n'
        '  primary key ("order_id", "line")\n'
        ")",
        'alter table "sales"."order_lines" replica identity full',
        partitions.format("order_lines"),
        'create table if not exists "sales"."fluvial_heartbeat" '
        "(id integer primary key, beat_at timestamp with time zone not null)",
        'insert into "sales"."fluvial_heartbeat" (id, beat_at) values (1, now()) on conflict (id) do nothing',
        'create table if not exists "sales"."fluvial_signal" '
        "(id varchar(42) primary key, type varchar(32) not null, data varchar(2048))",
    )


def test_capture_ddl_grants_the_least_and_publishes_exactly_the_configured_tables(shop: UseCase) -> None:
    assert compile_capture_ddl(shop) == (
        "do $$ begin if not exists (select from pg_roles where rolname = 'cdc') "
        'then create role "cdc" login replication; end if; end $$',
        'grant usage on schema "sales" to "cdc"',
        'grant select on "sales"."orders", "sales"."order_lines" to "cdc"',
        'grant select, insert, update on "sales"."fluvial_heartbeat", "sales"."fluvial_signal" to "cdc"',
        "do $$ begin if not exists (select from pg_publication where pubname = 'fluvial_corner_shop') "
        'then create publication "fluvial_corner_shop"; end if; end $$',
        'alter publication "fluvial_corner_shop" set (publish_via_partition_root = true)',
        'alter publication "fluvial_corner_shop" set table '
        '"sales"."orders", "sales"."order_lines", "sales"."fluvial_heartbeat", "sales"."fluvial_signal"',
    )


@pytest.mark.parametrize(
    ("configured", "in_postgres"),
    [
        ("decimal(9,6)", "numeric(9,6)"),
        ("double", "double precision"),
        ("timestamp", "timestamp with time zone"),
        ("string", "text"),
        ("binary", "bytea"),
    ],
)
def test_a_column_type_becomes_the_postgresql_type_that_holds_all_its_values(configured: str, in_postgres: str) -> None:
    assert postgres_type(configured) == in_postgres
