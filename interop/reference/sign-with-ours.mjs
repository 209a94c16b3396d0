// A member that uses the reference implementation signs a token with an id that `kliento` made.
//
// usage: node sign-with-ours.mjs MEMBER-ID-BUNDLE PRIVATE-KEY CONTENT OUT

import { readFileSync, writeFileSync } from 'node:fs';
import { Crypto } from '@peculiar/webcrypto';
import { MemberIdBundle, SignatureBundle } from '@relaycorp/veraid';
import { KLIENTO_SERVICE, toArrayBuffer } from '../../fixtures/reference/trust-chain.mjs';

const [bundleFile, keyFile, contentFile, outFile] = process.argv.slice(2);
const pkcs8 = Buffer.from(readFileSync(keyFile, 'utf8').replaceAll(/-----.*-----|\s/gu, ''), 'base64');
const algorithm = { name: 'RSA-PSS', hash: 'SHA-256' };
const key = await new Crypto().subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']);

const TEN_MINUTES_MS = 600_000;
const bundle = await SignatureBundle.sign(
  toArrayBuffer(readFileSync(contentFile)),
  KLIENTO_SERVICE,
  MemberIdBundle.deserialise(toArrayBuffer(readFileSync(bundleFile))),
  key,
  new Date(Date.now() + TEN_MINUTES_MS),
  { shouldEncapsulatePlaintext: true },
);
writeFileSync(outFile, Buffer.from(bundle.serialise()));
