-- What people ruled about links: a session key or browser is not this user's after all, or is again.
--
-- Every ruling stays, so this is the audit of links, too; the newest of a key and user counts.
CREATE TABLE IF NOT EXISTS link_rulings (
    app_id LowCardinality(String),
    kind LowCardinality(String),
    key String CODEC(ZSTD(1)),
    value String CODEC(ZSTD(1)),
    said_at DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    ruling_id String,
    verdict LowCardinality(String),
    said_by String,
    reason String,
    log_offset UInt64
) ENGINE = ReplacingMergeTree
ORDER BY (app_id, kind, key, value, said_at, ruling_id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity = 1024;

-- Which call, action or update told a link first, of each day.
ALTER TABLE links ADD COLUMN IF NOT EXISTS
    said SimpleAggregateFunction(min, Tuple(at DateTime64(6, 'UTC'), by String)) DEFAULT (at, '');
