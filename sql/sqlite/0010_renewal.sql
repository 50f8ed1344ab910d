-- When each server last renewed its lease: its connections are lost since then, not since the lease's end.

ALTER TABLE node ADD COLUMN renewed INTEGER NULL;
