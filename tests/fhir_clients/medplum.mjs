// @medplum/core (npm) through a whole journey. Takes what test_node_clients.py gives.
import assert from 'node:assert/strict';
import { MedplumClient, OperationOutcomeError } from '@medplum/core';

const { base, patient, token, narrow, hasty, observation, bundle } = JSON.parse(process.argv[2]);
const connect = (accessToken) =>
  new MedplumClient({ baseUrl: new URL('/', base).href, fhirUrlPath: 'fhir', accessToken, fetch, cacheTime: 0 });
const medplum = connect(token);
const refused = async (work, code) => {
  const error = await work.then(() => assert.fail(`should be refused as ${code}`), (one) => one);
  assert.ok(error instanceof OperationOutcomeError, String(error));
  assert.equal(error.outcome.issue[0].code, code, JSON.stringify(error.outcome));
  return error.outcome.issue[0];
};

// Discovery.
const statement = await medplum.get('fhir/metadata');
assert.equal(statement.fhirVersion, '4.0.1');
const smart = await medplum.get('fhir/.well-known/smart-configuration');
assert.equal(new URL(smart.token_endpoint).pathname, '/oauth/token');

// A transaction, and a search to its last page.
const stored = await medplum.executeBatch(bundle);
assert.deepEqual([...new Set(stored.entry.map((one) => one.response.status))], ['201 Created']);
const seen = [];
for await (const page of medplum.searchResourcePages('Observation', { patient, _count: 5 })) {
  seen.push(...page.map((one) => one.id));
}
assert.equal(new Set(seen).size, seen.length);
assert.ok(seen.length >= bundle.entry.length);

// Chains and includes.
const found = await medplum.search('Observation', 'subject:Patient.birthdate=1963-09-15&_include=Observation:subject&_count=2');
assert.deepEqual(found.entry.map((one) => one.search.mode), ['match', 'match', 'include']);
const counted = await medplum.search('Observation', `patient=${patient}&_summary=count`);
assert.ok(counted.total >= seen.length);
assert.equal(counted.entry, undefined);
assert.equal((await medplum.searchOne('Patient', 'birthdate=1963-09-15')).id, patient);

// Create, read, conditional create and update, update with a condition, patch, versions.
const made = await medplum.createResource(observation);
assert.equal(made.meta.versionId, '1');
assert.deepEqual(await medplum.readResource('Observation', made.id, { cache: 'reload' }), made);
const identifier = [{ system: 'https://hospital.example/medplum', value: '1' }];
const query = `identifier=${identifier[0].system}|1`;
const first = await medplum.createResourceIfNoneExist({ ...observation, identifier }, query);
assert.equal((await medplum.createResourceIfNoneExist({ ...observation, identifier }, query)).id, first.id);
const upserted = await medplum.upsertResource({ ...observation, identifier, status: 'corrected' }, query);
assert.deepEqual([upserted.id, upserted.status], [first.id, 'corrected']);
const match = (version) => ({ headers: { 'If-Match': `W/"${version}"` } });
const updated = await medplum.updateResource({ ...made, status: 'amended' }, match(1));
assert.equal(updated.meta.versionId, '2');
await refused(medplum.updateResource({ ...made, status: 'cancelled' }, match(1)), 'conflict');
const patched = await medplum.patchResource('Observation', made.id, [
  { op: 'test', path: '/status', value: 'amended' },
  { op: 'replace', path: '/valueQuantity/value', value: 81 },
]);
assert.equal(patched.valueQuantity.value, 81);
assert.equal((await medplum.readVersion('Observation', made.id, '1')).status, 'final');
const history = await medplum.readHistory('Observation', made.id);
assert.deepEqual(history.entry.map((one) => one.resource.meta.versionId), ['3', '2', '1']);

// $validate, $everything, delete.
assert.equal((await medplum.validateResource(observation)).issue[0].severity, 'information');
const everything = await medplum.readPatientEverything(patient);
assert.ok(everything.entry.length > bundle.entry.length);
await medplum.deleteResource('Observation', made.id);
await refused(medplum.readResource('Observation', made.id, { cache: 'reload' }), 'deleted');

// Refusals.
const invalid = await refused(medplum.createResource({ ...observation, status: 'nonsense' }), 'code-invalid');
assert.deepEqual(invalid.expression, ['Observation.status']);
await refused(medplum.readResource('Observation', 'nowhere'), 'not-found');
await refused(medplum.search('Observation', 'misspelt=x'), 'not-supported');
await refused(connect(narrow).readResource('Observation', first.id), 'forbidden');
await refused(connect('nobody').readResource('Observation', first.id), 'login');

// Asking too often: this client waits and comes again, twice, and then says so.
const many = connect(hasty);
const ask = (number) => many.search('Observation', `_id=x${number}`, { cache: 'reload', maxRetries: 0 });
const answers = await Promise.allSettled(Array.from({ length: 150 }, (_, number) => ask(number)));
const throttled = answers.filter((one) => one.status === 'rejected');
assert.ok(throttled.length > 0, 'somebody is told to wait');
assert.deepEqual([...new Set(throttled.map((one) => one.reason.outcome.issue[0].code))], ['throttled']);
await many.search('Observation', '_id=later', { cache: 'reload', maxRetryTime: 30_000 });

// A whole bulk export, begun by POST and followed to its manifest.
const manifest = await medplum.bulkExport('Patient', 'Observation', undefined, { pollStatusOnAccepted: true });
assert.ok(manifest.output.reduce((sum, one) => sum + one.count, 0) >= seen.length);
const lines = (await (await medplum.download(manifest.output[0].url)).text()).trim().split('\n');
assert.equal(JSON.parse(lines[0]).resourceType, 'Observation');
console.log('done');
