-- What mailboxes may hold: octets and items. NULL: what the domain says, and for a domain nothing; -1: no limit, whatever the domain says.
ALTER TABLE users ADD COLUMN quota_storage INTEGER;
ALTER TABLE users ADD COLUMN quota_messages INTEGER;
ALTER TABLE domains ADD COLUMN quota_storage INTEGER;
ALTER TABLE domains ADD COLUMN quota_messages INTEGER;
