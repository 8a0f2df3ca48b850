-- Stores dead letters in one stream, each once: a letter whose shard and position are there already is passed over.
-- When the bytes reach the bound, the oldest make room, or (policy wait) what does not fit is left to be sent again, and
-- what is there stays, also when the bound was lowered. The sizes stand in a list beside the stream, so that dropping reads no payload. The newest letter always has room.
--
-- KEYS  stream, list of `size id key` in the stream's order, hash of totals (bytes, dropped, droppedBytes),
--       hash of key to `size id`; a key is `position shard`
-- ARGV  bound in bytes, policy (drop-oldest | wait); then for each letter: shard, position, stream, arrival, reason, payload
-- Gives how many of the letters are in the stream now, how many of them are new, how many others were dropped.
local call = redis.call
local bound, waits = tonumber(ARGV[1]), ARGV[2] == 'wait'
local bytes = tonumber(call('HGET', KEYS[3], 'bytes') or '0')
local done, new, dropped, dropped_bytes = 0, 0, 0, 0
local count = call('LLEN', KEYS[2])
for i = 3, #ARGV, 6 do
  local key = ARGV[i + 1] .. ' ' .. ARGV[i]
  if call('HEXISTS', KEYS[4], key) == 0 then
    -- What Redis keeps beside a payload counts too, or a million empty letters would weigh nothing.
    local size = 400 + 3 * #key + #ARGV[i + 2] + #ARGV[i + 3] + #ARGV[i + 4] + #ARGV[i + 5]
    if waits and count > 0 and bytes + size > bound then break end
    local id = call('XADD', KEYS[1], '*', 'shard', ARGV[i], 'position', ARGV[i + 1], 'stream', ARGV[i + 2], 'arrival',
      ARGV[i + 3], 'reason', ARGV[i + 4], 'bytes', ARGV[i + 5])
    call('RPUSH', KEYS[2], size .. ' ' .. id .. ' ' .. key)
    call('HSET', KEYS[4], key, size .. ' ' .. id)
    bytes = bytes + size
    count = count + 1
    new = new + 1
  end
  done = done + 1
end
while not waits and bytes > bound and count > 1 do
  local size, key = string.match(call('LPOP', KEYS[2]), '^(%d+) %S+ (.*)$')
  call('HDEL', KEYS[4], key)
  bytes = bytes - tonumber(size)
  dropped_bytes = dropped_bytes + tonumber(size)
  dropped = dropped + 1
  count = count - 1
end
if dropped > 0 then
  call('XTRIM', KEYS[1], 'MAXLEN', count)
  call('HINCRBY', KEYS[3], 'dropped', dropped)
  call('HINCRBY', KEYS[3], 'droppedBytes', dropped_bytes)
end
if new > 0 or dropped > 0 then
  call('HSET', KEYS[3], 'bytes', bytes)
end
return { done, new, dropped }
