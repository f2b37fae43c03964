import { useTexts } from '../../app/texts.ts';

/** How the sentence about a refused address goes on, if the words of the mail server follow it. */
const BEFORE_WORDS = ': ';

/**
 * What has become of a mail, in the language of the page. The API has the sentence in English, perhaps with the words
 * of a mail server. A sentence of a newer server is shown as it is. The page must name the bundle `outcomes`.
 */
export function MailOutcome({ detail }: { detail: string }) {
  const sentences: Record<string, string> = useTexts('outcomes');
  const sentence = sentences[detail];
  if (sentence) return <span>{sentence}</span>;
  const [start = '', ...words] = detail.split(BEFORE_WORDS);
  const known = sentences[`${start}.`];
  if (!known) return <bdi lang="en">{detail}</bdi>;
  return (
    <span>
      {known} <q dir="auto">{words.join(BEFORE_WORDS)}</q>
    </span>
  );
}
