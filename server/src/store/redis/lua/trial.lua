-- Tries every command that the scripts use, and the commands outside of scripts that change keys, on scratch
-- keys. Leaves nothing behind.
-- KEYS hash, set, zset, list, stream, text, channel
-- ARGV none
-- Returns {'ok', refused command, error, …}
local hash, set, zset, list, stream, text, channel = unpack(KEYS)
local refused = {'ok'}

local function try(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) == 'table' and reply.err then
    refused[#refused + 1] = command
    refused[#refused + 1] = reply.err
  end
end

try('TIME')
try('SET', text, '1')
try('GET', text)
try('EXISTS', text)
try('PEXPIRE', text, 1000)
try('PEXPIREAT', text, now_ms() + 1000)
try('HSET', hash, 'a', '1')
try('HSETNX', hash, 'b', '1')
try('HGET', hash, 'a')
try('HMGET', hash, 'a', 'b')
try('HGETALL', hash)
try('HKEYS', hash)
try('HEXISTS', hash, 'a')
try('HINCRBY', hash, 'a', 1)
try('HDEL', hash, 'a')
try('SADD', set, 'a')
try('SISMEMBER', set, 'a')
try('SMEMBERS', set)
try('SREM', set, 'a')
try('ZADD', zset, 1, 'a')
try('ZCARD', zset)
try('ZCOUNT', zset, '-inf', '+inf')
try('ZSCORE', zset, 'a')
try('ZRANGE', zset, 0, -1)
try('ZRANGEBYSCORE', zset, '-inf', '+inf')
try('ZRANGEBYLEX', zset, '-', '+')
try('ZREM', zset, 'a')
try('RPUSH', list, 'a')
try('LLEN', list)
try('LINDEX', list, 0)
try('LRANGE', list, 0, -1)
try('LPOP', list)
try('XADD', stream, '1-0', 'a', '1')
try('XRANGE', stream, '-', '+')
try('XREVRANGE', stream, '+', '-')
try('XTRIM', stream, 'MINID', '2-0')
try('SPUBLISH', channel, '["trial"]')
try('DEL', text)
try('UNLINK', hash, set, zset, list, stream, text)
return refused
