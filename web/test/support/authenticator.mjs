// An authenticator app (RFC 6238): SHA-1, six digits, a new code every 30 seconds.
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 30_000;
/** A code of the step before is not used so close to the end of its time. */
const MARGIN_MS = 10_000;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export class Authenticator {
  #secret;
  #lastStep = 0;

  /** `secret` is in base32, perhaps in groups. */
  constructor(secret) {
    this.#secret = decodeBase32(secret.replaceAll(' ', ''));
  }

  /**
   * Returns the next code that the server accepts. It accepts the code of each step once, and those of the step before and
   * after the current one. So this waits only for a fourth code in the same step.
   */
  async code() {
    const now = Date.now();
    const current = Math.floor(now / STEP_MS);
    const first = STEP_MS - (now % STEP_MS) > MARGIN_MS ? current - 1 : current;
    const step = Math.max(first, this.#lastStep + 1);
    this.#lastStep = step;
    if (step > current + 1) await sleep((step - 1) * STEP_MS - now + 500);
    return codeOf(this.#secret, step);
  }

  /** Returns a code that the server accepts at no time near this one. */
  wrongCode() {
    const current = Math.floor(Date.now() / STEP_MS);
    const right = [-2, -1, 0, 1, 2].map((offset) => codeOf(this.#secret, current + offset));
    return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code));
  }
}

function codeOf(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac('sha1', secret).update(counter).digest();
  const offset = hash.at(-1) & 15;
  return String((hash.readUInt32BE(offset) & 0x7f_ff_ff_ff) % 1_000_000).padStart(6, '0');
}

function decodeBase32(text) {
  const bits = [...text].map((character) => BASE32.indexOf(character).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}
