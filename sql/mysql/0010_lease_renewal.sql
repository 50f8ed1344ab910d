-- The lease renewals of servers are in Redis, so this migration is empty.

DO 0;
