-- Version 2: what was deleted softly is found without reading every item.

CREATE INDEX items_deleted ON items (deleted_at) WHERE deleted_at IS NOT NULL;
