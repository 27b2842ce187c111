-- Whom a mailbox gives rights to, by user: addresses in lower case, or `default`. It may name too many and never too few: the rights
-- themselves are kept by the mailbox, and are looked at before anything is shown.
CREATE TABLE shares (
    owner  INTEGER NOT NULL REFERENCES users (address) ON DELETE CASCADE,
    member TEXT NOT NULL,
    PRIMARY KEY (owner, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_by_member ON shares (member);

-- Whose mailbox holds the public folders of a domain.
CREATE TABLE public_accounts (
    domain  INTEGER PRIMARY KEY REFERENCES domains (id) ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES users (address) ON DELETE CASCADE
) STRICT;
