-- SCRAM (RFC 5802): salt and iterations of a user, and the keys of each secret that was at hand since.
ALTER TABLE users ADD COLUMN scram_terms BLOB;
ALTER TABLE users ADD COLUMN scram_verifier BLOB;
ALTER TABLE app_passwords ADD COLUMN scram_verifiers BLOB;

-- One row: what the salts of names are made of that nobody has.
CREATE TABLE scram_decoys (key BLOB NOT NULL) STRICT;
INSERT INTO scram_decoys VALUES (randomblob(32));
