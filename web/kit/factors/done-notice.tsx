import { useTexts } from '../../app/texts.ts';
import { Notice } from '../notice.tsx';

/** What has changed: second factors are on or off, the app is replaced, or the recovery codes are. */
export type FactorChange = 'on' | 'off' | 'replaced' | 'codes';

/** Says that second factors have changed. */
export function DoneNotice({ change }: { change: FactorChange }) {
  const { done } = useTexts('secondStep');
  return <Notice kind="success">{done[change]}</Notice>;
}
