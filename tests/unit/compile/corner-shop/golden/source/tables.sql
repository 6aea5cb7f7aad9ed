create schema if not exists "sales";

create table if not exists "sales"."orders" (
  "id" bigint not null,
  "total" numeric(12,2) not null,
  "buyer" text,
  "is_gift" boolean,
  "placed_at" timestamp with time zone,
  "due_on" date,
  "weight" double precision,
  "receipt" bytea,
  primary key ("id")
);

alter table "sales"."orders" replica identity full;

do $$ declare part text; begin for part in select part.oid::regclass::text from pg_partition_tree('"sales"."orders"') as tree join pg_class as part on part.oid = tree.relid where part.relreplident <> 'f' loop execute 'alter table ' || part || ' replica identity full'; end loop; end $$;

create table if not exists "sales"."Order_Lines" (
  "order_id" bigint not null,
  "line" smallint not null,
  "quantity" integer,
  primary key ("order_id", "line")
);

alter table "sales"."Order_Lines" replica identity full;

do $$ declare part text; begin for part in select part.oid::regclass::text from pg_partition_tree('"sales"."Order_Lines"') as tree join pg_class as part on part.oid = tree.relid where part.relreplident <> 'f' loop execute 'alter table ' || part || ' replica identity full'; end loop; end $$;

create table if not exists "sales"."fluvial_heartbeat" (id integer primary key, beat_at timestamp with time zone not null);

insert into "sales"."fluvial_heartbeat" (id, beat_at) values (1, now()) on conflict (id) do nothing;

create table if not exists "sales"."fluvial_signal" (id varchar(42) primary key, type varchar(32) not null, data varchar(2048));
