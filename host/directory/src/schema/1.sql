-- Names are canonical: domains in A-labels, local parts in lower case and unquoted.
CREATE TABLE domains (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    -- What DOMAIN\user may call it, beside the first label; lower case.
    short_name TEXT UNIQUE
) STRICT;

-- Every address that exists, whatever it is: one name space, so nothing can be two things.
CREATE TABLE addresses (
    id     INTEGER PRIMARY KEY,
    domain INTEGER NOT NULL REFERENCES domains (id),
    local  TEXT NOT NULL,
    kind   TEXT NOT NULL CHECK (kind IN ('user', 'alias', 'group')),
    UNIQUE (domain, local)
) STRICT;

CREATE TABLE users (
    address       INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
    display_name  TEXT NOT NULL,
    -- 32 hex digits.
    mailbox       TEXT NOT NULL UNIQUE,
    -- PHC string.
    password_hash TEXT NOT NULL,
    enabled       INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE features_off (
    user    INTEGER NOT NULL REFERENCES users (address) ON DELETE CASCADE,
    feature TEXT NOT NULL,
    PRIMARY KEY (user, feature)
) STRICT, WITHOUT ROWID;

CREATE TABLE app_passwords (
    user      INTEGER NOT NULL REFERENCES users (address) ON DELETE CASCADE,
    name      TEXT NOT NULL,
    hash      BLOB NOT NULL,
    created   INTEGER NOT NULL,
    last_used INTEGER,
    PRIMARY KEY (user, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
    address INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
    target  INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX aliases_by_target ON aliases (target);

CREATE TABLE group_members (
    list   INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    member INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    PRIMARY KEY (list, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_by_member ON group_members (member);
