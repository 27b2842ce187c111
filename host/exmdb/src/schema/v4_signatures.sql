-- Version 4: what a search asks before it reads a message (`item::signature`).

CREATE TABLE signatures (
    blob INTEGER PRIMARY KEY REFERENCES blobs (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    bits BLOB NOT NULL
) STRICT;
