-- What users and companies were said to be.
--
-- One row a version; the version is the log offset of the newest update inside, so the greatest row
-- holds all that was merged. `state` is for merging, `doc` is what people see. A retried batch merges
-- to the same row, and its token makes the engine drop it.

CREATE TABLE IF NOT EXISTS profiles (
    app_id LowCardinality(String),
    kind LowCardinality(String),
    id String CODEC(ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    state String CODEC(ZSTD(3)),
    doc String CODEC(ZSTD(3)),
    company_id String CODEC(ZSTD(1)),
    anonymous Bool,
    anonymous_ids Array(String) CODEC(ZSTD(1)),
    created_at DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    modified_at DateTime64(6, 'UTC') CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree(version)
ORDER BY (app_id, kind, id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity = 1024;
