-- Advance: commits without records, for many shards of one slot in one call. Moves a row, or (from = to, the same
-- token) only proves that it is still the caller's. Checks and answers are commit's; shards do not touch one another.
--
-- KEYS  rows, then the duplicates of each shard
-- ARGV  for each shard: shard, generation, from, from token, to, token, floor, arrival, watermark
-- Gives for each shard: ok, applied, stale + row, fenced + generation.
local call = redis.call

-- '~' is the end of a shard. Lua compares strings by the server's locale, where '~' may come before the digits.
local function at_or_before(a, b)
  return b == '~' or (a ~= '~' and a <= b)
end

local function advance(key, at)
  local shard, to, floor = ARGV[at], ARGV[at + 4], ARGV[at + 6]
  local row = call('HGET', KEYS[1], shard)
  if not row then
    return { 'stale' }
  end
  local generation, position, token, old_floor = string.match(row, '^(%S+) (%S+) (%S+) (%S+)')
  if tonumber(generation) < tonumber(ARGV[at + 1]) then
    return { 'stale', row }
  end
  if tonumber(generation) > tonumber(ARGV[at + 1]) then
    return { 'fenced', generation }
  end
  if position == to and token == ARGV[at + 5] then
    return { 'applied' }
  end
  if position ~= ARGV[at + 2] or token ~= ARGV[at + 3] then
    return { 'stale', row }
  end

  local highest = at_or_before(floor, old_floor) and old_floor or floor
  call('HSET', KEYS[1], shard, table.concat({ generation, to, ARGV[at + 5], highest, ARGV[at + 7], ARGV[at + 8] }, ' '))
  if highest ~= old_floor or at_or_before(position, highest) then
    -- A list that was emptied is not asked again: of a slot that is being moved, Redis refuses a key that is not there.
    local left = call('LLEN', key)
    while left > 0 and at_or_before(string.match(call('LINDEX', key, 0), '^%S+'), highest) do
      call('LPOP', key)
      left = left - 1
    end
  end
  return { 'ok' }
end

local answers = {}
for i = 1, #ARGV / 9 do
  answers[i] = advance(KEYS[i + 1], 9 * i - 8)
end
return answers
