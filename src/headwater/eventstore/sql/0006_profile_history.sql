-- What was said of users, companies and subscriptions, and when.
--
-- One row an update, never changed: a profile of any moment is the merge of the rows up to it. A
-- visitor's words stay the visitor's here, so that what a link joined can come apart again. A path
-- is an array, since names may hold dots; a value is JSON.
CREATE TABLE IF NOT EXISTS profile_changes (
    app_id LowCardinality(String),
    kind LowCardinality(String),
    id String CODEC(ZSTD(1)),
    time DateTime64(6, 'UTC') CODEC(ZSTD(1)),
    update_id String CODEC(ZSTD(1)),
    anonymous Bool,
    paths Array(Array(String)) CODEC(ZSTD(1)),
    values Array(String) CODEC(ZSTD(1)),
    log_offset UInt64 CODEC(Delta(8), ZSTD(1))
) ENGINE = MergeTree
ORDER BY (app_id, kind, id, time, update_id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity = 1024;

-- Of what was said before this table came, the newest of each path is known.
TRUNCATE TABLE profile_changes;
INSERT INTO profile_changes
SELECT
    app_id, kind, id, time, update_id, anonymous,
    groupArray(path) AS paths, groupArray(value) AS values, max(version) AS log_offset
FROM (
    SELECT
        app_id, kind, id, version, anonymous,
        assumeNotNull(parseDateTime64BestEffortOrNull(JSONExtractString(leaf, 3), 6, 'UTC')) AS time,
        JSONExtractString(leaf, 4) AS update_id,
        JSONExtract(leaf, 1, 'Array(String)') AS path,
        JSONExtractRaw(leaf, 2) AS value
    FROM profiles FINAL
    ARRAY JOIN JSONExtractArrayRaw(state, 'leaves') AS leaf
)
GROUP BY app_id, kind, id, time, update_id, anonymous
SETTINGS insert_deduplicate = 0;

-- The names that lists are searched and ordered by, read where the document is drawn. `own` is false
-- when nothing was said of the user, and all that is known comes from visitors.
ALTER TABLE profiles
    ADD COLUMN IF NOT EXISTS name String DEFAULT JSONExtractString(doc, 'metadata', 'name') CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS email String DEFAULT JSONExtractString(doc, 'metadata', 'email') CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS own Bool DEFAULT true;

-- Links read from the other side: the session keys and browsers of a user.
CREATE TABLE IF NOT EXISTS keys_of_users (
    app_id LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    key String CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree
ORDER BY (app_id, user_id, kind, key)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS keys_of_users_view TO keys_of_users AS
SELECT app_id, value AS user_id, kind, key FROM links WHERE kind IN ('session', 'anonymous');

INSERT INTO keys_of_users
SELECT DISTINCT app_id, value, kind, key FROM links WHERE kind IN ('session', 'anonymous')
SETTINGS insert_deduplicate = 0;

-- The companies of a user, without the days: nearly always one, with its first moment.
CREATE TABLE IF NOT EXISTS companies_of_users (
    app_id LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    company_id LowCardinality(String),
    first_at SimpleAggregateFunction(min, DateTime64(6, 'UTC')) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
ORDER BY (app_id, user_id, company_id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
    index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS companies_of_users_view TO companies_of_users AS
SELECT app_id, key AS user_id, value AS company_id, min(at) AS first_at
FROM links WHERE kind = 'user' GROUP BY app_id, user_id, company_id;

INSERT INTO companies_of_users
SELECT app_id, key, value, min(at) FROM links WHERE kind = 'user' GROUP BY app_id, key, value
SETTINGS insert_deduplicate = 0;
