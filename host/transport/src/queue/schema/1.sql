-- Times are milliseconds since 1970. AUTOINCREMENT: the number of a message is never given to another.
CREATE TABLE messages (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Empty for the null reverse-path.
    sender       TEXT NOT NULL,
    envelope_id  TEXT,
    headers_only INTEGER NOT NULL,
    smtp_utf8    INTEGER NOT NULL,
    -- It holds octets above 127: anywhere, and in the header.
    eight_bit    INTEGER NOT NULL,
    utf8_header  INTEGER NOT NULL,
    source       TEXT NOT NULL,
    session      TEXT NOT NULL,
    size         INTEGER NOT NULL,
    arrived      INTEGER NOT NULL,
    -- When its time began to run: its arrival, or when its sender wanted it to leave.
    since        INTEGER NOT NULL,
    held         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE octets (
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    octets  BLOB NOT NULL,
    UNIQUE (message, number)
) STRICT;

CREATE TABLE recipients (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    message    INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    address    TEXT NOT NULL,
    -- RFC 3461 NOTIFY: 1 never, 2 success, 4 failure, 8 delay.
    notify     INTEGER NOT NULL,
    original   TEXT,
    due        INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    -- The sender was told that it takes long.
    delay_told INTEGER NOT NULL DEFAULT 0,
    -- Of the last attempt.
    tried      INTEGER,
    host       TEXT,
    code       INTEGER,
    enhanced   TEXT,
    text       TEXT
) STRICT;
CREATE INDEX recipients_by_due ON recipients (due, id);
CREATE INDEX recipients_by_message ON recipients (message);
