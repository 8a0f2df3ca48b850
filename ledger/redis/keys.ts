/**
 * Names of the ledger's keys. All keys of one slot carry the same tag, so that Redis Cluster keeps them on one node
 * and one script may change them together. No key has a time to live.
 */

export interface SlotKeys {
  /** Hash: shard → row. */
  readonly rows: string;
  /** Hash: period → number of buckets, `<period>:n` → identities. */
  readonly layouts: string;
  /** Hash: counter → number. */
  readonly counters: string;
  /** Hash: `g` generation of the ledger job, `low` first period kept; `confirmed`, written to have something to WAIT for. */
  readonly job: string;
  /** List: what operators did. Of slot 0 only. */
  readonly events: string;
  /** List: one element per commit that had duplicates. */
  duplicates(shard: string): string;
  /** Set: a bucket as it was, only while the commit script runs. */
  readonly was: string;
  /** Everything of an identity bucket's key but the bucket's number. */
  bucketPrefix(period: number): string;
  uniqueSet(unique: string, set: string): string;
  /** HyperLogLog of an approximate unique: a key of its own, so that a pipeline may change from one to the other. */
  uniqueSketch(unique: string, set: string): string;
}

/** The job's hash of the slot that `key` belongs to, whichever of its keys that is. */
export function jobKeyBeside(key: string): string {
  return jobKey(key.slice(0, key.indexOf('}') + 1));
}

const jobKey = (tag: string): string => `${tag}:job`;

/** @param name the ledger's name (ledger-name.ts). */
export function slotKeys(name: string, slot: number): SlotKeys {
  const tag = `{${name}.${slot}}`;
  return {
    rows: `${tag}:rows`,
    layouts: `${tag}:p`,
    counters: `${tag}:n`,
    job: jobKey(tag),
    events: `${tag}:events`,
    duplicates: (shard) => `${tag}:dup:${shard}`,
    was: `${tag}:was`,
    bucketPrefix: (period) => `${tag}:id:${period}:`,
    uniqueSet: (unique, set) => `${tag}:u:${unique}:${set}`,
    uniqueSketch: (unique, set) => `${tag}:hll:${unique}:${set}`,
  };
}
