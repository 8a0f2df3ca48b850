-- Forget: the identities of a period are not looked up any more, if every shard is past it. Their keys go afterwards, in
-- steps (sweep). The check and the effect are one step: a shard that opens later finds the period empty.
--
-- KEYS  job, rows
-- ARGV  generation, period, arrival that every unfinished shard must be past, unfinished shards
-- Gives ok; held + shard; stale.
local call = redis.call
if call('HGET', KEYS[1], 'g') ~= ARGV[1] then
  return { 'stale' }
end
local limit = tonumber(ARGV[3])
-- A listed shard that has ended meanwhile holds too: it may have a child that nobody has seen yet.
for i = 4, #ARGV do
  local row = call('HGET', KEYS[2], ARGV[i])
  if not row or tonumber(string.match(row, '^%S+ %S+ %S+ %S+ (%S+)')) <= limit then
    return { 'held', ARGV[i] }
  end
end
local rows = call('HGETALL', KEYS[2])
for i = 1, #rows, 2 do
  local position, arrival = string.match(rows[i + 1], '^%S+ (%S+) %S+ %S+ (%S+)')
  if position ~= '~' and tonumber(arrival) <= limit then
    return { 'held', rows[i] }
  end
end
local low = tonumber(call('HGET', KEYS[1], 'low') or '0')
if low <= tonumber(ARGV[2]) then
  call('HSET', KEYS[1], 'low', string.format('%d', tonumber(ARGV[2]) + 1))
end
return { 'ok' }
