import { useTexts, type Bundles } from '../../app/texts.ts';
import { usePasswordAdvice, type PasswordAdvice } from './check-password.ts';

/** Says how strong a new password is: as a bar, and in words. */
export function PasswordMeter({ password, token }: { password: string; token?: string | undefined }) {
  const { strength } = useTexts('password');
  const advice = usePasswordAdvice(password, token);
  return (
    <div class="p-meter" data-score={advice && (isRefused(advice) ? Math.min(advice.score, 1) : advice.score)}>
      <span class="p-meter-bar" aria-hidden="true" />
      <p role="status">{advice && describe(advice, strength)}</p>
    </div>
  );
}

const isRefused = ({ codes }: PasswordAdvice) => codes.length > 0;

function describe({ score, codes: [code] }: PasswordAdvice, texts: Bundles['password']['strength']): string {
  if (code) return (texts as Record<string, string>)[code] ?? texts.password_weak;
  return score >= 4 ? texts.strong : texts.good;
}
