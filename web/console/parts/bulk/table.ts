// Tables in CSV. The server reads the table of a preview as it is. The page reads it too, to send it in parts.

/** A table: the names of its columns and its rows, without empty rows. */
export interface TableData {
  header: string[];
  rows: string[][];
}

const SEPARATORS = [',', ';', '\t'];
const LINE_END = '\r\n';

/**
 * Returns the text of a file in UTF-8, or else in Windows-1252, as older spreadsheet programs write it. A byte order
 * mark is left out.
 */
export async function textOfFile(file: Blob): Promise<string> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes).replace(/^ï»¿/, '');
  }
}

/** Reads a table that the server has accepted. Its separator is the one with which a column is called `email`. */
export function readTable(text: string): TableData {
  const separator = SEPARATORS.find((each) => headerOf(text, each).includes('email')) ?? ',';
  const [header = [], ...rows] = readRows(text.replace(/^\uFEFF/, ''), separator).filter((row) => row.some((cell) => trimmed(cell)));
  return { header, rows };
}

/** Returns the text of rows. */
export const csvOf = (rows: string[][]): string =>
  rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',') + LINE_END).join('');

/** Where a formula of a spreadsheet program begins: at the beginning of a cell, or after what may separate cells or rows. */
const FORMULA = /(?<=^|[;,\t\r\n])(?=[^\S\t\r\n]*[=+\-@\t\r＝＋－＠])/g;

/** Returns a text without white space around it, as the server understands it (Unicode, `White_Space`). */
const trimmed = (text: string): string => text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '');

/**
 * Returns the text of rows for a spreadsheet program. Such a program runs a cell as a formula that begins with one of
 * these characters, so an apostrophe goes before it.
 */
export const csvForSpreadsheets = (rows: string[][]): string =>
  `\uFEFF${csvOf(rows.map((row) => row.map((cell) => cell.replace(FORMULA, "'"))))}`;

const headerOf = (text: string, separator: string): string[] =>
  (readRows(text.replace(/^\uFEFF/, ''), separator, 1)[0] ?? []).map((name) => trimmed(name).toLowerCase());

/**
 * Reads the cells of at most `limit` rows (RFC 4180), without empty lines. A quotation mark counts only at the
 * beginning of a cell.
 */
function readRows(text: string, separator: string, limit = Infinity): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length && rows.length < limit; ) {
    const cell = text[at] === '"' ? quotedCell(text, at, separator) : plainCell(text, at, separator);
    row.push(cell.value);
    at = cell.end;
    if (text[at] === separator) {
      at += 1;
      if (at === text.length) row.push('');
      else continue;
    }
    at += text.startsWith(LINE_END, at) ? LINE_END.length : 1;
    if (row.length > 1 || row[0]) rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

interface Cell {
  value: string;
  /** Where the separator or the end of the line is. */
  end: number;
}

function quotedCell(text: string, start: number, separator: string): Cell {
  let end = start + 1;
  while (end < text.length && (text[end] !== '"' || text[end + 1] === '"')) end += text[end] === '"' ? 2 : 1;
  // Text follows only where another separator is tried than that of the table.
  const rest = plainCell(text, end + 1, separator);
  return { value: text.slice(start + 1, end).replaceAll('""', '"') + rest.value, end: rest.end };
}

function plainCell(text: string, start: number, separator: string): Cell {
  let end = start;
  while (end < text.length && text[end] !== separator && text[end] !== '\r' && text[end] !== '\n') end += 1;
  return { value: text.slice(start, end), end };
}
