import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { eventually } from '../support/eventually.mjs';
import { story } from '../support/story.mjs';

/** A table as a spreadsheet program writes it: semicolons, Windows-1252. */
const table = (rows) => ({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(['email;name;role', ...rows].join('\r\n'), 'latin1') });

story('a table of people is checked first, says what is wrong in each row, and is sent after that', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const [known, jorg, ann] = [await world.person({ client }), world.address('jorg'), world.address('ann')];
  const tab = await (await visitor()).openConsole(await world.staff('owner'), `/console/clients/${client.id}`);
  await tab.follow('Invite many');
  await tab.shows('Invite many');
  const rows = [`${jorg};Jörg Müller;admin`, `${ann};Ann Baker;member`, `${ann};Ann Baker;member`, `${known};;`, 'no address;X;member', `${world.address('x')};X;owner`];
  await tab.page.locator('input[type=file]').setInputFiles(table(rows));
  await tab.sees('2 people can be invited');
  await tab.sees('1 has access or an invitation already');
  await tab.sees('1 row repeats an address');
  await tab.sees('2 rows have errors');
  await tab.sees('Jörg Müller');
  await tab.press('Invite 2 people');
  await tab.sees('2 people are invited.');
  for (const email of [jorg, ann]) await world.link(email, 'activate');
});

story('a table that is no table, or whose columns are wrong, is refused with a reason', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const tab = await (await visitor()).openConsole(await world.staff('owner'), `/console/clients/${client.id}/bulk-invite`);
  await tab.page.getByRole('textbox').fill('name,role\nAnn,member');
  await tab.press('Check the rows');
  await tab.sees('The first line must name the column email');
});

/** Answers the parts of a table in turn: where an answer is missing, the server answers. Returns the keys of the parts. */
async function answerParts({ page }, answers) {
  const parts = [];
  await page.route('**/invitations/bulk?dry_run=false', (route) => {
    parts.push(route.request().headers()['idempotency-key']);
    const answer = answers.shift();
    return answer ? answer(route) : route.continue();
  });
  return parts;
}

const TOO_MANY = {
  type: 'about:blank',
  title: 'Too many requests',
  status: 429,
  code: 'too_many_requests',
  retry_after: 60,
  request_id: 'r',
};

/** Lets the server do its work, and loses its answer. */
async function loseAnswer(route) {
  await route.fetch();
  await route.abort();
}

const refuse = (route) =>
  route.fulfill({ status: 429, contentType: 'application/problem+json', headers: { 'retry-after': '60' }, json: TOO_MANY });

/** Returns the recipients of the invitations that were sent. */
async function recipients(world, owner) {
  const found = [];
  for (let cursor = ''; cursor !== null; ) {
    const path = `/api/v1/emails?status=sent&kind=invitation&limit=100${cursor && `&cursor=${cursor}`}`;
    const { data, next_cursor } = await world.asStaff('GET', path, undefined, owner);
    found.push(...data.map(({ recipient }) => recipient));
    cursor = next_cursor;
  }
  return found.sort();
}

story('a large table goes on after a lost answer and after a limit, and invites no person twice', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const client = await world.client('Acme Ltd', owner);
  const people = Array.from({ length: 120 }, (_, index) => world.address(`p${index}`));
  const tab = await (await visitor()).openConsole(owner, `/console/clients/${client.id}/bulk-invite`);
  await tab.shows('Invite many');
  await tab.page.clock.install();
  const parts = await answerParts(tab, [undefined, loseAnswer, undefined, refuse]);
  tab.expectBrokenNetwork();
  await tab.page.locator('input[type=file]').setInputFiles(table([...people.map((email) => `${email};;`), 'no address;;']));
  await tab.sees('120 people can be invited');
  await tab.press('Invite 120 people');
  await tab.sees('50 of 120 sent');
  await tab.sees('When you continue, no person is invited twice.');
  await tab.press('Continue');
  await tab.sees('100 of 120 sent');
  await tab.sees(/You can try again in \d+ seconds\./);
  assert.equal(await tab.button('Continue').getAttribute('aria-disabled'), 'true');
  await tab.page.clock.fastForward('01:00');
  await tab.press('Continue');
  await tab.sees('120 people are invited.');
  assert.equal(new Set(parts).size, 3, 'each part keeps its key');
  await eventually('all mails are sent', async () => (await recipients(world, owner)).length >= people.length, 60);
  assert.deepEqual(await recipients(world, owner), people.toSorted());
  assert.equal((await world.mails(people[60])).length, 1, 'a person of the part whose answer was lost');
});

story('a table of a spreadsheet program arrives as it was written, and its result runs no formula', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const client = await world.client('Acme Ltd', owner);
  const [sara, formula] = ['sara', 'formula'].map(world.address);
  const rows = [`"${sara}";"سارة ""س"" كريم";"admin"`, ';;', `"${formula}";"=HYPERLINK(""x"")";""`];
  const buffer = Buffer.from(['\uFEFF"email";"name";"role"', '', ...rows, ''].join('\r\n'));
  const tab = await (await visitor()).openConsole(owner, `/console/clients/${client.id}/bulk-invite`);
  await tab.page.locator('input[type=file]').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer });
  await tab.sees('سارة "س" كريم');
  await tab.press('Invite 2 people');
  await tab.sees('2 people are invited.');
  const [file] = await Promise.all([tab.page.waitForEvent('download'), tab.press('Download the result')]);
  const saved = await readFile(await file.path(), 'utf8');
  assert.ok(saved.includes(`"'=HYPERLINK(""x"")"`) && !saved.includes('"=HYPERLINK'), saved);
  const { data } = await world.asStaff('GET', `/api/v1/clients/${client.id}/portal-users`, undefined, owner);
  const found = data.map(({ email, name, role }) => [email, name, role]).sort();
  assert.deepEqual(found, [[formula, '=HYPERLINK("x")', 'member'], [sara, 'سارة "س" كريم', 'admin']].sort());
});
