// Makes what differs from run to run the same, for screenshots: times, API tokens, and the demo company's history.

/** The time of the screenshots. */
const NOW = Date.parse('2026-03-02T09:30:00Z');
const HALF_HOUR_MS = 30 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
const WORKDAY_MINUTES = 7 * 60;
const TOKEN = `pat_${'0Exampl3'.repeat(6)}`;
const TIME = /"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00))"/g;

/**
 * Moves all times in answers of the API, so that the present is `NOW`, and replaces API tokens and the history of the
 * overview.
 */
export async function fixValues(context) {
  await context.clock.setFixedTime(NOW);
  const started = Date.now();
  const fix = (time, ageMs) => NOW - ageMs + Math.round((Date.parse(time) - started) / HALF_HOUR_MS) * HALF_HOUR_MS;
  const move = (json, ageMs = 0) =>
    json
      .replaceAll(TIME, (_, time) => `"${new Date(fix(time, ageMs)).toISOString()}"`)
      .replaceAll(/pat_\w+/g, ({ length }) => TOKEN.slice(0, length));
  await context.route('**/api/**', async (route) => {
    const response = await route.fetch();
    if (!response.headers()['content-type']?.includes('json')) return route.fulfill({ response });
    const json = await response.json();
    const isList = Array.isArray(json.data) && json.data.length > 0;
    await route.fulfill({ response, body: isList ? JSON.stringify({ ...json, data: spread(json.data, move) }) : move(JSON.stringify(json)) });
  });
  await context.route('**/api/v1/overview*', (route) => route.fulfill({ json: OVERVIEW }));
}

/** Gives each row of a list a day of its own, because the demo company was created within seconds. */
function spread(rows, move) {
  const isOldestFirst = rows[0].created_at < rows.at(-1).created_at;
  return rows.map((row, index) => {
    const days = isOldestFirst ? rows.length - 1 - index : index;
    const ageMs = days * DAY_MS - ((days * 37) % WORKDAY_MINUTES) * 60_000;
    return JSON.parse(move(JSON.stringify(row), ageMs));
  });
}

/** Four weeks of a company that invites on weekdays. */
const OVERVIEW = {
  funnel: Array.from({ length: 30 }, (_, index) => {
    const day = new Date(NOW - (29 - index) * DAY_MS);
    const isWeekend = [0, 6].includes(day.getUTCDay());
    const invited = isWeekend ? 0 : 6 + ((index * 7) % 11);
    const delivered = Math.max(0, invited - (index % 5 === 0 ? 1 : 0));
    const activated = Math.round(delivered * (index > 26 ? 0.4 : 0.8));
    return { day: day.toISOString().slice(0, 10), invited, delivered, activated, signed_in: Math.round(activated * 0.9) };
  }),
  failed_mail: [
    { reason: 'recipient_refused', count: 4 },
    { reason: 'gave_up', count: 1 },
  ],
  oldest_queued_seconds: null,
};
