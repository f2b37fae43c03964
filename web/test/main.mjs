// Runs every story on both deployments.
import { readdirSync } from 'node:fs';
import { runStories } from './support/story.mjs';

for (const file of readdirSync(new URL('stories/', import.meta.url))) await import(`./stories/${file}`);
runStories();
