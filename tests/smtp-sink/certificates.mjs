// A throw-away certificate authority and the server certificates it signs, made by the openssl command line.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// openssl's own configuration would mark every self-made certificate as an authority, which strict clients refuse for a server.
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

/** Writes everything to `folder`; `good`, `wrong_host` and `untrusted` are ready for a TLS context. */
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
