// Creates a temporary certificate authority, and server certificates that it signs, with the openssl command.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// With openssl's default configuration, every self-signed certificate is marked as an authority. Strict clients do not
// accept such a certificate for a server.
const CONFIG = `
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[localhost]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[elsewhere]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:mail.elsewhere.test
`;

/**
 * Writes the certificates to `folder`. Returns the path of the authority's certificate as `ca`, and keys and
 * certificates for a TLS context as `good`, `wrong_host` and `untrusted`.
 */
export async function makeCertificates(folder) {
  const file = (name) => join(folder, name);
  await writeFile(file('openssl.cnf'), CONFIG);

  const make = async (name, extensions, authority) => {
    await run('openssl', [
      'req', '-x509', '-config', file('openssl.cnf'), '-extensions', extensions, '-days', '30',
      '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=smtp-sink ${name}`,
      '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`),
      ...(authority ? ['-CA', file(`${authority}.pem`), '-CAkey', file(`${authority}.key`)] : []),
    ]);
    return { key: await readFile(file(`${name}.key`)), cert: await readFile(file(`${name}.pem`)) };
  };

  await make('ca', 'authority');
  const [good, wrong_host, untrusted] = await Promise.all([
    make('good', 'localhost', 'ca'),
    make('wrong_host', 'elsewhere', 'ca'),
    make('untrusted', 'localhost'),
  ]);
  return { ca: file('ca.pem'), good, wrong_host, untrusted };
}
