//! What is live, in Redis.
