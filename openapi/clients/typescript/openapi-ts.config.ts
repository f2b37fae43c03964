import { defineConfig } from '@hey-api/openapi-ts';

export default defineConfig({
  input: '../../openapi.json',
  // Each run empties this folder, so it must not contain files written by hand.
  output: 'src/generated',
  parser: {
    patch: {
      // In the document, a reference with a description is an `allOf` of the reference and an object that has only a
      // description. The generator turns the second part into `& unknown`, so it is removed.
      schemas: (_name, schema) => {
        const properties = (schema.properties ?? {}) as Record<string, { allOf?: object[] }>;
        for (const property of Object.values(properties)) {
          property.allOf = property.allOf?.filter((part) => Object.keys(part).join() !== 'description');
        }
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
