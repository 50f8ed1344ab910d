-- When each server last renewed its lease: Redis has the leases, so there is nothing to be changed here.

DO 0;
