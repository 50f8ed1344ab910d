-- A server lives for some time more.
-- KEYS nodes
-- ARGV node, lease_ms (0: it stops)
-- Returns {now, live node, …}
local now = now_ms()
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
local answer = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%d', now), '+inf')
table.insert(answer, 1, string.format('%d', now))
return answer
