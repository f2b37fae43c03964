// Stories: what a person does with the pages. Each runs on both deployments, in browsers of its own.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startChromium } from './chromium.mjs';
import { deployments } from './deployments.mjs';
import { Visitor } from './visitor.mjs';
import { World } from './world.mjs';

const stories = [];
/** How many stories run at the same time, in one Chromium. */
const CONCURRENCY = 3;

/**
 * Tells a story. `run` gets the world and `visitor`, which opens one more browser. The story fails if any page of any
 * of its browsers has reported an error, has asked another host, or is wider than its window.
 */
export function story(name, run, { on = Object.keys(deployments) } = {}) {
  stories.push({ name, run, on });
}

/**
 * Tells a story of what the page does in the browser, which does not depend on the deployment. It runs on one process,
 * and on both deployments if `STORIES_EVERYWHERE` is set.
 */
export const pageStory = (name, run) => story(name, run, process.env.STORIES_EVERYWHERE ? {} : { on: ['single'] });

/** Runs the stories that were told so far, on all deployments or on one. */
export function runStories(only) {
  for (const [name, start] of Object.entries(deployments).filter(([each]) => !only || each === only)) {
    describe(name, { concurrency: CONCURRENCY }, () => {
      let world, browser;
      before(async () => {
        browser = await startChromium();
        world = new World(await start());
      });
      after(async () => {
        await browser?.close();
        await world?.deployment.stop();
      });
      for (const each of stories.filter(({ on }) => on.includes(name))) {
        test(each.name, () => tell(each, world, browser));
      }
    });
  }
}

async function tell({ run }, world, browser) {
  const visitors = [];
  const visitor = async (options) => {
    const arrived = await Visitor.arrive(browser, world, options);
    visitors.push(arrived);
    return arrived;
  };
  try {
    await run({ world, visitor });
  } catch (error) {
    const pages = await Promise.all(visitors.map((each) => each.describe()));
    // Some reports print the message of an error, and others its stack.
    error.message += `\n${pages.join('\n')}`;
    error.stack += `\n${pages.join('\n')}`;
    throw error;
  } finally {
    for (const each of visitors) await each.leave();
  }
  assert.deepEqual(visitors.flatMap(({ problems }) => problems), []);
}
