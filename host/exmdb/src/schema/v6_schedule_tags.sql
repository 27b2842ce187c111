-- Version 6: what a scheduling object (RFC 6638) was when more than the answers of others changed last.

ALTER TABLE objects ADD COLUMN schedule_tag BLOB;   -- an entity tag; NULL: it is none
