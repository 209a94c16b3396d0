// An organisation that uses the reference implementation gives a member an id: writes the member id bundle,
// the member's private key and the trust anchors, for `kliento token issue`.
//
// usage: node member-of-theirs.mjs ORGANISATION USER MODULUS DIRECTORY
//
// Writes theirs.id, theirs.key and theirs.anchors into DIRECTORY, which exists.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Crypto } from '@peculiar/webcrypto';
import { MemberIdBundle } from '@relaycorp/veraid';
import {
  Zones,
  certifyMember,
  certifyOrganisation,
  generateKeyPair,
  toZoneFileLines,
  txtRdata,
} from '../../fixtures/reference/trust-chain.mjs';

const [name, user, modulus, directory] = process.argv.slice(2);
const MINUTE_MS = 60_000;
const period = { start: new Date(Date.now() - 10 * MINUTE_MS), end: new Date(Date.now() + 90 * MINUTE_MS) };

const keyPair = await generateKeyPair(Number(modulus));
const certificate = await certifyOrganisation(name, keyPair, period);
const zones = await Zones.generate(name);
const { chain, trustAnchors } = await zones.publish(name, [await txtRdata(keyPair, 3600)], period);

const memberKeyPair = await generateKeyPair(Number(modulus));
const memberCertificate = await certifyMember(user, memberKeyPair.publicKey, { certificate, keyPair }, period);
const bundle = new MemberIdBundle(chain, certificate, memberCertificate);

const pkcs8 = Buffer.from(await new Crypto().subtle.exportKey('pkcs8', memberKeyPair.privateKey));
const lines = pkcs8.toString('base64').match(/.{1,64}/gu);
const pem = `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;

writeFileSync(join(directory, 'theirs.id'), Buffer.from(bundle.serialise()));
writeFileSync(join(directory, 'theirs.key'), pem, { mode: 0o600 });
writeFileSync(join(directory, 'theirs.anchors'), `${toZoneFileLines(trustAnchors).join('\n')}\n`);
