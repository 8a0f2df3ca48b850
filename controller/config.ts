/**
 * Every setting of the controller, declared once: parsed here, explained by --help, listed in the README.
 */

import { SHARED_RULES, SHARED_SETTINGS } from '../lease/config.ts';
import { parseIsoTime } from '../runtime/clock.ts';
import {
  choice,
  type Environment,
  integer,
  optionalText,
  readSettings,
  type Setting,
  type SettingsOf,
} from '../runtime/env.ts';

/** Where the first shards of a fleet begin. */
export type InitialPosition =
  | { readonly kind: 'LATEST' }
  | { readonly kind: 'TRIM_HORIZON' }
  | { readonly kind: 'AT_TIMESTAMP'; readonly timestampMs: number };

const initialPosition: Setting<InitialPosition> = {
  variable: 'INITIAL_POSITION',
  fallback: 'LATEST',
  description: 'where the first shards begin: LATEST, TRIM_HORIZON, or an ISO 8601 time; only for a new fleet',
  parse(given) {
    if (given === 'LATEST' || given === 'TRIM_HORIZON') return { kind: given };
    const timestampMs = parseIsoTime(given);
    if (timestampMs === undefined) throw new Error('must be LATEST, TRIM_HORIZON or an ISO 8601 time');
    return { kind: 'AT_TIMESTAMP', timestampMs };
  },
};

const initialReplicas: Setting<number | undefined> = {
  variable: 'INITIAL_REPLICAS',
  fallback: '',
  description: 'replicas that the worker Deployment gets at its first start, once; not set: its scale is left alone',
  parse(given) {
    if (given === '') return undefined;
    if (!/^\d{1,5}$/.test(given)) throw new Error('must be a whole number from 0 to 99999');
    return Number(given);
  },
};

export const CONTROLLER_SETTINGS = {
  ...SHARED_SETTINGS,
  initialPosition,
  onStreamRecreated: choice(
    'ON_STREAM_RECREATED',
    'stop',
    ['stop', 'reset'],
    'the stream was deleted and created again: stop = change nothing until a person decides; reset = read the new one from its beginning and drop the leases of the old one',
  ),
  tickMs: integer(
    'TICK_MS',
    '1000',
    { min: 50, max: 60_000 },
    'the controller compares wanted and seen this often; hints make it look at once',
  ),
  listShardsMs: integer(
    'LIST_SHARDS_MS',
    '30000',
    { min: 500, max: 3_600_000 },
    'the shards of the stream are listed this often, and at once when one ends',
  ),
  leaseScanMs: integer(
    'LEASE_SCAN_MS',
    '30000',
    { min: 500, max: 3_600_000 },
    'all lease rows are read this often; between two scans only those that something waits for',
  ),
  leaseMarginMs: integer(
    'LEASE_MARGIN_MS',
    '1000',
    { min: 0, max: 60_000 },
    'a worker is called dead when it is silent for LEASE_DURATION_MS and this much more',
  ),
  presencePollMs: integer(
    'PRESENCE_POLL_MS',
    '100',
    { min: 20, max: 60_000 },
    'subscriptions of workers are counted this often',
  ),
  presenceGraceMs: integer(
    'PRESENCE_GRACE_MS',
    '200',
    { min: 0, max: 60_000 },
    'a worker whose subscription is gone and whose heartbeat is silent for this long is called dead',
  ),
  handoffDeadlineMs: integer(
    'HANDOFF_DEADLINE_MS',
    '30000',
    { min: 100, max: 600_000 },
    'a planned move that takes longer is forced',
  ),
  leaderLeaseMs: integer(
    'LEADER_LEASE_MS',
    '6000',
    { min: 300, max: 600_000 },
    'another controller leads when the leader is silent for this long (in Kubernetes: 15 s, 10 s and 2 s)',
  ),
  leaderRenewDeadlineMs: integer(
    'LEADER_RENEW_DEADLINE_MS',
    '4000',
    { min: 200, max: 600_000 },
    'a leader that could not renew its right for this long stops acting',
  ),
  leaderRetryMs: integer(
    'LEADER_RETRY_MS',
    '1000',
    { min: 50, max: 60_000 },
    'the leader renews this often, and the others look this often',
  ),
  ledgerReadMs: integer(
    'LEDGER_READ_MS',
    '5000',
    { min: 100, max: 600_000 },
    "the leading controller reads the ledger's totals for /metrics this often",
  ),
  ledgerAuditMs: integer(
    'LEDGER_AUDIT_MS',
    '60000',
    { min: 500, max: 3_600_000 },
    'the leading controller compares the ledger with the leases, and forgets old identities, this often',
  ),
  kubernetes: choice(
    'KUBERNETES',
    'auto',
    ['auto', 'on', 'off'],
    'lead by a Lease and follow the worker pods; auto = on where KUBERNETES_SERVICE_HOST is set',
  ),
  podName: optionalText('POD_NAME', "name of this controller's pod; default: the host's name"),
  podNamespace: optionalText('POD_NAMESPACE', 'namespace of the fleet; required in Kubernetes'),
  workerDeployment: optionalText('WORKER_DEPLOYMENT', 'name of the worker Deployment; required in Kubernetes'),
  workerSelector: optionalText('WORKER_SELECTOR', "label selector of the workers' pods; required in Kubernetes"),
  leaderLeaseName: optionalText('LEADER_LEASE_NAME', 'name of the Lease of the leader; required in Kubernetes'),
  controllerDeployment: optionalText(
    'CONTROLLER_DEPLOYMENT',
    "name of the controllers' Deployment: the Lease of the leader goes when it goes; not set: the Lease stays",
  ),
  initialReplicas,
} as const;

export type ControllerSettings = SettingsOf<typeof CONTROLLER_SETTINGS> & {
  /** How the Kubernetes API is reached; undefined = no Kubernetes. */
  readonly kubernetesAccess: 'in-cluster' | 'kubeconfig' | undefined;
};

const IN_KUBERNETES = ['podNamespace', 'workerDeployment', 'workerSelector', 'leaderLeaseName'] as const;

type Declared = SettingsOf<typeof CONTROLLER_SETTINGS>;

const RULES = [
  ...SHARED_RULES,
  (settings: Declared): string | undefined =>
    settings.leaderRetryMs * 2 <= settings.leaderRenewDeadlineMs &&
    settings.leaderRenewDeadlineMs < settings.leaderLeaseMs
      ? undefined
      : 'LEADER_RETRY_MS * 2 must be at most LEADER_RENEW_DEADLINE_MS, and that less than LEADER_LEASE_MS, but they are ' +
        `${settings.leaderRetryMs}, ${settings.leaderRenewDeadlineMs} and ${settings.leaderLeaseMs}`,
  (settings: Declared): string | undefined =>
    settings.presenceGraceMs < settings.leaseDurationMs
      ? undefined
      : `PRESENCE_GRACE_MS must be less than LEASE_DURATION_MS, but ${settings.presenceGraceMs} >= ${settings.leaseDurationMs}`,
  (settings: Declared): string | undefined => {
    if (settings.kubernetes !== 'on') return undefined;
    const missing = IN_KUBERNETES.filter((key) => settings[key] === undefined);
    const variables = missing.map((key) => CONTROLLER_SETTINGS[key].variable).join(', ');
    return missing.length === 0 ? undefined : `${variables} required in Kubernetes; without it set KUBERNETES to off`;
  },
];

/** @throws StartRefused with every fault. */
export function readControllerSettings(environment: Environment = process.env): ControllerSettings {
  const isInCluster = (environment.KUBERNETES_SERVICE_HOST ?? '') !== '';
  const given = environment.KUBERNETES ?? '';
  const decided = given === '' || given === 'auto' ? { KUBERNETES: isInCluster ? 'on' : 'off' } : {};
  const settings = readSettings(CONTROLLER_SETTINGS, { ...environment, ...decided }, RULES);
  const access = isInCluster ? 'in-cluster' : 'kubeconfig';
  return { ...settings, kubernetesAccess: settings.kubernetes === 'on' ? access : undefined };
}
