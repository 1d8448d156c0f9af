// fhir-kit-client (npm) through a whole journey. Takes the server's address, a resident, a token and a narrow one.
import assert from 'node:assert/strict';
import { CapabilityTool, Client } from 'fhir-kit-client';

const { base, patient, token, narrow, observation, bundle } = JSON.parse(process.argv[2]);
const client = new Client({ baseUrl: base, bearerToken: token });
const status = (error) => error.response?.status;
const refused = async (work, wanted) => {
  const error = await work.then(() => assert.fail(`should be refused with ${wanted}`), (one) => one);
  assert.equal(status(error), wanted, `${error.message} ${JSON.stringify(error.response?.data)}`);
  return error.response.data;
};

// Discovery.
const smart = await client.smartAuthMetadata();
assert.equal(smart.tokenUrl.pathname, '/oauth/token');
assert.equal(smart.authorizeUrl.pathname, '/oauth/authorize');
const statement = await client.capabilityStatement();
const tool = new CapabilityTool(statement);
assert.ok(tool.resourceCan('Observation', 'patch'));
assert.ok(tool.serverCan('transaction'));

// A transaction, and a search to its last page.
const stored = await client.transaction({ body: bundle, options: { keepalive: false } });
assert.deepEqual([...new Set(stored.entry.map((one) => one.response.status))], ['201 Created']);
const seen = new Set();
let page = await client.search({
  resourceType: 'Observation',
  searchParams: { patient, code: 'http://loinc.org|8867-4', _count: 5, _sort: '-date' },
});
while (page) {
  for (const one of page.entry ?? []) {
    assert.ok(!seen.has(one.resource.id), 'a page gives each resource once');
    seen.add(one.resource.id);
  }
  page = await client.nextPage({ bundle: page });
}
assert.ok(seen.size >= bundle.entry.length);

// Chains, includes, by POST, in a compartment, and a reference that is followed.
const chained = await client.resourceSearch({
  resourceType: 'Observation',
  searchParams: { 'subject:Patient.birthdate': '1963-09-15', _include: 'Observation:subject', _count: 2 },
});
assert.deepEqual(chained.entry.map((one) => one.search.mode), ['match', 'match', 'include']);
const posted = await client.resourceSearch({
  resourceType: 'Observation',
  searchParams: { patient, _count: 1 },
  options: { postSearch: true },
});
assert.equal(posted.entry.length, 1);
const compartment = await client.compartmentSearch({
  resourceType: 'Observation',
  compartment: { resourceType: 'Patient', id: patient },
  searchParams: { _count: 3 },
});
assert.equal(compartment.entry.length, 3);
const subject = await client.resolve({ reference: posted.entry[0].resource.subject.reference });
assert.equal(subject.birthDate, '1963-09-15');

// Create, read, conditional create, update, patch, versions.
const made = await client.create({ resourceType: 'Observation', body: observation });
assert.equal(Client.httpFor(made).response.status, 201);
assert.ok(Client.httpFor(made).response.headers.get('location').endsWith(`Observation/${made.id}/_history/1`));
const read = await client.read({ resourceType: 'Observation', id: made.id });
assert.deepEqual(read, made);
const minimal = await client.create({
  resourceType: 'Observation',
  body: observation,
  options: { headers: { Prefer: 'return=minimal' } },
});
assert.equal(Client.httpFor(minimal).response.status, 201);
const identifier = [{ system: 'https://hospital.example/fhir-kit', value: '1' }];
const once = { headers: { 'If-None-Exist': `identifier=${identifier[0].system}|1` } };
const first = await client.create({ resourceType: 'Observation', body: { ...observation, identifier }, options: once });
const second = await client.create({ resourceType: 'Observation', body: { ...observation, identifier }, options: once });
assert.equal(second.id, first.id);
assert.equal(second.meta.versionId, '1');
const update = (body, tag) =>
  client.update({ resourceType: 'Observation', id: made.id, body, options: { headers: { 'If-Match': tag } } });
const updated = await update({ ...made, status: 'amended' }, 'W/"1"');
assert.equal(updated.meta.versionId, '2');
const late = await refused(update({ ...made, status: 'cancelled' }, 'W/"1"'), 412);
assert.equal(late.issue[0].code, 'conflict');
const patched = await client.patch({
  resourceType: 'Observation',
  id: made.id,
  jsonPatch: [{ op: 'add', path: '/note', value: [{ text: 'fhir-kit' }] }],
});
assert.equal(patched.note[0].text, 'fhir-kit');
const before = await client.vread({ resourceType: 'Observation', id: made.id, version: '1' });
assert.equal(before.status, 'final');
const history = await client.resourceHistory({ resourceType: 'Observation', id: made.id });
assert.deepEqual(history.entry.map((one) => one.resource.meta.versionId), ['3', '2', '1']);
assert.equal((await client.typeHistory({ resourceType: 'Observation' })).type, 'history');
assert.equal((await client.systemHistory()).type, 'history');
const conditional = await client.update({
  resourceType: 'Observation',
  searchParams: { identifier: `${identifier[0].system}|1` },
  body: { ...observation, identifier, status: 'corrected' },
});
assert.equal(conditional.id, first.id);
assert.equal(conditional.status, 'corrected');

// Batch, $validate, $everything, delete.
const batch = await client.batch({
  body: {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [
      { request: { method: 'GET', url: `Observation/${made.id}` } },
      { request: { method: 'GET', url: 'Observation/nowhere' } },
    ],
  },
});
assert.deepEqual(batch.entry.map((one) => one.response.status.slice(0, 3)), ['200', '404']);
const verdict = await client.operation({ name: '$validate', resourceType: 'Observation', input: observation });
assert.equal(verdict.issue[0].severity, 'information');
const all = await client.operation({ name: '$everything', resourceType: 'Patient', id: patient, method: 'GET' });
assert.ok(all.entry.length > bundle.entry.length);
await client.delete({ resourceType: 'Observation', id: made.id });
await refused(client.read({ resourceType: 'Observation', id: made.id }), 410);

// Refusals.
const invalid = await refused(
  client.create({ resourceType: 'Observation', body: { ...observation, status: 'nonsense' } }),
  422,
);
assert.deepEqual(invalid.issue[0].expression, ['Observation.status']);
await refused(client.read({ resourceType: 'Observation', id: 'nowhere' }), 404);
await refused(client.search({ resourceType: 'Observation', searchParams: { misspelt: 'x' } }), 400);
await refused(new Client({ baseUrl: base, bearerToken: narrow }).read({ resourceType: 'Observation', id: first.id }), 403);
await refused(new Client({ baseUrl: base, bearerToken: 'nobody' }).read({ resourceType: 'Observation', id: first.id }), 401);

// A bulk export by hand: this client leaves the polling to its caller.
const begun = await client.request('$export?_type=Observation', {
  options: { headers: { Prefer: 'respond-async' } },
});
const status_of = Client.httpFor(begun).response.headers.get('content-location');
let manifest;
for (let tries = 0; tries < 40 && !manifest?.output; tries += 1) {
  await new Promise((done) => setTimeout(done, 500));
  manifest = await client.request(status_of);
}
assert.ok(manifest.output.reduce((sum, one) => sum + one.count, 0) >= seen.size);
console.log('done');
