// Sends a logo. `fetch` does not report how much of a body is sent, so this is an `XMLHttpRequest`.
import { getStaffSession, isPorticoError, type Branding, type NetworkError, type PorticoError } from '@portico/client';
import type { Result } from '../../../app/call.ts';
import type { Bundles } from '../../../app/texts.ts';

/** The media types that the API takes. */
export const LOGO_TYPES = ['image/png', 'image/jpeg', 'image/webp'];

/** The largest file, in bytes. */
const MAX_BYTES = 1024 * 1024;

type Texts = Bundles['settings']['branding']['logoProblems'];

/** Returns why a file cannot be a logo, as far as this can be told before it is sent. */
export function refusalOf(file: File, locale: string, texts: Texts): string | undefined {
  if (file.type === 'image/svg+xml' || /\.svgz?$/i.test(file.name)) return texts.svg;
  if (!LOGO_TYPES.includes(file.type)) return texts.type;
  if (file.size === 0) return texts.empty;
  if (file.size <= MAX_BYTES) return undefined;
  // Rounded up, so that a file that is too large never reads as one of 1 MB.
  const megabytes = Math.ceil((file.size / MAX_BYTES) * 10) / 10;
  return texts.tooLarge(new Intl.NumberFormat(locale).format(megabytes));
}

/** Returns the sentence for a refused file, or `undefined` if the error is not about the file. */
export function describeRefusal(problem: PorticoError, file: File, texts: Texts): string | undefined {
  if (problem.code === 'unsupported_media_type') return texts.type;
  if (problem.code === 'body_too_large') return texts.tooLarge((file.size / MAX_BYTES).toFixed(1));
  const code = 'errors' in problem ? problem.errors?.[0]?.code : undefined;
  if (code === 'image_too_large') return texts.megapixels;
  return code === 'image_invalid' ? texts.invalid : undefined;
}

/** Sends a logo. `onProgress` receives the sent share, from 0 to 1. An expired access token is renewed once. */
export async function uploadLogo(file: File, onProgress: (share: number) => void): Promise<Result<Branding>> {
  const result = await send(file, onProgress);
  if (result.error?.code !== 'unauthenticated') return result;
  // This call renews the session, or leads to the sign-in page.
  const { error } = await getStaffSession();
  return error ? { error } : send(file, onProgress);
}

function send(file: File, onProgress: (share: number) => void): Promise<Result<Branding>> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const fail = (cause?: unknown) => resolve({ error: networkError(cause) });
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      const body: unknown = request.response;
      if (request.status === 200 && body) return resolve({ data: body as Branding });
      return isPorticoError(body) ? resolve({ error: body }) : fail(body);
    };
    request.onerror = () => fail();
    request.open('PUT', '/api/v1/branding/logo');
    request.responseType = 'json';
    request.setRequestHeader('Content-Type', file.type);
    request.send(file);
  });
}

const networkError = (cause: unknown): NetworkError => ({ code: 'network_error', detail: 'The server cannot be reached.', cause });
