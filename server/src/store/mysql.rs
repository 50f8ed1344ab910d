//! What lasts, in MySQL or MariaDB.
