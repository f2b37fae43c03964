/** Returns a problem of the API. */
export const problem = (status, code, more = {}) => ({
  status,
  contentType: 'application/problem+json',
  json: { type: `urn:portico:${code}`, title: code, status, code, detail: code, request_id: '01a2', ...more },
});
