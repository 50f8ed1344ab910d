-- Closes an instance: joins and posts stop at once, everybody leaves, chunk by chunk.
-- KEYS meeting, participants, owners, presence, log, channel
-- ARGV gen, reason, participants_max (of one call)
-- Returns {'closed', seq} | {'more'} | {'early', milliseconds} (its time is not over by this clock)
--       | {'gone'} | {'stale', gen}
local meeting, participants, owners, presence, log, channel = unpack(KEYS)
local gen, reason = unpack(ARGV)

local found, refused = live(meeting, gen)
if not found then return refused end
if found.state == 'closed' then return {'closed', found.seq} end
local now = now_ms()
-- Its end may have begun already, by an admin.
local by_the_clock = reason == 'scheduled' or reason == 'missed'
if found.state == 'active' and by_the_clock and now < found.to then
  return {'early', found.to - now}
end
-- The first call settles reason and time; later ones go on with these.
if redis.call('HSETNX', meeting, 'closing', math.min(now, found.to)) == 1 then
  redis.call('HSET', meeting, 'state', 'ending', 'reason', reason)
end
local settled = redis.call('HMGET', meeting, 'closing', 'reason')
local time
time, reason = tonumber(settled[1]), settled[2]

local leaving = redis.call('ZRANGE', participants, 0, ARGV[3] - 1)
for _, user in ipairs(leaving) do
  remove(participants, owners, presence, user)
  emit(meeting, log, channel, gen, 'leave', user, time, {'reason', reason})
end
if redis.call('ZCARD', participants) > 0 then return {'more'} end
local seq = emit(meeting, log, channel, gen, 'closed', '', time, {'reason', reason})
redis.call('HSET', meeting, 'state', 'closed')
return {'closed', seq}
