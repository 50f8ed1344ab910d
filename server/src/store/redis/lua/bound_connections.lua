-- Lists the connections that are bound to current stays.
-- KEYS meeting, bindings, grace
-- Returns {'ok', {user, connection, lost ('1' | ''), …}} | {'gone'}

if redis.call('EXISTS', meeting) == 0 then return {'gone'} end
local all, stays, found = redis.call('HGETALL', bindings), {}, {}
for at = 1, #all, 2 do
  if string.sub(all[at], 1, 1) == '@' then
    local user = string.sub(all[at], 2)
    stays[user .. ':' .. all[at + 1]] = user
  end
end
for at = 1, #all, 2 do
  -- A field that starts with a letter or digit is a connection; its value is the stay.
  local user = string.match(all[at], '^%w') and stays[all[at + 1]]
  if user then
    found[#found + 1] = user
    found[#found + 1] = all[at]
    found[#found + 1] = redis.call('ZSCORE', grace, all[at]) and '1' or ''
  end
end
return {'ok', found}
