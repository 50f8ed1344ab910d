-- The archive has the log up to here; what is archived and beyond the cap is trimmed.
-- KEYS meeting, log, channel
-- ARGV gen, archived, live_events_max
-- Returns {'ok'} | {'gone'} | {'stale', gen}
local meeting, log, channel = unpack(KEYS)
local gen, archived = ARGV[1], tonumber(ARGV[2])

local found, refused = live(meeting, gen)
if not found then return refused end
if archived <= found.archived then return {'ok'} end
redis.call('HSET', meeting, 'archived', archived)
local keep_from = math.min(archived, found.seq - ARGV[3]) + 1
if keep_from > 1 then redis.call('XTRIM', log, 'MINID', '~', string.format('%d-0', keep_from)) end
redis.call('SPUBLISH', channel, cjson.encode({'durable', gen, archived}))
return {'ok'}
