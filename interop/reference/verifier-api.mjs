// Posts what the reference signs to `kliento serve`, as it would be posted to Kliento Verifier (npm's
// `@veraid/kliento-verifier`): each request that the tests of that make, with the status and JSON that it answers. Where we
// answer more than it does, that is left aside.
//
// usage: node verifier-api.mjs KLIENTO DIRECTORY

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { MemberIdBundle, OrganisationSigner, SignatureBundle } from '@relaycorp/veraid';
import {
  KLIENTO_SERVICE,
  TEST_SERVICE,
  Zones,
  certifyMember,
  certifyOrganisation,
  generateKeyPair,
  toArrayBuffer,
  toZoneFileLines,
  txtRdata,
} from '../../fixtures/reference/trust-chain.mjs';
import { expectFields, report } from '../lib/report.mjs';

const [kliento, directory] = process.argv.slice(2);

const AUDIENCE = 'https://api.example.com';
const CLAIMS = { foo: 'bar', motto: 'naïve “quotes” 🦀' };
const BUNDLE_TYPE = 'application/vnd.kliento.token-bundle';
const HEADER_TYPE = 'application/vnd.kliento.auth-header';
const MINUTE_MS = 60_000;

// ------------------------------------------------------------------------------------------ tokens

const around = (before, after) => ({
  start: new Date(Date.now() - before * MINUTE_MS),
  end: new Date(Date.now() + after * MINUTE_MS),
});

const organisation = { domain: 'example.com', keyPair: await generateKeyPair(2048, 'SHA-256') };
organisation.certificate = await certifyOrganisation('example.com', organisation.keyPair, around(30, 120));
const zones = await Zones.generate('example.com');
const { chain, trustAnchors } = await zones.publish(
  'example.com',
  [await txtRdata(organisation.keyPair, 3600)],
  around(30, 120),
);
const anchors = join(directory, 'verifier-api.anchors');
writeFileSync(anchors, `${toZoneFileLines(trustAnchors).join('\n')}\n`);
const aliceKeyPair = await generateKeyPair(2048, 'SHA-256');
const aliceCertificate = await certifyMember('alice', aliceKeyPair.publicKey, organisation, around(10, 90));
const alice = [new MemberIdBundle(chain, organisation.certificate, aliceCertificate), aliceKeyPair.privateKey];
const bot = [new OrganisationSigner(chain, organisation.certificate), organisation.keyPair.privateKey];

async function sign([signer, key], token, period = around(1, 9), service = KLIENTO_SERVICE) {
  const content = toArrayBuffer(Buffer.from(JSON.stringify(token)));
  const bundle = await SignatureBundle.sign(content, service, signer, key, period.end, {
    startDate: period.start,
    shouldEncapsulatePlaintext: true,
  });
  return Buffer.from(bundle.serialise());
}

const good = await sign(alice, { audience: AUDIENCE, claims: CLAIMS });
const toHeader = (bundle) => `Kliento ${bundle.toString('base64')}`;
const tampered = Buffer.from(good);
tampered[tampered.length - 1] ^= 1;

// ----------------------------------------------------------------------------------------- requests

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const url = `http://127.0.0.1:${await freePort()}`;
const service = spawn(kliento, ['serve', '--verifier', '--listen', new URL(url).host, '--trust-anchors', anchors], {
  stdio: ['ignore', 'ignore', 'ignore'],
});

async function waitUntilServing() {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (service.exitCode !== null) throw new Error(`kliento serve ended with status ${service.exitCode}`);
    try {
      return await fetch(`${url}/healthz`);
    } catch {
      await wait(100);
    }
  }
  throw new Error('kliento serve does not listen');
}

/** Posts a body, and expects a status and those fields; what is in `error` is for people. */
function expectAnswer(label, { query = { audience: AUDIENCE }, type, body, status = 200, answer, error }) {
  return report(`the verifier’s API: ${label}`, async () => {
    const headers = type === undefined ? {} : { 'Content-Type': type };
    const target = `${url}/?${new URLSearchParams(query)}`;
    // A text would be sent with a type of its own.
    const response = await fetch(target, { method: 'POST', headers, body: Buffer.from(body) });
    if (response.status !== status) throw new Error(`status: expected ${status}, got ${response.status}`);
    const type_ = response.headers.get('content-type');
    if (!/^application\/json\b/u.test(type_)) throw new Error(`content type: ${type_}`);
    const found = await response.json();
    expectFields(found, answer);
    if (error && typeof found.error !== 'string') throw new Error(`error: ${found.error}`);
  });
}

const refusals = {
  malformed: { answer: { status: 'malformed' }, error: true },
  invalid: { answer: { status: 'invalid' }, error: true },
};
const valid = { answer: { status: 'valid', subject: 'alice@example.com', claims: CLAIMS } };
const noAudience = { status: 400, answer: { error: 'Audience is missing from the query string' } };
const otherType = { status: 415, answer: { error: 'Unrecognised content type' } };

try {
  await waitUntilServing();
  await expectAnswer('no audience', { query: {}, body: good, ...noAudience });
  await expectAnswer('an empty audience', { query: { audience: '' }, body: good, ...noAudience });
  await expectAnswer('another content type', { type: 'text/plain', body: good, ...otherType });
  await expectAnswer('a form', { type: 'application/x-www-form-urlencoded', body: good, ...otherType });

  await expectAnswer('a token bundle, of no content type', { body: good, ...valid });
  await expectAnswer('a token bundle', { type: BUNDLE_TYPE, body: good, ...valid });
  // What its documentation said once, and ours alone answers beside the other.
  await expectAnswer('the subject by its other name', { body: good, answer: { subjectId: 'alice@example.com' } });
  await expectAnswer('an Authorization value', { type: HEADER_TYPE, body: toHeader(good), ...valid });
  await expectAnswer('its scheme in upper case', {
    type: HEADER_TYPE,
    body: toHeader(good).replace('Kliento', 'KLIENTO'),
    ...valid,
  });
  await expectAnswer('a bot’s token, without claims', {
    body: await sign(bot, { audience: AUDIENCE }),
    answer: { status: 'valid', subject: 'example.com' },
  });

  await expectAnswer('what is no token bundle', { body: 'The token bundle', ...refusals.malformed });
  await expectAnswer('nothing at all', { body: '', ...refusals.malformed });
  await expectAnswer('more than 16 KiB', { body: Buffer.alloc(16_385, good), ...refusals.malformed });
  await expectAnswer('an Authorization value with no token bundle', {
    type: HEADER_TYPE,
    body: toHeader(Buffer.from('The token bundle')),
    ...refusals.malformed,
  });
  await expectAnswer('an Authorization value of another scheme', {
    type: HEADER_TYPE,
    body: toHeader(good).replace('Kliento', 'Bearer'),
    ...refusals.malformed,
  });
  await expectAnswer('an Authorization value as a token bundle', { body: toHeader(good), ...refusals.malformed });

  await expectAnswer('another audience', { query: { audience: `${AUDIENCE}/` }, body: good, ...refusals.invalid });
  await expectAnswer('an altered token bundle', { body: tampered, ...refusals.invalid });
  await expectAnswer('an expired token bundle', {
    body: await sign(alice, { audience: AUDIENCE }, around(20, -10)),
    ...refusals.invalid,
  });
  await expectAnswer('a signature for another service', {
    body: await sign(alice, { audience: AUDIENCE }, around(1, 9), TEST_SERVICE),
    ...refusals.invalid,
  });
  await expectAnswer('a token without an audience', { body: await sign(alice, {}), ...refusals.invalid });
} finally {
  service.kill();
}
