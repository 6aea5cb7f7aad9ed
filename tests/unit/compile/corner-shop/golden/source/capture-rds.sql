do $$ begin if not exists (select from pg_roles where rolname = 'cdc') then create role "cdc" login; end if; end $$;

grant rds_replication to "cdc";

create schema if not exists "fluvial_dms" authorization "cdc";

grant usage on schema "sales" to "cdc";

grant select on "sales"."orders", "sales"."Order_Lines" to "cdc";

grant select, insert, update on "sales"."fluvial_heartbeat", "sales"."fluvial_signal" to "cdc";

do $$ begin if not exists (select from pg_publication where pubname = 'fluvial_corner_shop') then create publication "fluvial_corner_shop"; end if; end $$;

alter publication "fluvial_corner_shop" set (publish_via_partition_root = true);

alter publication "fluvial_corner_shop" set table "sales"."orders", "sales"."Order_Lines", "sales"."fluvial_heartbeat", "sales"."fluvial_signal";
