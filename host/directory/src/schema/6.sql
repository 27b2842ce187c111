-- Who gets mail to an address of a domain that does not exist.
CREATE TABLE catch_alls (
    domain  INTEGER PRIMARY KEY REFERENCES domains (id) ON DELETE CASCADE,
    address INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE
) STRICT;

-- Who may write to a group; without a row: anybody.
CREATE TABLE group_policies (
    list INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
    who  TEXT NOT NULL CHECK (who IN ('members', 'domain', 'listed'))
) STRICT;

-- Who may beside those, as they are written in the envelope.
CREATE TABLE group_senders (
    list   INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    sender TEXT NOT NULL,
    PRIMARY KEY (list, sender)
) STRICT, WITHOUT ROWID;
