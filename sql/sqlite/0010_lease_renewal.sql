-- The time of a server's last lease renewal: when a server is lost, so are its connections since then.

ALTER TABLE node ADD COLUMN renewed INTEGER NULL;
