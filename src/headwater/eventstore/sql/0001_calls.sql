-- API calls and everything derived from them.
--
-- All rows enter through `landing`, which keeps nothing; the views below carry each insert on. A
-- retried insert has the same token, and every target has a deduplication window of its own, so a
-- retry completes what is missing and repeats nothing (ADR 0005). Statements end with a semicolon
-- at the end of a line and may run twice.
--
-- Users are strings here, not dense numbers: a number would have to be issued exactly once before
-- the insert, by one owner, and that is worth its price only when funnels over more than 100 million
-- calls are slow. `calls` can get such a column later without touching the rest.

CREATE TABLE IF NOT EXISTS landing (
    app_id String,
    time DateTime64(6, 'UTC'),
    call_id String,
    user_id String,
    company_id String,
    anonymous_id String,
    session_key String,
    verb String,
    route String,
    uri String,
    host String,
    status UInt16,
    duration_ms Float64,
    weight UInt32,
    direction String,
    client_kind String,
    client_name String,
    client_version String,
    sdk String,
    country String,
    ip_address String,
    action_name String,
    blocked_by String,
    api_version String,
    trace_id String,
    request_bytes UInt64,
    response_bytes UInt64,
    flags Array(String),
    received_at DateTime64(3, 'UTC'),
    log_offset UInt64,
    user_agent String,
    request_headers String,
    response_headers String,
    request_body String,
    response_body String,
    request_encoding String,
    response_encoding String,
    metadata String,
    extra String
) ENGINE = Null;

-- The same shape without views: asked whether a batch that failed holds a row the engine refuses.
CREATE TABLE IF NOT EXISTS landing_trial AS landing ENGINE = Null;

-- One narrow row a call. Day and route lead the order, so that reports about an endpoint read little;
-- whole-range charts are served by `counters`, one person's timeline by the projection.
CREATE TABLE IF NOT EXISTS calls (
    app_id LowCardinality(String),
    time DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    call_id String CODEC(ZSTD(1)),
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
    PROJECTION by_user (SELECT _part_offset ORDER BY app_id, user_id, time)
) ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (app_id, toDate(time), route, user_id, time)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS calls_view TO calls AS
SELECT
    app_id, time, call_id, user_id, company_id, anonymous_id, session_key, verb, route, uri, host,
    status, duration_ms, weight, direction, client_kind, client_name, client_version, sdk, country,
    ip_address, action_name, blocked_by, api_version, trace_id, request_bytes, response_bytes, flags,
    received_at, log_offset
FROM landing;

-- What is wide and seldom read: in the order of arrival, so that merges re-compress little.
CREATE TABLE IF NOT EXISTS bodies (
    app_id LowCardinality(String),
    log_offset UInt64 CODEC(Delta(8), ZSTD(1)),
    call_id String CODEC(ZSTD(1)),
    time DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    user_agent String CODEC(ZSTD(3)),
    request_headers String CODEC(ZSTD(3)),
    response_headers String CODEC(ZSTD(3)),
    request_body String CODEC(ZSTD(3)),
    response_body String CODEC(ZSTD(3)),
    request_encoding LowCardinality(String),
    response_encoding LowCardinality(String),
    metadata String CODEC(ZSTD(3)),
    extra String CODEC(ZSTD(3))
) ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (app_id, log_offset, call_id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS bodies_view TO bodies AS
SELECT
    app_id, log_offset, call_id, time, user_agent, request_headers, response_headers, request_body,
    response_body, request_encoding, response_encoding, metadata, extra
FROM landing;

-- Which calls were stored, for exact de-duplication. Its time to live is set at start-up from the
-- setting `eventstore.dedup_days`.
CREATE TABLE IF NOT EXISTS call_ids (
    app_id LowCardinality(String),
    call_id String CODEC(ZSTD(1)),
    log_offset UInt64 CODEC(Delta(8), ZSTD(1)),
    day Date CODEC(Delta(2), ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (app_id, call_id)
TTL day + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity = 1024, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS call_ids_view TO call_ids AS
SELECT app_id, call_id, log_offset, toDate(received_at) AS day FROM landing;

-- Counts by quarter of an hour: the finest step by which time zones differ, so that hours and days
-- of any zone are exact sums. `calls` is weighted, `events` counts rows.
CREATE TABLE IF NOT EXISTS counters (
    app_id LowCardinality(String),
    slot DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    verb LowCardinality(String),
    route LowCardinality(String),
    status UInt16 CODEC(ZSTD(1)),
    client_name LowCardinality(String),
    calls SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    events SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    blocked SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    duration_ms_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    request_bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    response_bytes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    late SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    received_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) CODEC(Delta(8), ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (app_id, slot, route, verb, status, client_name)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS counters_view TO counters AS
SELECT
    app_id,
    toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS slot,
    verb, route, status, client_name,
    sum(toUInt64(weight)) AS calls,
    count() AS events,
    sumIf(toUInt64(weight), status >= 400) AS errors,
    sumIf(toUInt64(weight), blocked_by != '') AS blocked,
    sum(duration_ms * weight) AS duration_ms_sum,
    sum(l.request_bytes * weight) AS request_bytes,
    sum(l.response_bytes * weight) AS response_bytes,
    countIf(has(flags, 'late')) AS late,
    max(l.received_at) AS received_at
FROM landing AS l
GROUP BY app_id, slot, verb, route, status, client_name;

-- Each user's quarters of an hour: retention, lifecycle, active hours.
CREATE TABLE IF NOT EXISTS activity (
    app_id LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    slot DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    calls SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    successes SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    client_errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    server_errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    blocked SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (app_id, user_id, slot)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS activity_view TO activity AS
SELECT
    app_id,
    user_id,
    toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS slot,
    sum(toUInt64(weight)) AS calls,
    sumIf(toUInt64(weight), status >= 200 AND status < 400) AS successes,
    sumIf(toUInt64(weight), status >= 400 AND status < 500) AS client_errors,
    sumIf(toUInt64(weight), status >= 500) AS server_errors,
    sumIf(toUInt64(weight), blocked_by != '') AS blocked
FROM landing
WHERE user_id != ''
GROUP BY app_id, user_id, slot;

-- First and last of each user. "Latest value" columns are the greatest (time, call id, value) among
-- calls that have a value: the same whatever the order of arrival. Read `max(last_ip).value`.
CREATE TABLE IF NOT EXISTS people_seen (
    app_id LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    first_seen_at SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last_seen_at SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    first_success_at SimpleAggregateFunction(min, Nullable(DateTime64(6, 'UTC'))),
    last_ip SimpleAggregateFunction(max, Tuple(at DateTime64(6, 'UTC'), call_id String, value String)),
    last_user_agent SimpleAggregateFunction(max, Tuple(at DateTime64(6, 'UTC'), call_id String, value String)),
    last_company_id SimpleAggregateFunction(max, Tuple(at DateTime64(6, 'UTC'), call_id String, value String)),
    last_call SimpleAggregateFunction(max, Tuple(at DateTime64(6, 'UTC'), call_id String)),
    calls SimpleAggregateFunction(sum, UInt64),
    last_offset SimpleAggregateFunction(max, UInt64)
) ENGINE = AggregatingMergeTree
ORDER BY (app_id, user_id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS people_seen_view TO people_seen AS
SELECT
    app_id,
    user_id,
    min(time) AS first_seen_at,
    max(time) AS last_seen_at,
    minOrNullIf(time, status >= 200 AND status < 400) AS first_success_at,
    maxIf((time, call_id, ip_address), ip_address != '') AS last_ip,
    maxIf((time, call_id, user_agent), user_agent != '') AS last_user_agent,
    maxIf((time, call_id, company_id), company_id != '') AS last_company_id,
    max((time, call_id)) AS last_call,
    sum(toUInt64(weight)) AS calls,
    max(log_offset) AS last_offset
FROM landing
WHERE user_id != ''
GROUP BY app_id, user_id;

CREATE TABLE IF NOT EXISTS companies_seen (
    app_id LowCardinality(String),
    company_id String CODEC(ZSTD(1)),
    first_seen_at SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last_seen_at SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    first_success_at SimpleAggregateFunction(min, Nullable(DateTime64(6, 'UTC'))),
    last_ip SimpleAggregateFunction(max, Tuple(at DateTime64(6, 'UTC'), call_id String, value String)),
    calls SimpleAggregateFunction(sum, UInt64),
    last_offset SimpleAggregateFunction(max, UInt64)
) ENGINE = AggregatingMergeTree
ORDER BY (app_id, company_id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS companies_seen_view TO companies_seen AS
SELECT
    app_id,
    company_id,
    min(time) AS first_seen_at,
    max(time) AS last_seen_at,
    minOrNullIf(time, status >= 200 AND status < 400) AS first_success_at,
    maxIf((time, call_id, ip_address), ip_address != '') AS last_ip,
    sum(toUInt64(weight)) AS calls,
    max(log_offset) AS last_offset
FROM landing
WHERE company_id != ''
GROUP BY app_id, company_id;

-- Items that could not be understood, with the reason.
CREATE TABLE IF NOT EXISTS rejects (
    app_id LowCardinality(String),
    reject_id String CODEC(ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    kind LowCardinality(String),
    reason String CODEC(ZSTD(1)),
    field String CODEC(ZSTD(1)),
    sample String CODEC(ZSTD(3)),
    log_offset UInt64 CODEC(Delta(8), ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (app_id, received_at, reject_id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;
