-- How often a meeting or its audience was changed: of what is live, the newer one holds.

ALTER TABLE meeting ADD COLUMN revision BIGINT UNSIGNED NOT NULL DEFAULT 0;
