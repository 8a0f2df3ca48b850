/**
 * Port to the one record that says which controller leads, with the semantics of client-go's lease lock: a write
 * states the version that it replaces. Its user is leader/, its adapter kube/. What does not answer throws a FleetError.
 */

export interface LeaderRecord {
  /** '' = released, or never held. */
  readonly holder: string;
  /** How long the holder asks others to wait after the record's last change. */
  readonly leaseDurationMs: number;
  /** Wall time of the holder's host, for people; nobody compares it. */
  readonly acquiredMs: number;
  readonly renewedMs: number;
  /** Changes of holder so far. */
  readonly transitions: number;
}

export interface StoredLeaderRecord extends LeaderRecord {
  /** Opaque; changes with each write. */
  readonly version: string;
}

export interface LeaderRecords {
  /** Undefined when there is none. */
  read(): Promise<StoredLeaderRecord | undefined>;
  /** Replaces the version seen; creates when none was seen. Undefined when somebody else wrote before. */
  write(record: LeaderRecord, seenVersion: string | undefined): Promise<StoredLeaderRecord | undefined>;
}
