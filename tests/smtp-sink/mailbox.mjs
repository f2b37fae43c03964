// The accepted messages. They are kept as raw bytes and parsed when they are first read, so that many messages cost
// little.
import { simpleParser } from 'mailparser';

// An image that the HTML names by its id takes the place of the reference.
const AS_SENT = { skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true };

export class Mailbox {
  #all = [];
  #byRecipient = new Map();

  add(mail) {
    this.#all.push(mail);
    for (const to of mail.to) {
      if (!this.#byRecipient.has(to)) this.#byRecipient.set(to, []);
      this.#byRecipient.get(to).push(mail);
    }
  }

  clear() {
    this.#all = [];
    this.#byRecipient.clear();
  }

  /** Returns at most `limit` messages, newest first. `to` must match byte for byte. */
  async find({ to, limit = Infinity }) {
    const mails = to === undefined ? this.#all : (this.#byRecipient.get(to) ?? []);
    const found = [];
    for (let i = mails.length - 1; i >= 0 && found.length < limit; i -= 1) {
      mails[i].parsed ??= await parse(mails[i]);
      found.push(mails[i].parsed);
    }
    return found;
  }

  /** Returns Message-ID and arrival time in milliseconds of messages after the first `after`, in order of arrival. */
  deliveries(after) {
    return this.#all.slice(after).map(({ raw, received_at }) => [messageId(raw), Date.parse(received_at)]);
  }

  /** Returns when the newest message arrived, in milliseconds, or null if there is none. */
  newest() {
    const newest = this.#all.at(-1);
    return newest ? Date.parse(newest.received_at) : null;
  }

  /** Returns the number of messages of each recipient. */
  counts() {
    return Object.fromEntries([...this.#byRecipient].map(([to, mails]) => [to, mails.length]));
  }
}

function messageId(raw) {
  const head = raw.subarray(0, raw.indexOf('\r\n\r\n')).toString('latin1');
  return /^message-id:\s*(<[^>]*>)/im.exec(head)?.[1] ?? null;
}

async function parse({ raw, to, from, tls, auth, received_at }) {
  const mail = await simpleParser(raw, AS_SENT);
  const text = mail.text ?? null;
  const html = mail.html || null;
  return {
    to,
    from,
    subject: mail.subject ?? null,
    text,
    html,
    message_id: mail.messageId ?? null,
    headers: headers(mail.headerLines),
    links: links(text ?? '', html ?? ''),
    code: code(text ?? html?.replace(/<[^>]*>/g, ' ') ?? ''),
    received_at,
    tls,
    auth,
  };
}

/** Returns the header values as sent, but unfolded. A header that occurs several times has one value per line. */
function headers(lines) {
  const all = {};
  for (const { key, line } of lines) {
    const value = line.slice(line.indexOf(':') + 1).replace(/\r?\n(?=[ \t])/g, '').trim();
    all[key] = key in all ? `${all[key]}\n${value}` : value;
  }
  return all;
}

const LINK = /https?:\/\/[^\s<>"']+/g;

function links(text, html) {
  const inText = [...text.matchAll(LINK)].map(([link]) => link.replace(/[.,;:!?)\]]+$/, ''));
  const inHtml = [...html.matchAll(/\shref\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)]
    .map(([, double, single]) => (double ?? single).replaceAll('&amp;', '&'))
    .filter((link) => /^https?:/.test(link));
  return [...new Set([...inText, ...inHtml])];
}

function code(text) {
  return text.replace(LINK, ' ').match(/(?<![\w#])\d{6}(?!\w)/)?.[0] ?? null;
}
