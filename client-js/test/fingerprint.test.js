import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Identity } from '../client/fingerprint.js';

const ADA = 'sha-256 AD:A0';
const EVE = 'sha-256 E5:E0';
const NEXT = 'sha-256 AD:A1';

const naming = (...fingerprints) => ({ sdp: ['v=0', ...fingerprints.map((one) => `a=fingerprint:${one}`)].join('\r\n') });

/** As in Firefox, which does not show certificates; or, with one, as in Chromium. */
const connection = (certificate) => ({
  sctp: { transport: { getRemoteCertificates: certificate && (() => [certificate]) } },
});

/** Of a side whose first connection is open. */
async function opened(...fingerprints) {
  const identity = new Identity();
  assert.equal(identity.admits(naming(...fingerprints)), true);
  assert.equal(identity.fingerprint, null);
  assert.equal(await identity.proves(connection()), true);
  return identity;
}

test('the first connection that is open fixes the fingerprint', async () => {
  const identity = await opened(ADA);
  assert.equal(identity.fingerprint, ADA);
  assert.equal(identity.admits(naming(ADA)), true);
  assert.equal(identity.admits(naming('SHA-256 ad:a0')), true);
  assert.equal(await identity.proves(connection()), true);
});

test('a further description of the same connection names nobody else', async () => {
  for (const isOpen of [false, true]) {
    const identity = new Identity();
    identity.admits(naming(ADA));
    if (isOpen) await identity.proves(connection());
    for (const named of [[EVE], [ADA, EVE], [EVE, ADA]]) assert.equal(identity.admits(naming(...named)), false, `${named}`);
    assert.equal(identity.admits(naming()), true);
    await identity.proves(connection());
    assert.equal(identity.fingerprint, ADA);
  }
});

test('one that names two is nobody’s for certain, and stays so', async () => {
  const identity = await opened(ADA, EVE);
  assert.equal(identity.fingerprint, null);
  assert.equal(identity.admits(naming(EVE)), true);
  assert.equal(await identity.proves(connection()), true);
  identity.begin();
  assert.equal(identity.admits(naming(EVE)), true);
  assert.equal(await identity.proves(connection()), true);
  assert.equal(identity.fingerprint, null);
});

test('a certificate that can be seen decides, whatever was named', async () => {
  const certificate = new TextEncoder().encode('Ada');
  const digits = createHash('sha256').update(certificate).digest('hex').toUpperCase().match(/../g).join(':');
  const seen = `sha-256 ${digits}`;
  const identity = new Identity();
  identity.admits(naming(EVE, seen));
  assert.equal(await identity.proves(connection(certificate)), true);
  assert.equal(identity.fingerprint, seen);
  identity.begin();
  assert.equal(identity.admits(naming(seen, EVE)), false);
  assert.equal(identity.admits(naming(seen)), true);
  assert.equal(await identity.proves(connection(new TextEncoder().encode('Eve'))), false);
  assert.equal(identity.fingerprint, seen);
});

test('a fresh connection names the same, or what was said over the first', async () => {
  const identity = await opened(ADA);
  for (const isFresh of [true, false]) {
    if (!isFresh) identity.begin();
    assert.equal(identity.admits(naming(NEXT), isFresh), false);
    assert.equal(identity.admits(naming(EVE), isFresh), false);
  }
  assert.equal(identity.admits(naming(ADA), true), true);
  identity.expect(NEXT);
  identity.expect(EVE);
  assert.equal(identity.admits(naming(EVE), true), false);
  assert.equal(identity.admits(naming(NEXT, EVE), true), false);
  identity.begin();
  assert.equal(identity.admits(naming(NEXT)), true);
  assert.equal(await identity.proves(connection()), true);
  assert.equal(identity.fingerprint, ADA);
  assert.equal(identity.admits(naming(ADA)), false);
});

test('as long as none was open, a fresh connection may be anybody’s', async () => {
  const identity = new Identity();
  identity.admits(naming(EVE));
  assert.equal(identity.admits(naming(ADA), true), true);
  assert.equal(identity.admits(naming(ADA)), false);
  identity.begin();
  assert.equal(identity.admits(naming(ADA)), true);
  await identity.proves(connection());
  assert.equal(identity.fingerprint, ADA);
});
