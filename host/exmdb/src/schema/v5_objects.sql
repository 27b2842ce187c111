-- Version 5: objects, that is what DAV clients put under names of their own, and when they occur.

CREATE UNIQUE INDEX items_outside_name ON items (folder, outside_name) WHERE outside_name IS NOT NULL AND deleted_at IS NULL;

-- Its name, folder and source stand in the item.
CREATE TABLE objects (
    item INTEGER PRIMARY KEY REFERENCES items (id) ON DELETE CASCADE,
    uid TEXT NOT NULL,                  -- of the iCalendar object or vCard
    kind INTEGER NOT NULL,
    etag BLOB NOT NULL,                 -- of the source; here too, because it must outlive a lost source
    first INTEGER NOT NULL,             -- seconds since 1970: within these it occurs
    last INTEGER NOT NULL,
    horizon INTEGER,                    -- what occurs from here on is not in the list; NULL: the list is whole
    occurrences BLOB NOT NULL           -- packed, ascending
) STRICT;
CREATE INDEX objects_uid ON objects (uid);
