-- Commit: one batch of one shard goes into one slot, wholly or not at all.
-- All checks stand before the first write, but for ids that SADD itself judges: what it took is taken back if Redis then
-- refuses one. After that nothing can fail. The first write is one that Redis refuses when it is out of memory, so a
-- refusal leaves everything as it was. A string costs Redis's Lua about a nanosecond per byte and an argument more: so
-- ids in groups and members come as one MessagePack array each, which is cut in C, and other columns as blobs of which
-- little is looked at. Two-byte numbers are big-endian.
--
-- KEYS  rows, duplicates of the shard, layouts, counters, job, a bucket as it was; the buckets of the own period, one for
--       each group and one for each single id; those of each neighbour that is looked up; the sets of uniques
-- ARGV  shard, generation, from, from token, to, token, floor, arrival, watermark, buckets to begin the period with,
--       ids in groups of one bucket each (array), sizes of the groups, digits of the single ids, class of each id,
--       prefix of all positions, width of a suffix, suffixes of the ids' positions, suffixes of the further copies'
--       positions, rejected;
--       layouts: how many, then period and buckets of each ('-' = not begun), the own period first;
--       for each neighbour that has begun: sizes of its groups, index of each id in its order, single ones last;
--       counters: how many, then name and total as if every id were fresh; classes: how many, then the indexes of the
--       counters of each; uniques: counters (how many, names), members of 8 bytes (array), sizes of the groups,
--       counter of each group, which groups are approximate (1)
-- Gives ok | applied + noted duplicates, stale + row, fenced + generation, layout + (buckets, identities) of each.
local sub, byte, call, try, array = string.sub, string.byte, redis.call, redis.pcall, cmsgpack.unpack
local keys, DIGITS = KEYS, 16
-- Of so many ids on, a group is worth a copy of its bucket, while that holds no more than Redis keeps as one array.
local WORTH_A_COPY, COMPACT = 16, 512

-- '~' is the end of a shard. Lua compares strings by the server's locale, where '~' may come before the digits.
local function at_or_before(a, b)
  return b == '~' or (a ~= '~' and a <= b)
end

local shard, to, floor = ARGV[1], ARGV[5], ARGV[7]
local row = call('HGET', KEYS[1], shard)
if not row then
  return { 'stale' }
end
local generation, position, token, old_floor = string.match(row, '^(%S+) (%S+) (%S+) (%S+)')
if tonumber(generation) < tonumber(ARGV[2]) then
  return { 'stale', row }
end
if tonumber(generation) > tonumber(ARGV[2]) then
  return { 'fenced', generation }
end
if position == to and token == ARGV[6] then
  local last = call('LINDEX', KEYS[2], -1)
  if last and to ~= ARGV[3] and string.match(last, '^%S+') == to then
    return { 'applied', last }
  end
  return { 'applied' }
end
if position ~= ARGV[3] or token ~= ARGV[4] then
  return { 'stale', row }
end

-- Layouts relied on.
local at = 20
local layouts = tonumber(ARGV[at])
local periods, counts, is_forgotten = {}, {}, false
for i = 1, layouts do
  periods[i] = ARGV[at + 2 * i - 1]
  counts[i] = periods[i] .. ':n'
end
if layouts > 0 then
  local buckets = call('HMGET', KEYS[3], unpack(periods))
  local differs = false
  -- A forgotten period is empty: nothing is found there, and nothing kept.
  local low = tonumber(call('HGET', KEYS[5], 'low') or '0')
  is_forgotten = tonumber(periods[1]) < low
  for i = 1, layouts do
    buckets[i] = tonumber(periods[i]) >= low and buckets[i] or '-'
    differs = differs or buckets[i] ~= ARGV[at + 2 * i]
  end
  if differs then
    return { 'layout', buckets, call('HMGET', KEYS[3], unpack(counts)) }
  end
end

-- Judge: an id that is in its bucket, or in a neighbour period's, is a duplicate.
local grouped, sizes, single = array(ARGV[11]), array(ARGV[12]), ARGV[13]
local before_single = #grouped
local count = before_single + #single / DIGITS
local own_groups = is_forgotten and 0 or #sizes
-- Of a single id: number of its key, less that of the id.
local shift = 6 + #sizes - before_single
local duplicate, duplicates, repeated = {}, 0, {}
local function note(i)
  if not duplicate[i] then
    duplicate[i] = true
    duplicates = duplicates + 1
    repeated[duplicates] = i
  end
end
local function id_of(i)
  local last = DIGITS * (i - before_single)
  return grouped[i] or sub(single, last - DIGITS + 1, last)
end
-- Notes which of some ids a set has; they stand in the order of their indexes, or of the given ones. Gives a refusal.
local function ask(set, ids, start, size, order)
  local seen = try('SMISMEMBER', set, unpack(ids, start + 1, start + size))
  if seen.err then
    return seen
  end
  for j = 1, size do
    if seen[j] == 1 then
      note(order and order[start + j] + 1 or start + j)
    end
  end
end
local key, arg = shift + count, at + 2 * layouts
for i = 2, layouts do
  if ARGV[at + 2 * i] ~= '-' then
    local order, group_sizes, ids = array(ARGV[arg + 2]), array(ARGV[arg + 1]), {}
    for j, index in ipairs(order) do
      ids[j] = id_of(index + 1)
    end
    local start, k = 0, 1
    while start < #order do
      key = key + 1
      local size = group_sizes[k] or 1
      local refusal = ask(keys[key], ids, start, size, order)
      if refusal then
        return refusal
      end
      start, k = start + size, k + 1
    end
    arg = arg + 2
  end
end

-- The own period. A bucket takes all of a group at once; mostly they are fresh, and it took as many as it was given. If
-- not, its copy from before tells which it had. It is asked beforehand where a copy would be dearer, or is forbidden.
local was, is_any_copied, fresh = keys[6], false, {}
local function copy(bucket)
  local held = try('SCARD', bucket)
  local is_copied = type(held) == 'number' and held <= COMPACT and type(try('COPY', bucket, was, 'REPLACE')) == 'number'
  is_any_copied = is_any_copied or is_copied
  return is_copied
end
-- Adds what is not known for a duplicate. Gives how many the bucket took, or a refusal; and of how many.
local function add(bucket, start, size, is_mixed)
  if not is_mixed then
    return try('SADD', bucket, unpack(grouped, start + 1, start + size)), size
  end
  local n = 0
  for i = start + 1, start + size do
    if not duplicate[i] then
      n = n + 1
      fresh[n] = grouped[i]
    end
  end
  return n == 0 and 0 or try('SADD', bucket, unpack(fresh, 1, n)), n
end
-- Takes back what was added of the ids up to this one.
local function refuse(refusal, last)
  local k, rest = 0, 0
  for i = 1, last do
    if i <= before_single and rest == 0 then
      k, rest = k + 1, sizes[k + 1]
    end
    rest = rest - 1
    if not duplicate[i] then
      call('SREM', i <= before_single and keys[6 + k] or keys[shift + i], id_of(i))
    end
  end
  if is_any_copied then
    call('UNLINK', was)
  end
  return refusal
end
local start, before_own = 0, duplicates
for k = 1, own_groups do
  local bucket, size, before = keys[6 + k], sizes[k], duplicates
  local is_copied = size >= WORTH_A_COPY and copy(bucket)
  local refusal = not is_copied and ask(bucket, grouped, start, size)
  if refusal then
    return refuse(refusal, start)
  end
  local added, given = add(bucket, start, size, before_own > 0 or duplicates > before)
  if type(added) ~= 'number' then
    return refuse(added, start)
  end
  refusal = is_copied and added < given and ask(was, grouped, start, size)
  if refusal then
    call('COPY', was, bucket, 'REPLACE')
    return refuse(refusal, start)
  end
  start = start + size
end
local last = 0
for i = before_single + 1, is_forgotten and 0 or count do
  last = last + DIGITS
  if not duplicate[i] then
    local added = try('SADD', keys[shift + i], sub(single, last - DIGITS + 1, last))
    if added == 0 then
      note(i)
    elseif added ~= 1 then
      return refuse(added, i - 1)
    end
  end
end
if is_any_copied then
  call('UNLINK', was)
end

-- Counters: the totals were summed as if every id were fresh.
local counters = tonumber(ARGV[arg + 1])
local names, totals = {}, {}
for c = 1, counters do
  names[c] = ARGV[arg + 2 * c]
  totals[c] = tonumber(ARGV[arg + 2 * c + 1])
end
arg = arg + 1 + 2 * counters
local class_args = arg + 1
arg = class_args + tonumber(ARGV[class_args])

-- Positions of the duplicates, judged and further.
local further, width = ARGV[18], tonumber(ARGV[16])
local noted
if duplicates > 0 or #further > 0 then
  local suffixes, classes, parts, times = ARGV[17], ARGV[14], {}, {}
  for n, i in ipairs(repeated) do
    parts[n] = sub(suffixes, (i - 1) * width + 1, i * width)
    local high, low = byte(classes, 2 * i - 1, 2 * i)
    local class = 256 * high + low
    times[class] = (times[class] or 0) + 1
  end
  parts[duplicates + 1] = further
  noted = to .. ' ' .. ARGV[15] .. ' ' .. width .. ' ' .. table.concat(parts)
  for class, number in pairs(times) do
    for _, c in ipairs(array(ARGV[class_args + class + 1])) do
      totals[c + 1] = totals[c + 1] - number
    end
  end
end

-- Write.
local highest = at_or_before(floor, old_floor) and old_floor or floor
call('HSET', KEYS[1], shard, table.concat({ generation, to, ARGV[6], highest, ARGV[8], ARGV[9] }, ' '))
if layouts > 0 and ARGV[at + 2] == '-' and not is_forgotten then
  call('HSET', KEYS[3], periods[1], ARGV[10])
end
local all_fresh = count - duplicates
if all_fresh > 0 then
  if not is_forgotten then
    call('HINCRBY', KEYS[3], counts[1], all_fresh)
  end
  call('HINCRBY', KEYS[4], 'f', all_fresh)
end
local all_duplicates = duplicates + (width > 0 and #further / width or 0)
if all_duplicates > 0 then
  call('HINCRBY', KEYS[4], 'd', all_duplicates)
end
if ARGV[19] ~= '0' then
  call('HINCRBY', KEYS[4], 'x', ARGV[19])
end
for c = 1, counters do
  if totals[c] > 0 then
    call('HINCRBY', KEYS[4], names[c], totals[c])
  end
end

-- Members of uniques: adding one again changes nothing, so their records' judgements do not matter.
local unique_counters = tonumber(ARGV[arg + 1])
local members, groups = array(ARGV[arg + unique_counters + 2]), array(ARGV[arg + unique_counters + 3])
local counter_of, added = array(ARGV[arg + unique_counters + 4]), {}
local approximate = array(ARGV[arg + unique_counters + 5])
key = #KEYS - #groups
start = 0
for k, size in ipairs(groups) do
  local c = counter_of[k] + 1
  if approximate[k] == 0 then
    added[c] = (added[c] or 0) + call('SADD', KEYS[key + k], unpack(members, start + 1, start + size))
  elseif call('PFADD', KEYS[key + k], unpack(members, start + 1, start + size)) == 1 then
    call('HSET', KEYS[4], ARGV[arg + c + 1], call('PFCOUNT', KEYS[key + k]))
  end
  start = start + size
end
for c = 1, unique_counters do
  if added[c] and added[c] > 0 then
    call('HINCRBY', KEYS[4], ARGV[arg + c + 1], added[c])
  end
end

-- Noted duplicates: the list is ascending, so those at or below the floor are its head. Only a floor that moved, or a
-- row below it, can have left any. The own ones come last and stay, whatever the floor, for an attempt to be repeated.
-- A list that was emptied is not asked again: of a slot that is being moved, Redis refuses a key that is not there.
local before = 0
if highest ~= old_floor or at_or_before(position, highest) then
  before = call('LLEN', KEYS[2])
end
if noted then
  call('RPUSH', KEYS[2], noted)
end
while before > 0 and at_or_before(string.match(call('LINDEX', KEYS[2], 0), '^%S+'), highest) do
  call('LPOP', KEYS[2])
  before = before - 1
end
return { 'ok', noted }
