-- RFC 8689: 0 as usual, 1 REQUIRETLS, 2 `TLS-Required: No`.
ALTER TABLE messages ADD COLUMN tls_demand INTEGER NOT NULL DEFAULT 0;
