-- Who is behind a session key or a browser, and which company a user belongs to.
--
-- A link is kept once for each day on which it was seen: `at` is the first moment of that day, so
-- the rows of a link tell its first evidence and, to the day, its last. Earliest moment and greatest
-- offset are the same in whatever order evidence comes and however often: a retry adds nothing.
-- Session keys have one row a link, with the day 1970-01-01.
CREATE TABLE IF NOT EXISTS links (
    app_id LowCardinality(String),
    kind LowCardinality(String),
    key String CODEC(ZSTD(1)),
    value String CODEC(ZSTD(1)),
    day Date CODEC(Delta(2), ZSTD(1)),
    at SimpleAggregateFunction(min, DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    log_offset SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1)),
    INDEX by_offset log_offset TYPE minmax GRANULARITY 1
) ENGINE = AggregatingMergeTree
ORDER BY (app_id, kind, key, value, day)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity = 1024;

-- Session keys and browsers that calls or actions without a user came with: only these have a
-- history that a late link can name.
CREATE TABLE IF NOT EXISTS keys_seen (
    app_id LowCardinality(String),
    kind LowCardinality(String),
    key String CODEC(ZSTD(1)),
    first_seen_at SimpleAggregateFunction(min, DateTime64(6, 'UTC')) CODEC(ZSTD(1)),
    last_seen_at SimpleAggregateFunction(max, DateTime64(6, 'UTC')) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
ORDER BY (app_id, kind, key)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity = 1024;

-- How the user and the company of a call were found: `session`, `anonymous`, `user`; empty when they
-- came with the call, or are not known.
ALTER TABLE landing ADD COLUMN IF NOT EXISTS user_by String, ADD COLUMN IF NOT EXISTS company_by String;
ALTER TABLE landing_trial ADD COLUMN IF NOT EXISTS user_by String, ADD COLUMN IF NOT EXISTS company_by String;
ALTER TABLE actions_landing ADD COLUMN IF NOT EXISTS user_by String, ADD COLUMN IF NOT EXISTS company_by String;

-- A late link changes `user_id` of stored rows in place, so that each is there exactly once at every
-- moment (ADR 0014). A column of the sorting key cannot change. What keeps the rows of one user side
-- by side, and so compresses well, is now the bucket that the user had on arrival.
DROP VIEW IF EXISTS calls_view;
DROP TABLE IF EXISTS calls_resorted SETTINGS max_table_size_to_drop = 0;
ALTER TABLE calls
    ADD COLUMN IF NOT EXISTS user_by LowCardinality(String),
    ADD COLUMN IF NOT EXISTS company_by LowCardinality(String),
    ADD COLUMN IF NOT EXISTS user_bucket UInt16 DEFAULT toUInt16(cityHash64(user_id) % 65536) CODEC(Delta(2), ZSTD(1));
CREATE TABLE calls_resorted AS calls ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (app_id, toDate(time), route, user_bucket, time)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;
INSERT INTO calls_resorted SELECT * FROM calls
SETTINGS insert_deduplicate = 0, throw_on_max_partitions_per_insert_block = 0;
EXCHANGE TABLES calls AND calls_resorted;
DROP TABLE calls_resorted SETTINGS max_table_size_to_drop = 0;
CREATE MATERIALIZED VIEW IF NOT EXISTS calls_view TO calls AS
SELECT
    app_id, time, call_id, user_id, company_id, anonymous_id, session_key, verb, route, uri, host,
    status, duration_ms, weight, direction, client_kind, client_name, client_version, sdk, country,
    ip_address, action_name, blocked_by, api_version, trace_id, request_bytes, response_bytes, flags,
    received_at, log_offset, user_by, company_by
FROM landing;

DROP VIEW IF EXISTS actions_view;
DROP TABLE IF EXISTS actions_resorted SETTINGS max_table_size_to_drop = 0;
ALTER TABLE actions
    ADD COLUMN IF NOT EXISTS user_by LowCardinality(String),
    ADD COLUMN IF NOT EXISTS company_by LowCardinality(String),
    ADD COLUMN IF NOT EXISTS user_bucket UInt16 DEFAULT toUInt16(cityHash64(user_id) % 65536) CODEC(Delta(2), ZSTD(1));
CREATE TABLE actions_resorted AS actions ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (app_id, toDate(time), action_name, user_bucket, time)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;
INSERT INTO actions_resorted SELECT * FROM actions
SETTINGS insert_deduplicate = 0, throw_on_max_partitions_per_insert_block = 0;
EXCHANGE TABLES actions AND actions_resorted;
DROP TABLE actions_resorted SETTINGS max_table_size_to_drop = 0;
CREATE MATERIALIZED VIEW IF NOT EXISTS actions_view TO actions AS
SELECT
    app_id, time, action_id, action_name, user_id, company_id, anonymous_id, session_key, uri,
    client_kind, client_name, client_version, sdk, country, ip_address, user_agent, flags,
    received_at, log_offset, metadata, extra, user_by, company_by
FROM actions_landing;

CREATE MATERIALIZED VIEW IF NOT EXISTS keys_seen_view TO keys_seen AS
SELECT app_id, kind, key, min(time) AS first_seen_at, max(time) AS last_seen_at
FROM landing
ARRAY JOIN ['session', 'anonymous'] AS kind, [session_key, anonymous_id] AS key
WHERE key != '' AND (user_id = '' OR user_by != '')
GROUP BY app_id, kind, key;

CREATE MATERIALIZED VIEW IF NOT EXISTS keys_seen_by_actions_view TO keys_seen AS
SELECT app_id, kind, key, min(time) AS first_seen_at, max(time) AS last_seen_at
FROM actions_landing
ARRAY JOIN ['session', 'anonymous'] AS kind, [session_key, anonymous_id] AS key
WHERE key != '' AND (user_id = '' OR user_by != '')
GROUP BY app_id, kind, key;

INSERT INTO keys_seen
SELECT app_id, kind, key, min(time), max(time)
FROM (
    SELECT app_id, session_key, anonymous_id, time FROM calls WHERE user_id = ''
    UNION ALL SELECT app_id, session_key, anonymous_id, time FROM actions WHERE user_id = ''
)
ARRAY JOIN ['session', 'anonymous'] AS kind, [session_key, anonymous_id] AS key
WHERE key != ''
GROUP BY app_id, kind, key
SETTINGS insert_deduplicate = 0;
