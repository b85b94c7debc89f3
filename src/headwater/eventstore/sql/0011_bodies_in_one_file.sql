-- A part of `bodies` is one file instead of two for each of its columns: making, syncing and
-- merging files cost more than a tenth of an insert (ADR 0024). Parts of other tables stay small
-- until they are merged, and are one file each already.
ALTER TABLE bodies MODIFY SETTING min_bytes_for_wide_part = 300000000;
