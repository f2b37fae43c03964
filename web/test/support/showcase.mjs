// A deployment with the demo company, and a browser of each kind of visitor.
import { startChromium } from './chromium.mjs';
import { createDemo } from './demo.mjs';
import { deployments } from './deployments.mjs';
import { serveExample } from './pages/element.mjs';
import { createStates } from './states.mjs';
import { Visitor } from './visitor.mjs';
import { World } from './world.mjs';

/** The same password is refused for each language, more often than the limit for a person. */
const SETTINGS = { PORTICO_LIMIT_SIGN_IN_ACCOUNT: '100/15m' };

/** How each kind of visitor arrives, and their first page. `FURTHER_VISITORS` need what `createStates` makes. */
const VISITORS = {
  anonymous: (visitor) => visitor.open('/portal/sign-in'),
  person: (visitor, { person }) => visitor.openSignedIn(person),
  owner: (visitor, { owner }) => visitor.openConsole(owner),
  ownerToo: (visitor, { owner }) => visitor.openConsole(owner),
};
const FURTHER_VISITORS = {
  member: (visitor, { member }) => visitor.openSignedIn(member),
  debtor: (visitor, { debtor }) => visitor.openSignedIn(debtor),
  viewer: (visitor, { viewer }) => visitor.openConsole(viewer),
  support: (visitor, { support }) => visitor.openConsole(support),
  founder: (visitor, { founder }) => visitor.openConsole(founder),
};

/** Starts the deployment, and opens a tab for each kind of visitor: with `allStates`, also for those of further states. */
export async function startShowcase({ allStates = false, ...options } = {}) {
  const deployment = await deployments.single(SETTINGS);
  const [browser, world] = [await startChromium(), new World(deployment)];
  const company = await createDemo(world, browser);
  const demo = allStates ? await createStates(world, company) : company;
  const [visitors, tabs] = [{}, {}];
  for (const [name, arrive] of Object.entries({ ...VISITORS, ...(allStates && FURTHER_VISITORS) })) {
    visitors[name] = await Visitor.arrive(browser, world, options);
    if (name === 'anonymous') await prepareAnonymous(visitors[name].context, world, demo);
    tabs[name] = await arrive(visitors[name], demo);
  }
  return {
    browser,
    world,
    demo,
    visitors,
    /** Returns the tab of the visitor of a page. */
    tabOf: ({ visitor }) => tabs[visitor],
    /** Returns what the pages have reported. */
    problems: () => Object.values(visitors).flatMap(({ problems }) => problems.splice(0)),
    /** Returns what the pages of the visitor of a page have reported. */
    problemsOf: ({ visitor }) => visitors[visitor].problems.splice(0),
    /** Sets the language of all pages that are opened from now on. */
    speak: async (locale) => {
      const cookie = { name: 'portico_locale', value: locale, url: world.origin };
      for (const { context } of Object.values(visitors)) await context.addCookies([cookie]);
    },
    stop: async () => {
      await browser.close();
      await deployment.stop();
    },
  };
}

/** The anonymous visitor has seen a page of the company before, and can open the example of another application. */
async function prepareAnonymous(context, { origin }, { slug }) {
  await context.addCookies([{ name: 'portico_brand', value: slug, url: origin }]);
  await serveExample(context, origin);
}
