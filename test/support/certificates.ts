/** An authority of a test's own, and certificates for loopback signed by it: made by openssl, in a folder of the test's. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  /** Paths of PEM files. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export function makeCertificates(dir: string): Certificates {
  const path = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const days = ['-days', '2'];
  writeFileSync(path('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl(
    'req',
    '-x509',
    ...curve,
    ...days,
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
    '-subj',
    '/CN=test authority',
  );
  openssl('req', ...curve, '-keyout', path('key.pem'), '-out', path('request.pem'), '-subj', '/CN=redis');
  const sign = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', ...days, '-extfile', path('names')];
  openssl('x509', '-req', '-in', path('request.pem'), ...sign, '-out', path('cert.pem'));
  return { ca: path('ca.pem'), cert: path('cert.pem'), key: path('key.pem') };
}

/** Their texts, as the settings of a fleet have them. */
export function textsOf({ ca, cert, key }: Certificates): { ca: string; cert: string; key: string } {
  const text = (path: string): string => readFileSync(path, 'utf8');
  return { ca: text(ca), cert: text(cert), key: text(key) };
}
