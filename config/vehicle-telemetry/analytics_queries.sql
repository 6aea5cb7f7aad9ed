-- Questions a fleet manager asks. Each runs with `fluvial query "..."`, and in any DuckDB over the same tables.
-- <table> is the whole history, one row for each version; <table>__current is what the source holds now.

-- name: fleet_utilisation
-- Share of the time since each vehicle's first version that it was on the road, from the history of its status.
WITH stays AS (
    SELECT
        vehicle_id,
        status,
        epoch(coalesce(_effective_to, now()) - _effective_from) AS seconds
    FROM vehicles
)
SELECT
    vehicle_id,
    round(sum(seconds) FILTER (status = 'active') / nullif(sum(seconds), 0), 3) AS active_share,
    round(sum(seconds) / 3600, 2) AS hours_known,
    count(*) AS versions
FROM stays
GROUP BY vehicle_id
ORDER BY active_share DESC NULLS LAST, vehicle_id;

-- name: driver_ratings_as_of
-- Every driver as known one hour ago beside today: the question that only a history answers.
SELECT
    today.driver_id,
    today.last_name,
    earlier.rating AS rating_an_hour_ago,
    today.rating AS rating_now,
    today.rating - earlier.rating AS change
FROM drivers__current AS today
LEFT JOIN drivers AS earlier
    ON earlier.driver_id = today.driver_id
    AND earlier._effective_from <= now() - INTERVAL 1 HOUR
    AND (earlier._effective_to > now() - INTERVAL 1 HOUR OR earlier._effective_to IS NULL)
ORDER BY abs(change) DESC NULLS LAST, today.driver_id;

-- name: telemetry_anomalies
-- Readings far from their own vehicle's average: more than three standard deviations of speed or engine temperature.
WITH readings AS (
    SELECT
        *,
        avg(speed_kmh) OVER of_vehicle AS usual_speed,
        stddev_samp(CAST(speed_kmh AS DOUBLE)) OVER of_vehicle AS speed_spread,
        avg(engine_temp_c) OVER of_vehicle AS usual_temp,
        stddev_samp(engine_temp_c) OVER of_vehicle AS temp_spread
    FROM vehicle_telemetry__current
    -- One NaN would make every average of its vehicle NaN.
    WHERE NOT isnan(coalesce(engine_temp_c, 0))
    WINDOW of_vehicle AS (PARTITION BY vehicle_id)
)
SELECT vehicle_id, recorded_at, speed_kmh, round(usual_speed, 1) AS usual_speed, engine_temp_c, round(usual_temp, 1) AS usual_temp
FROM readings
WHERE abs(speed_kmh - usual_speed) > 3 * speed_spread OR abs(engine_temp_c - usual_temp) > 3 * temp_spread OR fault_code IS NOT NULL
ORDER BY recorded_at DESC
LIMIT 100;

-- name: delivery_sla
-- Promised against delivered, express apart from standard.
SELECT
    CASE WHEN is_express THEN 'express' ELSE 'standard' END AS service,
    count(*) AS deliveries,
    count(*) FILTER (status = 'delivered') AS delivered,
    count(*) FILTER (status IN ('failed', 'cancelled')) AS lost,
    round(avg(CAST(delivered_at <= promised_at AS INTEGER)) FILTER (delivered_at IS NOT NULL), 3) AS on_time_share,
    round(avg(epoch(delivered_at - promised_at) / 60) FILTER (delivered_at > promised_at), 1) AS minutes_late_on_average
FROM deliveries__current
GROUP BY service
ORDER BY service;

-- name: delivery_steps
-- How long deliveries stay in each status before the next one, from the history.
SELECT
    status,
    count(*) AS stays,
    round(median(epoch(_effective_to - _effective_from)), 1) AS median_seconds,
    round(max(epoch(_effective_to - _effective_from)), 1) AS longest_seconds
FROM deliveries
WHERE NOT _is_current
GROUP BY status
ORDER BY stays DESC, status;

-- name: alerts_by_severity
-- What is open, by severity and kind, with the share somebody has looked at.
SELECT
    severity,
    alert_type,
    count(*) AS alerts,
    count(*) FILTER (resolved_at IS NULL) AS open,
    round(avg(CAST(is_acknowledged AS INTEGER)), 3) AS acknowledged_share
FROM alerts__current
GROUP BY severity, alert_type
ORDER BY CASE severity WHEN 'critical' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END, open DESC, alert_type;

-- name: quarantined_by_rule
-- Which rules the quarantined events broke, over all tables; a row with an error lists its warnings as well.
WITH quarantined AS (
    SELECT 'vehicles' AS table_name, unnest(_failed_rules) AS rule, _quarantined_at FROM vehicles__quarantine
    UNION ALL
    SELECT 'drivers', unnest(_failed_rules), _quarantined_at FROM drivers__quarantine
    UNION ALL
    SELECT 'vehicle_telemetry', unnest(_failed_rules), _quarantined_at FROM vehicle_telemetry__quarantine
    UNION ALL
    SELECT 'deliveries', unnest(_failed_rules), _quarantined_at FROM deliveries__quarantine
    UNION ALL
    SELECT 'alerts', unnest(_failed_rules), _quarantined_at FROM alerts__quarantine
)
SELECT table_name, rule, count(*) AS events, max(_quarantined_at) AS latest
FROM quarantined
GROUP BY table_name, rule
ORDER BY events DESC, table_name, rule;

-- name: busiest_rows
-- The vehicles with the most versions, and how many of those were open for no time at all (one transaction).
SELECT
    vehicle_id,
    count(*) AS versions,
    count(*) FILTER (_effective_to = _effective_from) AS within_one_transaction,
    min(_effective_from) AS first_seen,
    bool_or(_is_current) AS exists_now
FROM vehicles
GROUP BY vehicle_id
ORDER BY versions DESC, vehicle_id
LIMIT 20;
