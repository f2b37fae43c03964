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
