-- Functions that all scripts share. The text is put before that of each script when it is loaded.

-- Returns the time in milliseconds since 1970. Redis' clock decides everything about live instances.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Returns the fields of the meeting if it is live in this generation, otherwise nil and the refusal.
local function find_live(meeting, gen)
  local found = redis.call('HMGET', meeting, 'gen', 'state', 'todatetime', 'isPublic', 'seq', 'archived',
    'locked', 'readOnly', 'latest')
  if not found[1] then return nil, {'gone'} end
  if found[1] ~= gen then return nil, {'stale', found[1]} end
  return {
    state = found[2], to = tonumber(found[3]), public = found[4] == '1',
    seq = tonumber(found[5]), archived = tonumber(found[6]),
    locked = found[7], read_only = found[8], latest = tonumber(found[9] or 0),
  }
end

-- Returns the time of the next event, and records it: now, but not before an earlier event, even if the
-- clock was set back.
local function event_time(meeting, found, now)
  if now <= found.latest then return found.latest end
  redis.call('HSET', meeting, 'latest', string.format('%d', now))
  return now
end

-- Returns the refusal if an admin has restricted posting for this participant, otherwise nil.
local function restriction_of(meeting, found, user)
  if found.read_only then return {'read_only'} end
  if redis.call('HEXISTS', meeting, 'muted:' .. user) == 1 then return {'muted'} end
end

-- Counts a write of a user in these buckets. Returns the refusal if it comes too soon, and then counts nothing.
-- Arguments: key, interval_us, burst, … ; interval_us 0: unlimited. A key contains the time in
-- microseconds since 1970 at which its bucket is full again (GCRA), and expires then.
local function count_write(now, ...)
  local buckets, counted, wait_us, now_us = {...}, {}, 0, now * 1000
  for i = 1, #buckets, 3 do
    local interval, burst = tonumber(buckets[i + 1]), tonumber(buckets[i + 2])
    if interval > 0 then
      local full = tonumber(redis.call('GET', buckets[i]) or now_us)
      -- Never further ahead than an empty bucket: the clock or the limit may have changed.
      full = math.max(now_us, math.min(full, now_us + interval * burst))
      wait_us = math.max(wait_us, full - now_us - interval * (burst - 1))
      counted[#counted + 1] = {buckets[i], full + interval}
    end
  end
  if wait_us > 0 then return {'rate_limited', string.format('%d', wait_us)} end
  for _, one in ipairs(counted) do
    redis.call('SET', one[1], string.format('%d', one[2]), 'PX', math.ceil((one[2] - now_us) / 1000))
  end
end

-- Assigns the next seq to an event, appends it to the log and publishes it. All events come from here.
-- `fields` belong to the kind: {'cmid', …, 'body', …}. Returns the seq.
local function emit(meeting, log, channel, gen, kind, user, time, fields)
  local seq = redis.call('HINCRBY', meeting, 'seq', 1)
  redis.call('XADD', log, string.format('%d-0', seq),
    'kind', kind, 'user', user, 'time', time, unpack(fields))
  redis.call('SPUBLISH', channel, cjson.encode({'event', gen, string.format('%d', seq), kind, user,
    string.format('%d', time), unpack(fields)}))
  return seq
end

-- Returns when a cmid was made, in milliseconds since 1970. Only UUIDs of version 7 contain it.
local function cmid_time_ms(cmid)
  if string.sub(cmid, 15, 15) ~= '7' then return nil end
  return tonumber(string.sub(cmid, 1, 8) .. string.sub(cmid, 10, 13), 16)
end

-- Returns how far the cmids of a user were trimmed: the last seq, and when the latest cmid was made.
-- cmids: 'user:cmid' → 'seq time', '#user' → 'seq made'.
local function cmid_floor(cmids, user)
  local known = redis.call('HGET', cmids, '#' .. user)
  if not known then return 0, 0 end
  local seq, made = string.match(known, '^(%d+) (%d+)$')
  return tonumber(seq), tonumber(made)
end

-- Returns {'duplicate', seq, time} for a cmid that was used before, {'check_archive', archived} if only
-- the archive, which has the log up to `archived`, knows, and nil for a new one. `checked`: the archive
-- has no such cmid of this user up to this seq; 0: it was not asked.
local function find_duplicate(cmids, user, cmid, checked, archived)
  local before = redis.call('HGET', cmids, user .. ':' .. cmid)
  if before then
    local seq, time = string.match(before, '^(%d+) (%d+)$')
    return {'duplicate', seq, time}
  end
  -- A cmid made after all trimmed ones of this user is not among them.
  local floor_seq, floor_ms = cmid_floor(cmids, user)
  if floor_seq > tonumber(checked) and (cmid_time_ms(cmid) or 0) <= floor_ms then
    return {'check_archive', string.format('%d', archived)}
  end
end

-- Records that a cmid of the user was trimmed.
local function raise_cmid_floor(cmids, user, seq, made)
  local floor_seq, floor_ms = cmid_floor(cmids, user)
  redis.call('HSET', cmids, '#' .. user,
    string.format('%d %d', math.max(floor_seq, seq), math.max(floor_ms, made)))
end

-- Adds to the number of connections of a stay that are lost ('%') or idle ('=').
-- presence: user → 'reconnecting since' or 'idle since' (no entry: here), '%user:stay' → how many
-- connections are lost, '=user:stay' → how many are idle, '=connection' → idle since.
local function count_holder(bindings, presence, stay_key, sign, by)
  if not stay_key or redis.call('HEXISTS', bindings, '#' .. stay_key) == 0 then return end
  local field = sign .. stay_key
  if redis.call('HINCRBY', presence, field, by) <= 0 then redis.call('HDEL', presence, field) end
end

-- Publishes the presence of the user of a stay if it has changed. Presence is not in the log: it has no
-- seq and may be lost. open.lua and participants.lua return it.
local function publish_presence(bindings, presence, channel, stay_key, since)
  local user, stay = string.match(stay_key, '^(%d+):(%d+)$')
  if not user or redis.call('HGET', bindings, '@' .. user) ~= stay then return end
  local held = tonumber(redis.call('HGET', bindings, '#' .. stay_key) or 0)
  local found = redis.call('HMGET', presence, '%' .. stay_key, '=' .. stay_key, user)
  local lost, idle = tonumber(found[1] or 0), tonumber(found[2] or 0)
  local word = 'present'
  if held > 0 and lost >= held then word = 'reconnecting'
  elseif held > 0 and lost + idle >= held then word = 'idle' end
  local was = found[3] and string.match(found[3], '^%a+') or 'present'
  if was == word then return end
  if word == 'present' then
    redis.call('HDEL', presence, user)
  else
    redis.call('HSET', presence, user, string.format('%s %d', word, since))
  end
  redis.call('SPUBLISH', channel, cjson.encode({'presence', user, word, string.format('%d', since)}))
end

-- Marks a connection as lost since then: it holds its stay for the grace period only.
local function mark_lost(connections, bindings, grace, presence, channel, connection, since)
  local was_idle = redis.call('HDEL', presence, '=' .. connection) == 1
  if redis.call('ZREM', connections, connection) == 0 then return end
  redis.call('ZADD', grace, since, connection)
  local stay_key = redis.call('HGET', bindings, connection)
  if not stay_key then return end
  if was_idle then count_holder(bindings, presence, stay_key, '=', -1) end
  count_holder(bindings, presence, stay_key, '%', 1)
  publish_presence(bindings, presence, channel, stay_key, since)
end

-- Binds a connection to the current stay of the user, if there is one.
-- bindings: connection → 'user:stay', '~connection' → when it was bound last, '@user' → stay,
-- '#user:stay' → how many connections are bound to it.
local function bind(connections, bindings, grace, presence, channel, connection, user)
  if connection == '' then return end
  local stay = redis.call('HGET', bindings, '@' .. user)
  if not stay then return end
  local stay_key = user .. ':' .. stay
  local held = redis.call('HGET', bindings, connection)
  local was_lost = redis.call('ZREM', grace, connection) == 1
  if was_lost then count_holder(bindings, presence, held, '%', -1) end
  local now = now_ms()
  redis.call('ZADD', connections, 0, connection)
  redis.call('HSET', bindings, '~' .. connection, now)
  if held ~= stay_key then
    redis.call('HDEL', presence, '=' .. connection)
    redis.call('HSET', bindings, connection, stay_key)
    redis.call('HINCRBY', bindings, '#' .. stay_key, 1)
  elseif not was_lost then
    return
  end
  publish_presence(bindings, presence, channel, stay_key, now)
end

-- Removes a connection. Returns the user if it was the last one of their current stay, otherwise nil.
local function release(connections, bindings, grace, presence, connection)
  local stay_key = redis.call('HGET', bindings, connection)
  redis.call('ZREM', connections, connection)
  if redis.call('ZREM', grace, connection) == 1 then count_holder(bindings, presence, stay_key, '%', -1) end
  redis.call('HDEL', bindings, connection, '~' .. connection)
  if not stay_key or redis.call('HEXISTS', bindings, '#' .. stay_key) == 0 then return nil end
  if redis.call('HINCRBY', bindings, '#' .. stay_key, -1) > 0 then return nil end
  return string.match(stay_key, '^(%d+):')
end

-- Ends the stay of a user. The caller emits the event.
local function end_stay(participants, bindings, presence, user)
  local stay = redis.call('HGET', bindings, '@' .. user)
  redis.call('ZREM', participants, user)
  redis.call('HDEL', bindings, '@' .. user)
  redis.call('HDEL', presence, user)
  if not stay then return end
  local stay_key = user .. ':' .. stay
  redis.call('HDEL', bindings, '#' .. stay_key)
  redis.call('HDEL', presence, '%' .. stay_key, '=' .. stay_key)
end

-- Returns whether a user may read: admins ('1'), participants and the audience may; banned users not.
local function may_read(meeting, audience, participants, user, email, admin)
  if admin == '1' then return true end
  if redis.call('HEXISTS', meeting, 'banned:' .. user) == 1 then return false end
  return redis.call('HGET', meeting, 'isPublic') == '1'
    or redis.call('SISMEMBER', audience, email) == 1
    or redis.call('ZSCORE', participants, user) ~= false
end

-- Returns gen, seq, archived, state and the first seq of the live log.
local function log_head(meeting, log)
  local found = redis.call('HMGET', meeting, 'gen', 'seq', 'archived', 'state')
  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  found[5] = first and string.match(first[1], '^%d+') or string.format('%d', found[2] + 1)
  return found
end

-- Returns the profiles of these users as {user, profile, …}.
local function read_profiles(profiles, users)
  local found = {}
  for at = 1, #users, 1000 do
    local some = {unpack(users, at, math.min(at + 999, #users))}
    local known = redis.call('HMGET', profiles, unpack(some))
    for i, user in ipairs(some) do
      found[#found + 1] = user
      found[#found + 1] = known[i] or ''
    end
  end
  return found
end

-- Returns the value of a field of a log entry, {name, value, …}, and its index; or nil.
local function read_field(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1], i + 1 end
  end
end

-- Returns the fields of the live log entry with this seq, or nil.
local function log_entry(log, seq)
  local id = seq .. '-0'
  local found = redis.call('XRANGE', log, id, id)[1]
  return found and found[2]
end

-- Returns the author of a message, or nil and the refusal. `author`: what the archive has of a message
-- that was trimmed: '' (it was not asked), '0' (no such message), '-' (it was deleted), or a user.
local function author_of(log, last, target, author)
  if tonumber(target) > last then return nil, {'no_such_message'} end
  local fields = log_entry(log, target)
  if fields then
    if read_field(fields, 'kind') ~= 'message' then return nil, {'no_such_message'} end
    return read_field(fields, 'user')
  end
  if author == '' then return nil, {'archived_message'} end
  if author == '0' then return nil, {'no_such_message'} end
  if author == '-' then return nil, {'message_deleted'} end
  return author
end

-- Applies the last change of each message to these entries. changes: message → 'edited seq time' or
-- 'deleted seq time'.
local function apply_changes(entries, log, changes)
  if #entries == 0 or redis.call('EXISTS', changes) == 0 then return end
  local targets = {}
  for i, one in ipairs(entries) do
    targets[i] = read_field(one[2], 'target') or string.match(one[1], '^%d+')
  end
  for i, change in ipairs(redis.call('HMGET', changes, unpack(targets))) do
    local fields = entries[i][2]
    local _, body = read_field(fields, 'body')
    if change and body then
      local kind, seq, time = string.match(change, '^(%a+) (%d+) (%d+)$')
      local by = kind == 'edited' and log_entry(log, seq)
      if kind == 'deleted' then fields[body] = '' elseif by then fields[body] = read_field(by, 'body') end
      if read_field(fields, 'kind') == 'message' then
        fields[#fields + 1] = kind
        fields[#fields + 1] = time
      end
    end
  end
end

-- Returns a page of the log, ascending, and the profiles of its users.
-- mode 'after': the first `limit` entries above seq; 'before': the last `limit` below seq.
local function log_page(log, profiles, changes, mode, seq, limit)
  local entries
  if mode == 'after' then
    entries = redis.call('XRANGE', log, string.format('%d-0', seq + 1), '+', 'COUNT', limit)
  else
    entries = {}
    local found = redis.call('XREVRANGE', log, string.format('%d-0', math.max(seq - 1, 0)), '-', 'COUNT', limit)
    for i = #found, 1, -1 do entries[#entries + 1] = found[i] end
  end
  apply_changes(entries, log, changes)
  local users, seen = {}, {}
  for _, one in ipairs(entries) do
    local user = one[2][4]
    if user ~= '' and not seen[user] then
      seen[user] = true
      users[#users + 1] = user
    end
  end
  return entries, read_profiles(profiles, users)
end

-- Sorts users who joined in the same millisecond, from `first` to `last` of {user, joined, …}, by the
-- seqs of their joins.
local function sort_ties(found, first, last, bindings)
  local fields = {}
  for i = first, last, 2 do fields[#fields + 1] = '@' .. found[i] end
  local tied = {}
  for i, stay in ipairs(redis.call('HMGET', bindings, unpack(fields))) do
    tied[i] = {found[first + 2 * (i - 1)], tonumber(stay or 0)}
  end
  table.sort(tied, function(a, b) return a[2] < b[2] end)
  for i, one in ipairs(tied) do found[first + 2 * (i - 1)] = one[1] end
end

-- Returns the participants as {user, joined, …} in the order of joining, and their profiles.
local function list_stays(participants, bindings, profiles)
  local found = redis.call('ZRANGE', participants, 0, -1, 'WITHSCORES')
  local first = 1
  while first < #found do
    local last = first
    while found[last + 3] == found[first + 1] do last = last + 2 end
    if last > first then sort_ties(found, first, last, bindings) end
    first = last + 2
  end
  local users = {}
  for i = 1, #found, 2 do users[#users + 1] = found[i] end
  return found, read_profiles(profiles, users)
end

-- Returns the participants who are not here, as {user, 'reconnecting since' | 'idle since', …}.
local function list_absences(presence)
  local found, all = {}, redis.call('HGETALL', presence)
  for i = 1, #all, 2 do
    if string.find(all[i], '^%d+$') then
      found[#found + 1] = all[i]
      found[#found + 1] = all[i + 1]
    end
  end
  return found
end
