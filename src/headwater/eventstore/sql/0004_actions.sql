-- What people did beside calling the API: pages seen, buttons pressed.
--
-- Actions go the way of calls: one insert into a table that keeps nothing, with a token of its own,
-- and the views carry it on. They make a user seen, but they are not calls: no counter knows them.

CREATE TABLE IF NOT EXISTS actions_landing (
    app_id String,
    time DateTime64(6, 'UTC'),
    action_id String,
    action_name String,
    user_id String,
    company_id String,
    anonymous_id String,
    session_key String,
    uri String,
    client_kind String,
    client_name String,
    client_version String,
    sdk String,
    country String,
    ip_address String,
    user_agent String,
    flags Array(String),
    received_at DateTime64(3, 'UTC'),
    log_offset UInt64,
    metadata String,
    extra String
) ENGINE = Null;

CREATE TABLE IF NOT EXISTS actions (
    app_id LowCardinality(String),
    time DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    action_id String CODEC(ZSTD(1)),
    action_name LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    company_id LowCardinality(String),
    anonymous_id String CODEC(ZSTD(1)),
    session_key String CODEC(ZSTD(1)),
    uri String CODEC(ZSTD(1)),
    client_kind LowCardinality(String),
    client_name LowCardinality(String),
    client_version LowCardinality(String),
    sdk LowCardinality(String),
    country LowCardinality(String),
    ip_address String CODEC(ZSTD(1)),
    user_agent String CODEC(ZSTD(1)),
    flags Array(LowCardinality(String)),
    received_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    log_offset UInt64 CODEC(Delta(8), ZSTD(1)),
    metadata String CODEC(ZSTD(1)),
    extra String CODEC(ZSTD(1)),
    PROJECTION by_user (SELECT _part_offset ORDER BY app_id, user_id, time)
) ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (app_id, toDate(time), action_name, user_id, time)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS actions_view TO actions AS
SELECT
    app_id, time, action_id, action_name, user_id, company_id, anonymous_id, session_key, uri,
    client_kind, client_name, client_version, sdk, country, ip_address, user_agent, flags,
    received_at, log_offset, metadata, extra
FROM actions_landing;

-- Which actions were stored, for exact de-duplication. Clients that repeat do so within days.
CREATE TABLE IF NOT EXISTS action_ids (
    app_id LowCardinality(String),
    action_id String CODEC(ZSTD(1)),
    log_offset UInt64 CODEC(Delta(8), ZSTD(1)),
    day Date CODEC(Delta(2), ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (app_id, action_id)
TTL day + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity = 1024, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS action_ids_view TO action_ids AS
SELECT app_id, action_id, log_offset, toDate(received_at) AS day FROM actions_landing;

CREATE MATERIALIZED VIEW IF NOT EXISTS people_seen_by_actions_view TO people_seen AS
SELECT
    app_id,
    user_id,
    min(time) AS first_seen_at,
    max(time) AS last_seen_at,
    maxIf((time, action_id, ip_address), ip_address != '') AS last_ip,
    maxIf((time, action_id, user_agent), user_agent != '') AS last_user_agent,
    maxIf((time, action_id, company_id), company_id != '') AS last_company_id,
    max(log_offset) AS last_offset
FROM actions_landing
WHERE user_id != ''
GROUP BY app_id, user_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS companies_seen_by_actions_view TO companies_seen AS
SELECT
    app_id,
    company_id,
    min(time) AS first_seen_at,
    max(time) AS last_seen_at,
    maxIf((time, action_id, ip_address), ip_address != '') AS last_ip,
    max(log_offset) AS last_offset
FROM actions_landing
WHERE company_id != ''
GROUP BY app_id, company_id;
