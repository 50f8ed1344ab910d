//! The store of production: Redis for what is live, MySQL for what lasts.
