-- How often a meeting or its audience was changed.

ALTER TABLE meeting ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
