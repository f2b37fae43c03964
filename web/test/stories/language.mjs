import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.mjs';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

story('a person who is invited in German meets German pages and mails at every step', async ({ world, visitor }) => {
  const email = await world.invite({ locale: 'de' });
  const ann = await visitor({ locale: 'de-AT' });
  const tab = await ann.open((await world.link(email, 'activate')).url);
  await tab.shows('Konto aktivieren');
  assert.equal(await tab.page.getAttribute('html', 'lang'), 'de');
  await tab.send({ 'Neues Passwort': PASSWORD }, 'Konto aktivieren');
  await tab.shows('Willkommen, Ann Archer');
  await tab.press(/Ann Archer/);
  await tab.press('Abmelden');
  await tab.shows('Sie haben sich abgemeldet');
  await tab.page.goto(`${world.origin}/portal/sign-in`);
  await tab.follow('Passwort vergessen?');
  await tab.shows('Passwort vergessen?');
  await tab.open((await world.resetLink(email)).url);
  await tab.shows('Neues Passwort festlegen');
});

story('a person without a language meets the one that the company has chosen, on pages and in mails', async ({ world, visitor }) => {
  const { slug, owner: staff } = await world.tenant('Tannenhof');
  const branding = await (await visitor()).openConsole(staff, '/console/branding');
  await branding.field('Default language').selectOption('de');
  await branding.press('Save the branding');
  await branding.sees('The branding is saved.');
  const email = await world.invite({ client: await world.client('Acme Ltd', staff), staff });
  const { url } = await world.link(email, 'activate');
  assert.match((await world.mailWithLink(email, 'activate')).subject, /lädt Sie .* ein/);
  await (await (await visitor({ locale: 'fr-FR' })).open(url)).shows('Activer votre compte');
  const ann = await visitor({ locale: 'nl-NL' });
  const entry = await ann.open(`/portal/sign-in?tenant=${slug}`);
  // An API that has shown the old brand keeps it for up to 15 seconds.
  await eventually('the page of the company is German', async () => {
    await entry.page.reload();
    await entry.shows(/^(Anmelden|Sign in)$/);
    return (await entry.page.getAttribute('html', 'lang')) === 'de';
  });
  await entry.shows('Anmelden');
  const tab = await ann.open(url);
  await tab.shows('Konto aktivieren');
  assert.equal(await tab.page.getAttribute('html', 'lang'), 'de');
  await tab.send({ 'Neues Passwort': PASSWORD }, 'Konto aktivieren');
  await tab.shows('Willkommen, Ann Archer');
  await world.resetLink(email);
  assert.match((await world.mailWithLink(email, 'reset-password')).subject, /Passwort/);
  // The language of the company is no choice of the person, who meets it in each new browser.
  const other = await (await visitor({ locale: 'nl-NL' })).open('/portal/sign-in');
  await other.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await other.shows('Willkommen, Ann Archer');
});

story('the language of the person follows to another browser and into the mails', async ({ world, visitor }) => {
  const email = await world.person();
  const tab = await (await visitor()).openSignedIn(email, '/portal/account');
  await tab.page.getByRole('combobox', { name: /Language/ }).first().selectOption('fr');
  await tab.press('Save');
  await tab.shows('Profil');
  const other = await (await visitor()).open('/portal/sign-in');
  await other.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await other.shows('Bienvenue, Ann Archer');
  await world.resetLink(email);
  const { headers, subject } = await world.mailWithLink(email, 'reset-password');
  assert.match(headers?.['content-language'] ?? subject, /^fr$|mot de passe/i);
});

story('the language of a staff user follows to another browser, also when it is chosen in the menu', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const tab = await (await visitor()).openConsole(email, '/console/account');
  await tab.page.getByRole('main').getByLabel('Language').selectOption('de');
  await tab.press('Save');
  await tab.shows('Mein Konto');
  const other = await (await visitor()).openConsole(email);
  await other.shows('Übersicht');
  await other.press(/^Menü von /);
  const saved = other.page.waitForResponse((response) => response.request().method() === 'PATCH');
  await other.page.getByRole('combobox', { name: 'Sprache' }).selectOption('fr');
  await other.shows('Vue d’ensemble');
  await saved;
  await tab.page.reload();
  await tab.shows('Mon compte');
});

story('an anonymous visitor chooses the language, and a reload keeps it', async ({ visitor }) => {
  const tab = await (await visitor()).open('/portal/sign-in');
  await tab.shows('Sign in');
  await tab.page.getByRole('combobox', { name: 'Language' }).selectOption('es');
  await tab.shows('Iniciar sesión');
  await tab.page.reload();
  await tab.shows('Iniciar sesión');
});

story('dates have the form of the region of the person, else of the browser', async ({ world, visitor }) => {
  const [ann, ben] = [await visitor({ locale: 'en-GB' }), await visitor({ locale: 'en-GB' })];
  const tab = await ann.openSignedIn(await world.person({ locale: 'en' }), '/portal/account/sessions');
  assert.match(await tab.page.locator('time').first().innerText(), /^\d{1,2} \w+ \d{4}, \d\d:\d\d$/);
  const other = await ben.openSignedIn(await world.person({ locale: 'en-US' }), '/portal/account/sessions');
  await other.page.locator('time').filter({ hasText: /^\w+ \d{1,2}, \d{4}, \d{1,2}:\d\d\s[AP]M$/ }).first().waitFor();
});
