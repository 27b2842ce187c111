-- Version 3: what STOREs did to many items, until it is folded into the rows of the items.

CREATE TABLE flag_log (
    number INTEGER PRIMARY KEY,         -- change number of the first item; the others follow
    folder INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    moves INTEGER NOT NULL,             -- which versions: 1 cn, 2 read_cn, 4 flag_cn
    flags INTEGER NOT NULL,
    keywords TEXT NOT NULL,
    items INTEGER NOT NULL,             -- how many
    uids BLOB NOT NULL                  -- packed, ascending
) STRICT;
