-- The time since which the user of a connection is idle.

ALTER TABLE holder ADD COLUMN idle INTEGER NULL;
