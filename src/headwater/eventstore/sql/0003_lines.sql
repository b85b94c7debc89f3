-- Calls enter `landing` as JSON lines, which leave out what has its usual value.
ALTER TABLE landing MODIFY COLUMN weight UInt32 DEFAULT 1;
ALTER TABLE landing MODIFY COLUMN direction String DEFAULT 'Incoming';
ALTER TABLE landing_trial MODIFY COLUMN weight UInt32 DEFAULT 1;
ALTER TABLE landing_trial MODIFY COLUMN direction String DEFAULT 'Incoming';

-- Bodies are the bulk of every insert, and level 1 packs them with less CPU for a little more disk.
-- Parts that have grown to 300 MB stay as they are, since merging them again gains nothing.
ALTER TABLE bodies
    MODIFY COLUMN user_agent String CODEC(ZSTD(1)),
    MODIFY COLUMN request_headers String CODEC(ZSTD(1)),
    MODIFY COLUMN response_headers String CODEC(ZSTD(1)),
    MODIFY COLUMN request_body String CODEC(ZSTD(1)),
    MODIFY COLUMN response_body String CODEC(ZSTD(1)),
    MODIFY COLUMN metadata String CODEC(ZSTD(1)),
    MODIFY COLUMN extra String CODEC(ZSTD(1));
ALTER TABLE bodies MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 300000000;
