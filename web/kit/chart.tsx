import type { ComponentChildren } from 'preact';
import { useTexts } from '../app/texts.ts';

/** One step of what the chart counts. Its values are part of the values of the step before. */
export interface Series {
  name: string;
  values: number[];
}

interface NestedColumnsProps {
  /** The names of the columns, such as days. */
  columns: string[];
  /** The steps, the one with the largest values first. */
  series: Series[];
  /** What the chart shows, in a sentence, for screen readers. */
  summary: string;
  /** Formats a value of the axis. */
  format: (value: number) => string;
}

/** The size of a column in the picture. The picture is stretched to the width of the page. */
const [SLOT, COLUMN, HEIGHT] = [10, 7.5, 100];

/** A chart with a column for each day. In a column, each step covers a part of the step before. */
export function NestedColumns({ columns, series, summary, format }: NestedColumnsProps) {
  const top = roundedUp(Math.max(1, ...(series[0]?.values ?? [])));
  const width = columns.length * SLOT;
  return (
    <figure class="p-chart">
      <div class="p-chart-scale" aria-hidden="true">
        {[top, top / 2, 0].map((value) => (
          <span key={value}>{Number.isInteger(value) ? format(value) : ''}</span>
        ))}
      </div>
      <svg role="img" aria-label={summary} viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none">
        {[0, 0.5, 1].map((part) => (
          <line key={part} class="p-chart-line" x1="0" x2={width} y1={part * HEIGHT} y2={part * HEIGHT} />
        ))}
        {columns.map((name, at) => (
          <g key={name}>
            <title>{[name, ...series.map((step) => `${step.name}: ${format(step.values[at] ?? 0)}`)].join('\n')}</title>
            <rect x={at * SLOT} width={SLOT} height={HEIGHT} fill="transparent" />
            {series.map((step, index) => (
              <Bar key={step.name} index={index} at={at} share={(step.values[at] ?? 0) / top} />
            ))}
          </g>
        ))}
      </svg>
      <div class="p-chart-ends" aria-hidden="true">
        {ends(columns).map((name) => (
          <span key={name}>{name}</span>
        ))}
      </div>
    </figure>
  );
}

function Bar({ index, at, share }: { index: number; at: number; share: number }) {
  if (share === 0) return null;
  const height = share * HEIGHT;
  const x = at * SLOT + (SLOT - COLUMN) / 2;
  return <rect class="p-chart-bar" data-step={index + 1} x={x} y={HEIGHT - height} width={COLUMN} height={height} />;
}

/** The square that shows the colour of a step beside its name. */
export function Swatch({ step }: { step: number }) {
  return (
    <svg class="p-swatch" viewBox="0 0 10 10" aria-hidden="true">
      <rect class="p-chart-bar" data-step={step} width="10" height="10" />
    </svg>
  );
}

/** A bar whose length shows a share of the largest value of a table. The number stands beside it. */
export function ShareBar({ share }: { share: number }) {
  return (
    <svg class="p-share-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="p-chart-bar" data-step="4" width={Math.max(1, share * 100)} height="10" />
    </svg>
  );
}

/** The numbers of a chart as a table, behind a button of the browser. */
export function ChartTable({ children }: { children: ComponentChildren }) {
  const { showTable } = useTexts('signedIn');
  return (
    <details class="p-chart-table">
      <summary>{showTable}</summary>
      {children}
    </details>
  );
}

/** Returns the smallest of 2, 4, 10, 20, 40, 100 … that is not below a value. */
function roundedUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [2, 4, 10].map((factor) => factor * power).find((each) => each >= value) ?? 10 * power;
}

/** Returns the first, the middle and the last of the names. */
const ends = (names: string[]): string[] =>
  [...new Set([names[0], names[Math.floor((names.length - 1) / 2)], names.at(-1)])].filter((name) => name !== undefined);
