/** How tests reach the fake API: plain HTTP, which client-node allows only without TLS checks. */
import type { KubeAccess } from '../../../../controller/kube/kube-client.ts';
import type { FakeKubernetes } from '../../../support/fake-kubernetes.ts';

export function accessTo(api: FakeKubernetes): KubeAccess {
  return { cluster: { name: 'fake', server: api.url, skipTLSVerify: true }, user: { name: 'test' } };
}
