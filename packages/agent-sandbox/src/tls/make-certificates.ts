import { type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate with its private key, both PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const keys = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** The library takes a while to load: only when certificates are made. */
async function library() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Makes an authority of its own: ECDSA P-256; it signs server certificates, and no further authority. */
export async function makeAuthority({ notBefore, notAfter }: Validity): Promise<CertificatePair> {
  const x509 = await library();
  const pair = await webcrypto.subtle.generateKey(keys, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      // Authorities of several daemons differ by name, too: clients look an issuer up by it.
      name: [{ CN: [`Sandport authority ${randomBytes(4).toString('hex')}`] }],
      serialNumber: serialNumber(),
      notBefore,
      notAfter,
      keys: pair,
      signingAlgorithm: signing,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(pair.publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(pair.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate: pem(certificate.rawData), key: await privatePem(pair.privateKey) };
}

export interface ServerCertificateOptions extends Validity {
  readonly authority: { readonly certificate: X509Certificate; readonly key: KeyObject };
  /** Host names and addresses that the server is reached by; at least one. */
  readonly names: readonly string[];
}

/** Makes a certificate for a server, with a key of its own. */
export async function makeServerCertificate(
  options: ServerCertificateOptions,
): Promise<CertificatePair> {
  const { authority, names, notBefore, notAfter } = options;
  const x509 = await library();
  const pair = await webcrypto.subtle.generateKey(keys, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.certificate.raw);
  const issuerKey = authority.key.export({ type: 'pkcs8', format: 'der' });
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: [{ CN: ['sandport'] }],
      issuer: issuer.subjectName,
      serialNumber: serialNumber(),
      notBefore,
      notAfter,
      publicKey: pair.publicKey,
      signingKey: await webcrypto.subtle.importKey('pkcs8', issuerKey, keys, false, ['sign']),
      signingAlgorithm: signing,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
        ),
        await x509.SubjectKeyIdentifierExtension.create(pair.publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate: pem(certificate.rawData), key: await privatePem(pair.privateKey) };
}

/** 127 random bits: positive, and never with a leading zero. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

const pem = (der: ArrayBuffer): string => new X509Certificate(Buffer.from(der)).toString();

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}
