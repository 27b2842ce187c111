-- Version 1. Numbers called id, cn, modseq and counter come from the mailbox's one 48-bit counter.

CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    guid BLOB NOT NULL,
    owner TEXT NOT NULL,
    counter INTEGER NOT NULL,
    uid_validity INTEGER NOT NULL,      -- the last one given to a folder
    acl_cn INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES folders (id),     -- NULL: the root of the IPM subtree itself
    name TEXT NOT NULL,
    container_class TEXT NOT NULL,
    role INTEGER NOT NULL,
    cn INTEGER NOT NULL,
    acl_cn INTEGER NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL,
    recent_uid INTEGER NOT NULL,        -- items from this UID on are \Recent
    highest_modseq INTEGER NOT NULL,
    tombstone_floor INTEGER NOT NULL,   -- tombstones up to this number are gone
    items INTEGER NOT NULL,             -- counts of live, normal items
    unread INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    size INTEGER NOT NULL,
    bag BLOB NOT NULL,
    UNIQUE (parent, name)
) STRICT;

CREATE TABLE folder_tombstones (
    cn INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL
) STRICT;

CREATE TABLE receive_folders (
    message_class TEXT PRIMARY KEY,     -- the longest prefix wins
    folder INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE permissions (
    folder INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    member TEXT NOT NULL,
    rights INTEGER NOT NULL,
    PRIMARY KEY (folder, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE keywords (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE kv (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE names (
    id INTEGER PRIMARY KEY,             -- from 0x8000
    guid BLOB NOT NULL,
    lid INTEGER,
    name TEXT,
    CHECK ((lid IS NULL) <> (name IS NULL))
) STRICT;
CREATE UNIQUE INDEX names_lid ON names (guid, lid) WHERE lid IS NOT NULL;
CREATE UNIQUE INDEX names_name ON names (guid, name) WHERE name IS NOT NULL;

-- What a blob alone decides stands with it, so copies of an item share it.
CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,        -- BLAKE3
    size INTEGER NOT NULL,
    header_size INTEGER NOT NULL,
    header_packed INTEGER NOT NULL,     -- octets of the frames that hold the header
    frames BLOB NOT NULL,
    structure BLOB,                     -- of mail
    data BLOB                           -- NULL: a file
) STRICT;

CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES folders (id),
    uid INTEGER NOT NULL,
    modseq INTEGER NOT NULL,            -- max(cn, read_cn, flag_cn)
    cn INTEGER NOT NULL,
    read_cn INTEGER NOT NULL,
    flag_cn INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    size INTEGER NOT NULL,
    internal_date INTEGER NOT NULL,
    save_date INTEGER NOT NULL,
    sent_date INTEGER NOT NULL,
    sent_day INTEGER NOT NULL,
    deleted_at INTEGER,                 -- soft-deleted
    blob INTEGER REFERENCES blobs (id),
    keywords TEXT NOT NULL,             -- numbers, parted by commas, ascending
    class TEXT NOT NULL,
    subject TEXT NOT NULL,
    base_subject TEXT NOT NULL,
    sender TEXT NOT NULL,
    first_from TEXT NOT NULL,
    first_to TEXT NOT NULL,
    first_cc TEXT NOT NULL,
    message_id TEXT NOT NULL,
    parents TEXT NOT NULL,              -- message ids of References and In-Reply-To, parted by spaces
    creator TEXT,                       -- NULL: the owner
    outside_name TEXT,
    change_key BLOB,                    -- as a client gave them
    predecessors BLOB
) STRICT;
CREATE UNIQUE INDEX items_uid ON items (folder, uid);
CREATE INDEX items_log ON items (folder, modseq);
CREATE INDEX items_blob ON items (blob) WHERE blob IS NOT NULL;

-- The rest of an item's properties; no row: not derived from the blob yet.
CREATE TABLE bags (
    item INTEGER PRIMARY KEY REFERENCES items (id) ON DELETE CASCADE,
    properties BLOB NOT NULL,
    recipients BLOB NOT NULL,
    converter INTEGER NOT NULL,         -- version of the converter that derived it; 0: written by a client
    derived BLOB                        -- digest of the derived properties; NULL: edited since, the blob no longer holds
) STRICT;

CREATE TABLE attachments (
    item INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    properties BLOB NOT NULL,
    blob INTEGER REFERENCES blobs (id),
    embedded BLOB,                      -- the properties of an embedded message
    PRIMARY KEY (item, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_blob ON attachments (blob) WHERE blob IS NOT NULL;

CREATE TABLE tombstones (
    folder INTEGER NOT NULL,
    cn INTEGER NOT NULL,
    item INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    outside_name TEXT,
    associated INTEGER NOT NULL,
    kind INTEGER NOT NULL,              -- 1 soft, 2 hard, 3 moved away
    at INTEGER NOT NULL,
    PRIMARY KEY (folder, cn)
) STRICT, WITHOUT ROWID;
