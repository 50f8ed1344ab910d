-- Since when the person at a connection has not used it: Redis knows that, so there is nothing to be changed here.

DO 0;
