// A deployment with the demo company, and a browser of each kind of visitor.
import { startChromium } from './chromium.mjs';
import { createDemo } from './demo.mjs';
import { deployments } from './deployments.mjs';
import { Visitor } from './visitor.mjs';
import { World } from './world.mjs';

/** Starts the deployment, and opens a tab for each kind of visitor. */
export async function startShowcase(options = {}) {
  const deployment = await deployments.single();
  const [browser, world] = [await startChromium(), new World(deployment)];
  const demo = await createDemo(world, browser);
  const arrive = () => Visitor.arrive(browser, world, options);
  const visitors = { anonymous: await arrive(), person: await arrive(), owner: await arrive() };
  const brand = { name: 'portico_brand', value: demo.slug, url: world.origin };
  await visitors.anonymous.context.addCookies([brand]);
  const tabs = {
    anonymous: await visitors.anonymous.open('/portal/sign-in'),
    person: await visitors.person.openSignedIn(demo.person),
    owner: await visitors.owner.openConsole(demo.owner),
  };
  return {
    browser,
    world,
    demo,
    visitors,
    /** Returns the tab of the visitor of a page. */
    tabOf: ({ visitor }) => tabs[visitor],
    /** Returns what the pages have reported. */
    problems: () => Object.values(visitors).flatMap(({ problems }) => problems.splice(0)),
    /** Sets the language of all pages that are opened from now on. */
    speak: (locale) =>
      Promise.all(Object.values(visitors).map(({ context }) => context.addCookies([{ name: 'portico_locale', value: locale, url: world.origin }]))),
    stop: async () => {
      await browser.close();
      await deployment.stop();
    },
  };
}
