import type { TokenScope } from '@portico/client';
import { useId } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Checkbox } from '../../../kit/checkbox.tsx';
import { useFieldProblem } from '../../../kit/form.tsx';

/** The permissions of a new token, as check boxes named `scopes`. */
export function ScopesField({ scopes }: { scopes: TokenScope[] }) {
  const { tokens: texts, permissions } = useTexts('access');
  const { fields } = useTexts('problems');
  const problem = useFieldProblem('scopes');
  const id = useId();
  return (
    <fieldset class="p-fieldset" aria-describedby={problem ? `${id} ${id}-problem` : id}>
      <legend>{texts.scopes}</legend>
      <p class="p-hint" id={id}>
        {texts.scopesHint}
      </p>
      {scopes.map((scope) => (
        <Checkbox key={scope} name="scopes" value={scope}>
          {permissions[scope]} <code class="p-muted">{scope}</code>
        </Checkbox>
      ))}
      {problem && (
        <p class="p-field-problem" id={`${id}-problem`}>
          {problem === fields.invalid ? texts.noScopes : problem}
        </p>
      )}
    </fieldset>
  );
}
