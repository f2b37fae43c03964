// Runs the stories on both deployments. `STORIES=staff` runs those of one file, and `DEPLOYMENT=single` those on one of
// the deployments.
import { readdirSync } from 'node:fs';
import { runStories } from './support/story.mjs';

const { STORIES = '', DEPLOYMENT } = process.env;
for (const file of readdirSync(new URL('stories/', import.meta.url))) {
  if (file.startsWith(STORIES)) await import(`./stories/${file}`);
}
runStories(DEPLOYMENT);
