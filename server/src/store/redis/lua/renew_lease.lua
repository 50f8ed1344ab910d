-- Renews the lease of a server.
-- KEYS nodes, renewed
-- ARGV node, lease_ms (0: it stops)
-- Returns {now, live node, …}
local now = now_ms()
redis.call('ZADD', nodes, now + ARGV[2], ARGV[1])
redis.call('HSET', renewed, ARGV[1], now)
local answer = redis.call('ZRANGEBYSCORE', nodes, string.format('(%d', now), '+inf')
table.insert(answer, 1, string.format('%d', now))
return answer
