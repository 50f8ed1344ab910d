-- The archive has the log up to here; what is archived and beyond the cap is trimmed, and with it
-- what is known of its messages.
-- KEYS meeting, log, sent, changed, channel
-- ARGV gen, archived, live_events_max, trimmed_max (events of one call)
-- Returns {'ok'} | {'gone'} | {'stale', gen}
local meeting, log, sent, changed, channel = unpack(KEYS)
local gen, archived = ARGV[1], tonumber(ARGV[2])

local found, refused = live(meeting, gen)
if not found then return refused end
if archived <= found.archived then return {'ok'} end
redis.call('HSET', meeting, 'archived', archived)

local last = math.min(archived, found.seq - ARGV[3])
local old = {}
if last > 0 then old = redis.call('XRANGE', log, '-', string.format('%d-0', last), 'COUNT', ARGV[4]) end
for _, entry in ipairs(old) do
  local seq, fields = string.match(entry[1], '^%d+'), entry[2]
  local kind, user, cmid = fields[2], fields[4], fields[8]
  if kind == 'message' or kind == 'edited' or kind == 'deleted' or kind == 'moderated' then
    redis.call('HDEL', sent, user .. ':' .. cmid)
    raise_floor(sent, user, seq, cmid_ms(cmid) or 0)
  end
  if kind == 'edited' or kind == 'deleted' then
    -- The archive knows of this change, and the message that it was of is no younger.
    local target = fields[10]
    local last = redis.call('HGET', changed, target)
    if last and string.match(last, '^%a+ (%d+) ') == seq then redis.call('HDEL', changed, target) end
  elseif kind == 'message' then
    -- The key is in this slot, but only the log knows whose it is.
    local mine = meeting .. ':user:' .. user .. ':messages'
    while tonumber(redis.call('LINDEX', mine, 0) or '') and
      tonumber(redis.call('LINDEX', mine, 0)) <= tonumber(seq) do
      redis.call('LPOP', mine)
    end
  end
end
if #old > 0 then
  local keep_from = string.match(old[#old][1], '^%d+') + 1
  redis.call('XTRIM', log, 'MINID', string.format('%d-0', keep_from))
end
redis.call('SPUBLISH', channel, cjson.encode({'durable', gen, archived}))
return {'ok'}
