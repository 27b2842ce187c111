-- What an alias or a group stands for elsewhere: addresses of other people's domains, as they were written.
CREATE TABLE forwards (
    address INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    target  TEXT NOT NULL,
    PRIMARY KEY (address, target)
) STRICT, WITHOUT ROWID;
