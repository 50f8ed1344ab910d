-- Reads a page of the messages of one user.
-- KEYS meeting, audience, participants, log, profiles, user_messages, changes
-- ARGV user, email, admin ('1'), mode ('after' | 'before'), seq, limit
-- Returns {'ok', log head, entries, profiles, more ('1' | '0')} | {'not_allowed'} | {'gone'}
-- Leaves out messages below the first seq of the live log: the archive has them. `more` refers to
-- the live messages.
local mode, seq, limit = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
if not may_read(meeting, audience, participants, ARGV[1], ARGV[2], ARGV[3]) then
  return {'not_allowed'}
end

-- Counts the user's seqs below `bound`. They ascend.
local count = redis.call('LLEN', user_messages)
local function below(bound)
  local low, high = 0, count
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', user_messages, middle)) < bound then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

-- The index may still list trimmed messages: they are left to the archive.
local found = log_head(meeting, log)
local live_from = below(tonumber(found[5]))
local from, to, more
if mode == 'after' then
  from = math.max(below(seq + 1), live_from)
  to = math.min(from + limit, count)
  more = to < count
else
  to = math.max(below(seq), live_from)
  from = math.max(to - limit, live_from)
  more = from > live_from
end
local entries, users = {}, {}
if from < to then
  for _, one in ipairs(redis.call('LRANGE', user_messages, from, to - 1)) do
    local found = redis.call('XRANGE', log, one .. '-0', one .. '-0')[1]
    if found then
      entries[#entries + 1] = found
      users = {found[2][4]}
    end
  end
  apply_changes(entries, log, changes)
end
return {'ok', found, entries, read_profiles(profiles, users), more and '1' or '0'}
