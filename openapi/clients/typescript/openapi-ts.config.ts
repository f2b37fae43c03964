import { defineConfig } from '@hey-api/openapi-ts';
import { addNetworkErrors, type Document, leaveCookiesToBrowser, unifyProblems } from './patch-document.js';

export default defineConfig({
  input: '../../openapi.json',
  // Each run empties this folder, so it must not contain files written by hand.
  output: 'src/generated',
  parser: {
    patch: {
      input: (spec) => {
        for (const patch of [unifyProblems, addNetworkErrors, leaveCookiesToBrowser]) patch(spec as Document);
      },
    },
  },
  plugins: [
    // Copies the fetch client into the output, so the package has no dependencies. `src/http-client.ts` exports it.
    '@hey-api/client-fetch',
    // `ClientOptions` describes the HTTP client, not a client of the tenant.
    { name: '@hey-api/typescript', includeInEntry: ({ name }) => name !== 'ClientOptions' },
    '@hey-api/sdk',
  ],
});
