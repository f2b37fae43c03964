// What a page says after an act, until the next one.
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { Notice } from '../../kit/notice.tsx';

type Say = (outcome: ComponentChildren) => void;

const OutcomeContext = createContext<Say>(() => undefined);

/** Provides the place above its content where the acts of a page say what they have done. */
export function Outcomes({ children }: { children: ComponentChildren }) {
  const [outcome, setOutcome] = useState<ComponentChildren>();
  return (
    <OutcomeContext.Provider value={setOutcome}>
      <div class="p-outcome">{outcome && <Notice kind="success">{outcome}</Notice>}</div>
      {children}
    </OutcomeContext.Provider>
  );
}

/** Returns the function that says what an act has done. */
export const useOutcome = (): Say => useContext(OutcomeContext);
