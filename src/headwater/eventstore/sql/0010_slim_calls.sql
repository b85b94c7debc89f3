-- A call in two thirds of the bytes (ADR 0023).
--
-- Nearly all ids are UUIDs as text: kept as sixteen bytes, and as text only when they are not. What
-- finds the calls of one user is a filter a granule, not a second order of all rows: calls of one
-- user lie side by side within a day and route already.
DROP VIEW IF EXISTS calls_view;
DROP TABLE IF EXISTS calls_slim SETTINGS max_table_size_to_drop = 0;
CREATE TABLE calls_slim (
    app_id LowCardinality(String),
    time DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    call_uuid UUID CODEC(ZSTD(1)),
    call_text String CODEC(ZSTD(1)),
    call_id String ALIAS if(call_text = '', toString(call_uuid), call_text),
    user_id String CODEC(ZSTD(1)),
    company_id LowCardinality(String),
    anonymous_id String CODEC(ZSTD(1)),
    session_key String CODEC(ZSTD(1)),
    verb LowCardinality(String),
    route LowCardinality(String),
    uri String CODEC(ZSTD(1)),
    host LowCardinality(String),
    status UInt16 CODEC(ZSTD(1)),
    duration_ms Float64 CODEC(ZSTD(1)),
    weight UInt32 CODEC(ZSTD(1)),
    direction LowCardinality(String),
    client_kind LowCardinality(String),
    client_name LowCardinality(String),
    client_version LowCardinality(String),
    sdk LowCardinality(String),
    country LowCardinality(String),
    ip_address String CODEC(ZSTD(1)),
    action_name LowCardinality(String),
    blocked_by LowCardinality(String),
    api_version LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    request_bytes UInt64 CODEC(T64, ZSTD(1)),
    response_bytes UInt64 CODEC(T64, ZSTD(1)),
    flags Array(LowCardinality(String)),
    received_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    log_offset UInt64 CODEC(Delta(8), ZSTD(1)),
    user_by LowCardinality(String),
    company_by LowCardinality(String),
    user_bucket UInt16 DEFAULT toUInt16(cityHash64(user_id) % 65536) CODEC(Delta(2), ZSTD(1)),
    INDEX of_user user_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (app_id, toDate(time), route, user_bucket, time)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

INSERT INTO calls_slim (
    app_id, time, call_uuid, call_text, user_id, company_id, anonymous_id, session_key, verb, route,
    uri, host, status, duration_ms, weight, direction, client_kind, client_name, client_version, sdk,
    country, ip_address, action_name, blocked_by, api_version, trace_id, request_bytes,
    response_bytes, flags, received_at, log_offset, user_by, company_by, user_bucket
)
SELECT
    app_id, time, toUUIDOrZero(call_id) AS uuid, if(toString(uuid) = call_id, '', call_id), user_id,
    company_id, anonymous_id, session_key, verb, route, uri, host, status, duration_ms, weight,
    direction, client_kind, client_name, client_version, sdk, country, ip_address, action_name,
    blocked_by, api_version, trace_id, request_bytes, response_bytes, flags, received_at, log_offset,
    user_by, company_by, user_bucket
FROM calls
SETTINGS insert_deduplicate = 0, throw_on_max_partitions_per_insert_block = 0;
EXCHANGE TABLES calls AND calls_slim;
DROP TABLE calls_slim SETTINGS max_table_size_to_drop = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS calls_view TO calls AS
SELECT
    app_id, time, toUUIDOrZero(call_id) AS call_uuid,
    if(toString(call_uuid) = call_id, '', call_id) AS call_text, user_id, company_id, anonymous_id,
    session_key, verb, route, uri, host, status, duration_ms, weight, direction, client_kind,
    client_name, client_version, sdk, country, ip_address, action_name, blocked_by, api_version,
    trace_id, request_bytes, response_bytes, flags, received_at, log_offset, user_by, company_by
FROM landing;
