import { expect, test } from 'vitest';
import { renderBarPlot } from './plot.ts';

test('a plot has a bar a value, as long as the value, and escapes its texts', () => {
  const svg = renderBarPlot({
    title: 'Up & down',
    unit: 'ms',
    groups: [
      {
        label: '<one>',
        values: [
          { series: 'floor', value: 50 },
          { series: 'curl', value: 100 },
        ],
      },
    ],
  });
  const widths = [...svg.matchAll(/<rect x="150" y="\d+" width="([\d.]+)" height="12" fill/g)]
    .map(([, width]) => Number(width))
    .slice(1);
  expect(widths).toHaveLength(2);
  expect((widths[1] ?? 0) / (widths[0] ?? 1)).toBeCloseTo(2, 1);
  expect(svg).toContain('Up &amp; down (ms)');
  expect(svg).toContain('&lt;one&gt;');
});
