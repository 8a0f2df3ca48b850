-- Stores dead letters in one stream and drops the oldest ones until the bytes fit the bound. The sizes stand in a list
-- beside the stream, so that dropping reads no payload. At least the newest letter stays.
--
-- KEYS  stream, list of sizes, hash of totals (bytes, dropped, droppedBytes)
-- ARGV  bound in bytes; then for each letter: shard, position, stream, arrival, reason, payload
-- Gives how many were dropped.
local call = redis.call
local bound = tonumber(ARGV[1])
local bytes = tonumber(call('HGET', KEYS[3], 'bytes') or '0')
local count = call('LLEN', KEYS[2])
local i = 2
while i <= #ARGV do
  call('XADD', KEYS[1], '*', 'shard', ARGV[i], 'position', ARGV[i + 1], 'stream', ARGV[i + 2], 'arrival', ARGV[i + 3],
    'reason', ARGV[i + 4], 'bytes', ARGV[i + 5])
  local size = #ARGV[i] + #ARGV[i + 1] + #ARGV[i + 2] + #ARGV[i + 3] + #ARGV[i + 4] + #ARGV[i + 5]
  call('RPUSH', KEYS[2], size)
  bytes = bytes + size
  count = count + 1
  i = i + 6
end
local dropped, dropped_bytes = 0, 0
while bytes > bound and count > 1 do
  local size = tonumber(call('LPOP', KEYS[2]))
  bytes = bytes - size
  dropped_bytes = dropped_bytes + size
  dropped = dropped + 1
  count = count - 1
end
if dropped > 0 then
  call('XTRIM', KEYS[1], 'MAXLEN', count)
  call('HINCRBY', KEYS[3], 'dropped', dropped)
  call('HINCRBY', KEYS[3], 'droppedBytes', dropped_bytes)
end
call('HSET', KEYS[3], 'bytes', bytes)
return { dropped }
