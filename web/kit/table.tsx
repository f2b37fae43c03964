import { Fragment, type ComponentChildren } from 'preact';

export interface Column<Row> {
  /** The heading. An empty one is read to screen readers by `label`. */
  title: string;
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand at the end of their column. */
  align?: 'end';
  /** On a phone, the first column is the heading of the entry, and `actions` stand below it. */
  role?: 'heading' | 'actions';
}

interface TableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string;
  /** What stands below a row, over all columns, such as its details. */
  below?: ((row: Row) => ComponentChildren) | undefined;
}

/**
 * A table. On a narrow screen, each row becomes a block with the titles of the columns beside its values. The roles
 * keep it a table for screen readers, which styles of blocks would undo.
 */
export function Table<Row>({ caption, columns, rows, keyOf, below }: TableProps<Row>) {
  return (
    <table class="p-table" role="table" aria-label={caption}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, align, role }) => (
            <th key={title} scope="col" role="columnheader" data-align={align}>
              {role === 'actions' ? <span class="p-hidden">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <Fragment key={keyOf(row)}>
            <Cells row={row} columns={columns} />
            <Below columns={columns.length}>{below?.(row)}</Below>
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function Cells<Data>({ row, columns }: { row: Data; columns: Column<Data>[] }) {
  return (
    <tr role="row">
      {columns.map(({ title, cell, align, role }) => (
        <td key={title} role="cell" data-title={role ? undefined : title} data-align={align} data-role={role}>
          {cell(row)}
        </td>
      ))}
    </tr>
  );
}

function Below({ columns, children }: { columns: number; children?: ComponentChildren }) {
  if (!children) return null;
  return (
    <tr role="row" class="p-below">
      <td role="cell" colSpan={columns}>
        {children}
      </td>
    </tr>
  );
}
