/** What an account may do in a namespace of a real cluster, as the API's own review of its rules says. */
import { run } from './cluster-command.ts';

interface Rule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const REVIEW = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview' };

/** One text per right: `verb group/resource[/name]`, or `verb url`. What `kubectl auth can-i --list` shows. */
export async function rightsOf(namespace: string, account: string): Promise<Set<string>> {
  const as = ['--as', `system:serviceaccount:${namespace}:${account}`];
  const input = JSON.stringify({ ...REVIEW, spec: { namespace } });
  const said = await run('kubectl', ['create', ...as, '--validate=false', '--filename', '-', '--output', 'json'], {
    input,
  });
  const { status } = JSON.parse(said) as { status: { resourceRules: Rule[]; nonResourceRules: Rule[] } };
  return new Set([...status.resourceRules, ...status.nonResourceRules].flatMap(rightsIn));
}

/** The same for rules of a Role. */
export function rightsIn({ verbs = [], apiGroups = [], resources = [], ...rest }: Rule): string[] {
  const { resourceNames = [], nonResourceURLs = [] } = rest;
  const named = resourceNames.length === 0 ? [''] : resourceNames.map((name) => `/${name}`);
  const things = apiGroups.flatMap((group) =>
    resources.flatMap((resource) => named.map((name) => `${group}/${resource}${name}`)),
  );
  return verbs.flatMap((verb) => [...things, ...nonResourceURLs].map((thing) => `${verb} ${thing}`));
}
