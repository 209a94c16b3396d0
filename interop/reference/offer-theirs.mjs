// Makes bundles with the reference implementation, and has `kliento` verify them and refuse what was done
// to them.
//
// usage: node offer-theirs.mjs KLIENTO DIRECTORY
//
// KLIENTO is the program; files are left in DIRECTORY, which exists.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

const MINUTE_MS = 60_000;
const AUDIENCE = 'https://api.example.com';
const CLAIMS = { role: 'admin', motto: 'naïve “quotes” 🦀' };
const CONTENT = Buffer.from([0x30, 0x80, 0x00, 0xff, 0x0d, 0x0a]);

// Each organisation has another key size, another hash to sign with and other zones.
const ORGANISATIONS = [
  { name: 'example.com', modulus: 2048, hash: 'SHA-256' },
  { name: 'xn--bcher-kva.example', unicode: 'bücher.example', modulus: 3072, hash: 'SHA-384', zones: [8, 13, 15] },
  { name: 'example.net.', modulus: 4096, hash: 'SHA-256', zones: [13, 14, 10] },
];
const USER = 'José Müller 山田';

// ---------------------------------------------------------------------------------------- making

/** A period around now, with fractions of seconds as the reference writes them. */
function periodAround(minutesBefore, minutesAfter) {
  const now = Date.now();
  return {
    start: new Date(now - minutesBefore * MINUTE_MS),
    end: new Date(now + minutesAfter * MINUTE_MS),
  };
}

async function makeOrganisation({ name, unicode, modulus, hash, zones }) {
  const domain = name.replace(/\.$/u, '');
  const keyPair = await generateKeyPair(modulus, hash);
  const certificate = await certifyOrganisation(name, keyPair, periodAround(30, 120));
  const signedZones = await Zones.generate(domain, zones);
  const rdatas = [await txtRdata(keyPair, 3600)];
  const { chain, trustAnchors } = await signedZones.publish(name, rdatas, periodAround(30, 120));
  const anchorsFile = join(directory, `${domain}.anchors`);
  writeFileSync(anchorsFile, `${toZoneFileLines(trustAnchors).join('\n')}\n`);
  const algorithm = `rsa-${modulus}`;
  return { domain, unicode: unicode ?? domain, keyPair, certificate, chain, anchorsFile, algorithm, hash, modulus };
}

/** The signers of an organisation, in all four kinds, and what a verifier should say of them. */
async function makeSigners(organisation) {
  const { chain, certificate, domain, unicode, keyPair, algorithm, modulus, hash } = organisation;
  const signers = [];
  for (const user of [USER, undefined]) {
    const kind = user === undefined ? 'bot' : 'user';
    const who = {
      organisation: domain,
      organisationUnicode: unicode,
      user: user ?? null,
      subject: user === undefined ? domain : `${user}@${domain}`,
      subjectId: user === undefined ? domain : `${user}@${domain}`,
      keyAlgorithm: algorithm,
      dialect: 'veraid',
    };
    const memberKeyPair = await generateKeyPair(modulus, hash);
    const memberCertificate = await certifyMember(user, memberKeyPair.publicKey, organisation, periodAround(10, 90));
    signers.push({
      label: `member ${kind}`,
      signer: new MemberIdBundle(chain, certificate, memberCertificate),
      key: memberKeyPair.privateKey,
      expected: { ...who, signedBy: 'member' },
    });
    signers.push({
      label: `organisation ${kind}`,
      signer: new OrganisationSigner(chain, certificate, user),
      key: keyPair.privateKey,
      expected: { ...who, signedBy: 'organisation' },
    });
  }
  return signers;
}

/** Signs `content`, and says for which whole seconds. */
async function sign({ signer, key }, content, service, shouldEncapsulatePlaintext) {
  const { start, end } = periodAround(1, 9);
  const bundle = await SignatureBundle.sign(toArrayBuffer(content), service, signer, key, end, {
    startDate: start,
    shouldEncapsulatePlaintext,
  });
  const toSeconds = (date) => date.toISOString().replace(/\.\d+Z$/u, 'Z');
  return {
    der: Buffer.from(bundle.serialise()),
    period: { validFrom: toSeconds(start), validUntil: toSeconds(end) },
  };
}

// -------------------------------------------------------------------------------------- verifying

/** Runs `kliento … --json` on a bundle and checks its exit status and the fields of its answer. */
function expectAnswer(verifyArguments, organisation, input, status, wanted) {
  const parameters = [...verifyArguments, '--trust-anchors', organisation.anchorsFile, '--json'];
  const { error, status: found, stdout, stderr } = spawnSync(kliento, parameters, { input, encoding: 'utf8' });
  // A program that stops before it has read its input is no error of ours: its status says why.
  if (found === null) throw error ?? new Error('killed');
  if (found !== status) throw new Error(`expected exit status ${status}, got ${found}: ${stdout}${stderr}`);
  let answer;
  try {
    answer = JSON.parse(stdout);
  } catch (cause) {
    throw new Error(`no JSON document: ${stdout}`, { cause });
  }
  expectFields(answer, wanted);
  return answer;
}

function expectRefusal(verifyArguments, organisation, input, reasonPrefix) {
  const answer = expectAnswer(verifyArguments, organisation, input, 1, {});
  if (!['invalid', 'malformed'].includes(answer.status)) throw new Error(`status: ${answer.status}`);
  if (!answer.reason.startsWith(reasonPrefix)) {
    throw new Error(`reason: expected ${reasonPrefix}…, got ${answer.reason} (${answer.error})`);
  }
  return answer.reason;
}

const toTextForms = (der) => [
  ['DER', der],
  ['Base64', der.toString('base64')],
  ['an Authorization value', `Kliento ${der.toString('base64')}`],
];

/** The bundle with one bit of `needle`, or of its last octet, turned over. */
function tamperWith(der, needle, position = 0) {
  const tampered = Buffer.from(der);
  const index = needle === undefined ? der.length - 1 : der.indexOf(needle);
  if (index < 0) throw new Error('nothing to tamper with');
  tampered[index + position] ^= 1;
  return tampered;
}

async function offerTokens(organisation, signerOf, others) {
  const { label, expected } = signerOf;
  const content = Buffer.from(JSON.stringify({ audience: AUDIENCE, claims: CLAIMS }));
  const { der, period } = await sign(signerOf, content, KLIENTO_SERVICE, true);
  const verify = ['token', 'verify', '--audience', AUDIENCE, '-'];
  const wanted = { status: 'valid', ...expected, ...period, audience: AUDIENCE, claims: CLAIMS };
  const name = `token by ${label}, ${organisation.algorithm}`;

  for (const [form, input] of toTextForms(der)) {
    await report(`kliento reads the reference’s ${name}, as ${form}`, () => {
      expectAnswer(verify, organisation, input, 0, wanted);
    });
  }

  const refuse = (what, verifyArguments, anchorsOf, input, reasonPrefix) =>
    report(`kliento refuses the reference’s ${name}: ${what}`, () =>
      expectRefusal(verifyArguments, anchorsOf, input, reasonPrefix),
    );
  const otherAudience = ['token', 'verify', '--audience', `${AUDIENCE}/`, '-'];
  await refuse('another audience', otherAudience, organisation, der, 'kliento.audience_mismatch');
  for (const other of others) await refuse('another root', verify, other, der, 'dnssec.');
  await refuse('an altered claim', verify, organisation, tamperWith(der, 'admin'), 'cms.');
  await refuse('an altered signature', verify, organisation, tamperWith(der), 'cms.');
  await refuse('an altered TXT record', verify, organisation, tamperWith(der, ' 3600', 1), 'dnssec.');
  const test = await sign(signerOf, content, TEST_SERVICE, true);
  await refuse('another service', verify, organisation, test.der, 'veraid.');
}

async function offerSignatures(organisation, signerOf) {
  const { label, expected } = signerOf;
  const contentFile = join(directory, 'content');
  const otherFile = join(directory, 'other-content');
  writeFileSync(contentFile, CONTENT);
  writeFileSync(otherFile, tamperWith(CONTENT));
  for (const isAttached of [true, false]) {
    const { der, period } = await sign(signerOf, CONTENT, TEST_SERVICE, isAttached);
    const withService = (service, plaintext) => [
      'signature', 'verify', '--service', service, ...(isAttached ? [] : ['--plaintext', plaintext]), '-',
    ];
    const name = `${isAttached ? 'attached' : 'detached'} signature by ${label}, ${organisation.algorithm}`;
    const wanted = { status: 'valid', ...expected, ...period, service: TEST_SERVICE };
    await report(`kliento reads the reference’s ${name}`, () => {
      expectAnswer(withService(TEST_SERVICE, contentFile), organisation, der, 0, wanted);
    });
    await report(`kliento refuses the reference’s ${name}: another service`, () =>
      expectRefusal(withService(KLIENTO_SERVICE, contentFile), organisation, der, 'veraid.'),
    );
    await report(`kliento refuses the reference’s ${name}: altered content`, () =>
      isAttached
        ? expectRefusal(withService(TEST_SERVICE), organisation, tamperWith(der, CONTENT, 2), 'cms.')
        : expectRefusal(withService(TEST_SERVICE, otherFile), organisation, der, 'cms.'),
    );
  }
}

const organisations = await Promise.all(ORGANISATIONS.map(makeOrganisation));
for (const organisation of organisations) {
  const others = organisations.filter((other) => other !== organisation).slice(0, 1);
  for (const signerOf of await makeSigners(organisation)) {
    await offerTokens(organisation, signerOf, others);
    await offerSignatures(organisation, signerOf);
  }
}
