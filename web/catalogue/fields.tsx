import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { Checkbox } from '../kit/checkbox.tsx';
import { FileDrop } from '../kit/file-drop.tsx';
import { DateRangeFilter, FilterBar, SearchFilter, SelectFilter } from '../kit/filters.tsx';
import { Form } from '../kit/form.tsx';
import { LanguageMenu } from '../kit/language-menu.tsx';
import { PasswordField } from '../kit/password-field.tsx';
import { Segments } from '../kit/segments.tsx';
import { Secret } from '../kit/secret.tsx';
import { SelectField } from '../kit/select-field.tsx';
import { TextField } from '../kit/text-field.tsx';
import { NAMES, type Entry } from './entry.ts';

const ROLES = [
  { value: 'member', label: 'Member' },
  { value: 'admin', label: 'Administrator' },
];
const PROBLEM = 'Enter an email address, for example ann@example.com.';
const nothing = () => undefined;

/** What a user fills in. */
export const FIELDS: Entry[] = [
  {
    name: 'TextField',
    states: [
      { name: 'empty', show: () => <TextField name="a" label="Email address" type="email" required /> },
      { name: 'optional, with a hint', show: () => <TextField name="b" label="Name" hint="As it stands in mails." value={NAMES.usual} /> },
      { name: 'not valid', show: () => <TextField name="c" label="Email address" value="ann" required problem={PROBLEM} /> },
      { name: 'from right to left', show: () => <TextField name="d" label="Name" value={NAMES.rightToLeft} required /> },
      { name: 'read only', show: () => <TextField name="e" label="Email address" value="ann@example.com" required readOnly /> },
    ],
  },
  {
    name: 'PasswordField',
    states: [
      { name: 'empty', show: () => <PasswordField name="f" label="Password" autocomplete="new-password" hint="At least 8 characters." required /> },
      { name: 'not valid', show: () => <PasswordField name="g" label="Password" autocomplete="new-password" problem="The password is too short." required /> },
    ],
  },
  {
    name: 'SelectField',
    states: [{ name: 'with a value', show: () => <SelectField name="h" label="Role" choices={ROLES} value="admin" required /> }],
  },
  {
    name: 'Checkbox',
    states: [
      { name: 'off', show: () => <Checkbox name="i">Read the clients</Checkbox> },
      { name: 'on', show: () => <Checkbox name="j" checked>{NAMES.long}</Checkbox> },
    ],
  },
  {
    name: 'Form',
    states: [
      { name: 'that succeeds', show: () => <ExampleForm answer={{}} /> },
      { name: 'that fails in a field', show: () => <ExampleForm answer={{ error: INVALID }} /> },
      { name: 'that fails', show: () => <ExampleForm answer={{ error: BUSY }} /> },
    ],
  },
  {
    name: 'FilterBar',
    states: [
      {
        name: 'with every kind of filter',
        show: () => (
          <FilterBar onClear={nothing}>
            <SearchFilter label="Name or address" value="anna" onChange={nothing} />
            <SelectFilter label="Role" value="admin" choices={ROLES} onChange={nothing} />
            <DateRangeFilter from="2026-03-01" to="2026-03-31" onChange={nothing} />
          </FilterBar>
        ),
      },
    ],
  },
  { name: 'Segments', states: [{ name: 'one chosen', show: () => <Segments label="Role" choices={ROLES} value="admin" onChange={nothing} /> }] },
  {
    name: 'Secret',
    states: [{ name: 'shown once', show: () => <Secret label="Token" value="pat_example" warning="Copy the token now." question="Leave without the token?" /> }],
  },
  {
    name: 'FileDrop',
    states: [
      { name: 'waiting for a file', show: () => <FileDrop title="Drop a CSV file here" choose="Choose a file" accept=".csv" onFile={nothing} /> },
      { name: 'busy', show: () => <FileDrop title="Drop a CSV file here" choose="Choose a file" accept=".csv" busy onFile={nothing} /> },
    ],
  },
  { name: 'LanguageMenu', states: [{ name: 'closed', show: () => <LanguageMenu /> }] },
];

const problem = (fields: object) => ({ type: 'about:blank', title: '', detail: '', request_id: '0198c0de', ...fields }) as unknown as PorticoError;
const INVALID = problem({ status: 422, code: 'validation_failed', errors: [{ pointer: '/email', code: 'email_invalid', detail: '' }] });
const BUSY = problem({ status: 503, code: 'overloaded', retry_after: 30 });

function ExampleForm({ answer }: { answer: { error?: PorticoError } }): ComponentChildren {
  return (
    <Form send={() => Promise.resolve(answer)} onSent={nothing} submit="Send the invitation">
      <TextField name="email" type="email" label="Email address" required />
    </Form>
  );
}
