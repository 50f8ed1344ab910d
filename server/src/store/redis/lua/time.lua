-- Returns the time of Redis' clock.
-- ARGV none
-- Returns {'ok', milliseconds since 1970}
return {'ok', now_ms()}
