-- How often a meeting or its audience was changed: live instances take over the highest revision.

ALTER TABLE meeting ADD COLUMN revision BIGINT UNSIGNED NOT NULL DEFAULT 0;
