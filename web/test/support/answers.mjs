// Answers of the API that are hard to bring about. An entry of the table of pages names them under the method and the
// path of an operation, such as `GET /api/v1/clients`. A `*` stands for a part of the path.
import { problem } from './problem.mjs';

export const refuse = (status, code, more) => (route) => route.fulfill(problem(status, code, more));
export const succeed = (json) => (route) => route.fulfill(json ? { json } : { status: 204 });
/** No answer arrives: the connection breaks. */
export const breakOff = (route) => route.abort();
/** The calls of each page whose answers do not arrive as long as the page is open. */
const waiting = new WeakMap();
export const wait = (route) => {
  const page = route.request().frame().page();
  waiting.set(page, [...(waiting.get(page) ?? []), route]);
};
/** Changes the real answer. */
export const change = (edit) => async (route) => {
  const response = await route.fetch();
  await route.fulfill({ response, json: edit(await response.json()) });
};
/** Answers what is sent, but not the trial before it. */
export const afterTrial = (answer) => (route) => (route.request().url().includes('dry_run=true') ? route.continue() : answer(route));

/** Lets a page have these answers until `restore`. */
export async function replaceAnswers(page, answers) {
  const all = Object.entries(answers).map(([operation, answer]) => ({ pattern: patternOf(operation), answer }));
  await page.route('**/api/**', (route) => {
    const request = route.request();
    const operation = `${request.method()} ${new URL(request.url()).pathname}`;
    const replaced = all.find(({ pattern }) => pattern.test(operation));
    return replaced ? replaced.answer(route) : route.fallback();
  });
}

/** Ends the replacement. Calls that still wait are broken off, because Chromium would send them now. */
export async function restoreAnswers(page) {
  for (const route of waiting.get(page) ?? []) await route.abort().catch(() => undefined);
  waiting.delete(page);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
}

const patternOf = (operation) => new RegExp(`^${operation.replaceAll('*', '[^/]+')}$`);
