-- Keys that mail of a domain is signed with (RFC 6376).
CREATE TABLE dkim_keys (
    domain      INTEGER NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    selector    TEXT NOT NULL,
    algorithm   TEXT NOT NULL CHECK (algorithm IN ('rsa2048', 'ed25519')),
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'retired')),
    -- PKCS #8, DER.
    private_key BLOB NOT NULL,
    -- As the record's p= has it.
    public_key  BLOB NOT NULL,
    -- Seconds since 1970.
    created     INTEGER NOT NULL,
    PRIMARY KEY (domain, selector)
) STRICT, WITHOUT ROWID;
