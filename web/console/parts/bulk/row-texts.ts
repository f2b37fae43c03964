// What the page says about the rows of a bulk invitation.
import type { BulkRowResult, PorticoError } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';

/** Returns the function that says what happens or has happened to a row, and what is wrong with it. */
export function useRowTexts(): { outcome: (row: BulkRowResult) => string; errors: (row: BulkRowResult) => string[] } {
  const { bulk, fields, labelled, modes } = useTexts('console');
  const problems = useTexts('problems');
  const labels: Record<string, string> = { '/email': fields.email, '/name': fields.name, '/role': fields.role, '/locale': fields.language };
  const sentence = (pointer: string, code: string) => {
    if (pointer === '/role') return bulk.rowErrors.role;
    if (code === 'csv_cells_invalid') return bulk.rowErrors.cells;
    const text = (problems.fields as Record<string, string>)[code] ?? problems.fields.invalid;
    const label = labels[pointer];
    return label ? labelled(label, text) : text;
  };
  return {
    outcome: ({ status, invite_mode: mode }) => (status === 'invited' ? modes[mode ?? 'setup'] : bulk.statuses[status]),
    errors: ({ errors }) => errors.map(({ pointer, code }) => sentence(pointer, code)),
  };
}

/** Returns the function that says why a table as a whole is refused. */
export function useTableProblem(): (problem: PorticoError) => string | undefined {
  const { bulk, clientArchived } = useTexts('console');
  return (problem) => {
    if (problem.code === 'client_suspended') return clientArchived;
    if (problem.code === 'body_too_large' || problem.code === 'malformed_request') return bulk.problems[problem.code];
    if (problem.code !== 'validation_failed') return undefined;
    const code = problem.errors[0]?.code;
    return code === 'csv_header_invalid' || code === 'csv_quotes_invalid' ? bulk.problems[code] : bulk.problems.rows;
  };
}
