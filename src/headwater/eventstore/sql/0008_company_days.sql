-- The days (UTC) on which a company called: whether it is dormant, or came back.
CREATE TABLE IF NOT EXISTS company_days (
    app_id LowCardinality(String),
    company_id String CODEC(ZSTD(1)),
    day Date CODEC(Delta(2), ZSTD(1))
) ENGINE = ReplacingMergeTree
PARTITION BY toYear(day)
ORDER BY (app_id, company_id, day)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS company_days_view TO company_days AS
SELECT DISTINCT app_id, company_id, toDate(time) AS day FROM landing WHERE company_id != '';

INSERT INTO company_days
SELECT DISTINCT app_id, company_id, toDate(time) FROM calls WHERE company_id != ''
SETTINGS insert_deduplicate = 0, throw_on_max_partitions_per_insert_block = 0;
