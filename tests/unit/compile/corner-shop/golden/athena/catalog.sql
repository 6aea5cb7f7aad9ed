CREATE DATABASE IF NOT EXISTS `corner_shop`;

-- id bigint, total decimal(12,2), customer string, is_gift boolean, placed_at timestamp, due_on date, weight decimal(10,3), gross decimal(14,2)
CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`orders`
LOCATION 's3://${STACK_NAME}-delta-${AWS_ACCOUNT_ID}/orders/'
TBLPROPERTIES ('table_type' = 'DELTA');

-- id bigint, total decimal(12,2), customer string, is_gift boolean, placed_at timestamp, due_on date, weight decimal(10,3), gross decimal(14,2)
CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`orders__log_all`
LOCATION 's3://${STACK_NAME}-delta-${AWS_ACCOUNT_ID}/orders__log/'
TBLPROPERTIES ('table_type' = 'DELTA');

-- id bigint, total decimal(12,2), buyer string, is_gift boolean, placed_at timestamp, due_on date, weight double, receipt binary
CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`orders__quarantine`
LOCATION 's3://${STACK_NAME}-quarantine-${AWS_ACCOUNT_ID}/corner-shop/orders/'
TBLPROPERTIES ('table_type' = 'DELTA');

-- order_id bigint, line smallint, quantity int
CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`order_lines`
LOCATION 's3://elsewhere/lines/'
TBLPROPERTIES ('table_type' = 'DELTA');

-- order_id bigint, line smallint, quantity int
CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`order_lines__log_all`
LOCATION 's3://elsewhere/lines__log/'
TBLPROPERTIES ('table_type' = 'DELTA');

-- order_id bigint, line smallint, quantity int
CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`order_lines__quarantine`
LOCATION 's3://${STACK_NAME}-quarantine-${AWS_ACCOUNT_ID}/corner-shop/Order_Lines/'
TBLPROPERTIES ('table_type' = 'DELTA');

CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`dead_letters`
LOCATION 's3://${STACK_NAME}-quarantine-${AWS_ACCOUNT_ID}/corner-shop/dead_letters/'
TBLPROPERTIES ('table_type' = 'DELTA');

CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`quarantine_replays`
LOCATION 's3://${STACK_NAME}-quarantine-${AWS_ACCOUNT_ID}/corner-shop/quarantine_replays/'
TBLPROPERTIES ('table_type' = 'DELTA');

CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`dq_metrics`
LOCATION 's3://${STACK_NAME}-delta-${AWS_ACCOUNT_ID}/dq_metrics/'
TBLPROPERTIES ('table_type' = 'DELTA');

CREATE EXTERNAL TABLE IF NOT EXISTS `corner_shop`.`batches`
LOCATION 's3://${STACK_NAME}-delta-${AWS_ACCOUNT_ID}/batches/'
TBLPROPERTIES ('table_type' = 'DELTA');

CREATE OR REPLACE VIEW "corner_shop"."orders__current" AS
SELECT * FROM "corner_shop"."orders" WHERE "_is_current";

CREATE OR REPLACE VIEW "corner_shop"."orders__log" AS
SELECT * FROM "corner_shop"."orders__log_all" WHERE NOT "_is_quarantined";

CREATE OR REPLACE VIEW "corner_shop"."order_lines__current" AS
SELECT * FROM "corner_shop"."order_lines" WHERE "_is_current";

CREATE OR REPLACE VIEW "corner_shop"."order_lines__log" AS
SELECT * FROM "corner_shop"."order_lines__log_all" WHERE NOT "_is_quarantined";
