-- Questions a ward asks. Each runs with `fluvial query --config healthcare-iot "..."`, and in any DuckDB over the same tables.
-- <table> is the whole history, one row for each version; <table>__current is what the source holds now.

-- name: ward_census
-- Who lies where now.
SELECT
    ward,
    count(*) AS patients,
    count(*) FILTER (status = 'intensive_care') AS in_intensive_care,
    count(*) FILTER (status = 'discharged') AS discharged,
    round(avg(weight_kg), 1) AS average_weight_kg
FROM patients__current
GROUP BY ward
ORDER BY patients DESC, ward;

-- name: ward_census_as_of
-- Each ward's patients as known one hour ago beside now: the question that only a history answers.
WITH moments AS (
    SELECT now() - INTERVAL 1 HOUR AS moment, 'an_hour_ago' AS name
    UNION ALL
    SELECT now(), 'now'
)
SELECT
    ward,
    count(*) FILTER (m.name = 'an_hour_ago') AS patients_an_hour_ago,
    count(*) FILTER (m.name = 'now') AS patients_now
FROM moments AS m
INNER JOIN patients AS p
    ON p._effective_from <= m.moment
    AND (p._effective_to > m.moment OR p._effective_to IS NULL)
GROUP BY ward
ORDER BY ward;

-- name: early_warning
-- A simple score for each patient's latest reading: one point for each vital sign outside of its normal range.
WITH latest AS (
    SELECT * FROM vitals__current
    QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY measured_at DESC) = 1
)
SELECT
    patient_id,
    p.ward,
    v.measured_at,
    (CASE WHEN v.heart_rate_bpm NOT BETWEEN 51 AND 90 THEN 1 ELSE 0 END)
    + (CASE WHEN v.spo2_pct < 96 THEN 1 ELSE 0 END)
    + (CASE WHEN v.systolic_mmhg NOT BETWEEN 111 AND 219 THEN 1 ELSE 0 END)
    + (CASE WHEN v.temperature_c NOT BETWEEN 36.1 AND 38.0 THEN 1 ELSE 0 END)
    + (CASE WHEN v.respiratory_rate NOT BETWEEN 12 AND 20 THEN 1 ELSE 0 END) AS score
FROM latest AS v
INNER JOIN patients__current AS p USING (patient_id)
ORDER BY score DESC, patient_id;

-- name: resting_heart_rate
-- Resting heart rate by hour and ward.
SELECT
    p.ward,
    date_trunc('hour', v.measured_at) AS hour,
    count(*) AS readings,
    round(avg(v.heart_rate_bpm), 1) AS average_bpm,
    max(v.heart_rate_bpm) AS highest_bpm
FROM vitals__current AS v
INNER JOIN patients__current AS p USING (patient_id)
WHERE v.is_resting
GROUP BY p.ward, hour
ORDER BY hour DESC, p.ward;

-- name: blood_pressure_classes
-- Readings by class of blood pressure.
SELECT
    CASE
        WHEN systolic_mmhg >= 180 OR diastolic_mmhg >= 110 THEN 'severe'
        WHEN systolic_mmhg >= 140 OR diastolic_mmhg >= 90 THEN 'high'
        WHEN systolic_mmhg < 90 OR diastolic_mmhg < 60 THEN 'low'
        ELSE 'normal'
    END AS class,
    count(*) AS readings,
    count(DISTINCT patient_id) AS patients
FROM vitals__current
GROUP BY class
ORDER BY readings DESC, class;

-- name: time_in_each_status
-- How long patients stay in each status before the next one, from the history.
SELECT
    status,
    count(*) AS stays,
    round(median(epoch(coalesce(_effective_to, now()) - _effective_from)) / 60, 1) AS median_minutes
FROM patients
GROUP BY status
ORDER BY stays DESC, status;

-- name: corrected_readings
-- Readings that somebody changed after the device had sent them: first against latest.
SELECT
    patient_id,
    measured_at,
    count(*) AS versions,
    arg_min(heart_rate_bpm, _sequence) AS heart_rate_first,
    arg_max(heart_rate_bpm, _sequence) AS heart_rate_latest
FROM vitals
GROUP BY patient_id, measured_at
HAVING count(*) > 1
ORDER BY versions DESC, patient_id, measured_at;

-- name: patients_by_age_band
-- Ages in bands of ten years; of a birth date, the lake only has the year.
SELECT
    floor(date_diff('year', birth_date, current_date) / 10) * 10 AS age_from,
    sex,
    count(*) AS patients
FROM patients__current
GROUP BY age_from, sex
ORDER BY age_from, sex;

-- name: quarantined_by_rule
-- Which rules the quarantined events broke; a row with an error lists its warnings as well.
WITH quarantined AS (
    SELECT 'patients' AS table_name, unnest(_failed_rules) AS rule, _quarantined_at FROM patients__quarantine
    UNION ALL
    SELECT 'vitals', unnest(_failed_rules), _quarantined_at FROM vitals__quarantine
)
SELECT table_name, rule, count(*) AS events, max(_quarantined_at) AS latest
FROM quarantined
GROUP BY table_name, rule
ORDER BY events DESC, table_name, rule;
