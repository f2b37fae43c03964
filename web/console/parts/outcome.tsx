// What a page says after an act, until the next one.
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { useTexts } from '../../app/texts.ts';

/** Says what an act has done. `undo` is a button that takes it back. An empty sentence removes the one before. */
type Say = (sentence: string, undo?: ComponentChildren) => void;

const OutcomeContext = createContext<Say>(() => undefined);

/** Provides the place above its content where the acts of a page say what they have done. It stays in sight. */
export function Outcomes({ children }: { children: ComponentChildren }) {
  const { close } = useTexts('signedIn');
  const [outcome, setOutcome] = useState<{ sentence: string; undo: ComponentChildren }>();
  const say: Say = (sentence, undo) => setOutcome(sentence ? { sentence, undo } : undefined);
  return (
    <OutcomeContext.Provider value={say}>
      {outcome && (
        <div class="p-outcome p-notice p-notice-success">
          <p role="status">{outcome.sentence}</p>
          {outcome.undo && <div class="p-actions">{outcome.undo}</div>}
          <button type="button" class="p-icon-button" aria-label={close} onClick={() => setOutcome(undefined)}>
            <span aria-hidden="true">×</span>
          </button>
        </div>
      )}
      {children}
    </OutcomeContext.Provider>
  );
}

/** Returns the function that says what an act has done. */
export const useOutcome = (): Say => useContext(OutcomeContext);
