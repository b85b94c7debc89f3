-- Whether a user's numbers are an estimate is known from the quarters of an hour: a weight above one
-- means that a call stands for several. Without this, weeks of calls would be read to find out.
ALTER TABLE activity
    ADD COLUMN IF NOT EXISTS heaviest SimpleAggregateFunction(max, UInt32) CODEC(T64, ZSTD(1));

-- Made anew, not changed in place: the engine would forget the tokens of a changed view at the next
-- start. No batch is half stored here, since nothing is changed while one is.
DROP VIEW IF EXISTS activity_view;
CREATE MATERIALIZED VIEW IF NOT EXISTS activity_view TO activity AS
SELECT
    app_id,
    user_id,
    toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS slot,
    sum(toUInt64(weight)) AS calls,
    sumIf(toUInt64(weight), status >= 200 AND status < 400) AS successes,
    sumIf(toUInt64(weight), status >= 400 AND status < 500) AS client_errors,
    sumIf(toUInt64(weight), status >= 500) AS server_errors,
    sumIf(toUInt64(weight), blocked_by != '') AS blocked,
    max(weight) AS heaviest
FROM landing
WHERE user_id != ''
GROUP BY app_id, user_id, slot;

INSERT INTO activity (app_id, user_id, slot, heaviest)
SELECT app_id, user_id, toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS slot, max(weight)
FROM calls
WHERE user_id != '' AND weight > 1
GROUP BY app_id, user_id, slot
SETTINGS insert_deduplicate = 0;
