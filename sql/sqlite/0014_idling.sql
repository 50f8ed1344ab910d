-- Since when the person at a connection has not used it.

ALTER TABLE holder ADD COLUMN idle INTEGER NULL;
