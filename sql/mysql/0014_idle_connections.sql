-- The idle time of connections is in Redis, so this migration is empty.

DO 0;
