-- Takes dead letters out of the store: they were replayed.
--
-- KEYS  as in store-letter.lua
-- ARGV  for each letter its key: `position shard`
-- Gives how many were there.
local call = redis.call
local removed, bytes = 0, 0
for i = 1, #ARGV do
  local found = call('HGET', KEYS[4], ARGV[i])
  if found then
    local size, id = string.match(found, '^(%d+) (%S+)$')
    call('XDEL', KEYS[1], id)
    call('LREM', KEYS[2], 1, found .. ' ' .. ARGV[i])
    call('HDEL', KEYS[4], ARGV[i])
    bytes = bytes + tonumber(size)
    removed = removed + 1
  end
end
if removed > 0 then
  call('HINCRBY', KEYS[3], 'bytes', -bytes)
end
return { removed }
