/** One group of bars, as a file size, and its values by series, as by client. */
export interface BarGroup {
  readonly label: string;
  readonly values: readonly { readonly series: string; readonly value: number }[];
}

export interface BarPlot {
  readonly title: string;
  readonly unit: string;
  readonly groups: readonly BarGroup[];
}

const colours = ['#8a8f98', '#2f6fdf', '#1f9d72', '#d98324'];
const width = 760;
const labelWidth = 150;
const barHeight = 14;
const groupGap = 12;
const top = 64;

/** Horizontal bars as an SVG picture that reads on light and dark pages. */
export function renderBarPlot({ title, unit, groups }: BarPlot): string {
  const series = [...new Set(groups.flatMap(({ values }) => values.map((each) => each.series)))];
  const largest = Math.max(...groups.flatMap(({ values }) => values.map(({ value }) => value)), 1);
  const scale = (width - labelWidth - 90) / largest;
  const parts: string[] = [];
  let y = top;
  for (const { label, values } of groups) {
    const middle = y + (values.length * barHeight) / 2 + 4;
    parts.push(text(labelWidth - 10, middle, label, 'end'));
    for (const { series: name, value } of values) {
      const length = Math.max(1, value * scale).toFixed(1);
      const fill = colours[series.indexOf(name) % colours.length];
      parts.push(
        `<rect x="${labelWidth}" y="${y}" width="${length}" height="${barHeight - 2}" fill="${fill}"/>`,
        text(labelWidth + Number(length) + 6, y + barHeight - 4, shown(value), 'start'),
      );
      y += barHeight;
    }
    y += groupGap;
  }
  const legend = series.map((name, index) => {
    const x = labelWidth + index * 130;
    return `<rect x="${x}" y="36" width="12" height="12" fill="${colours[index % colours.length]}"/>${text(x + 18, 46, name, 'start')}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${y}" fill="#ffffff"/>
${text(labelWidth, 22, `${title} (${unit})`, 'start', 'font-weight="bold" font-size="14"')}
${[...legend, ...parts].join('\n')}
</svg>
`;
}

const shown = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

const text = (x: number, y: number, content: string, anchor: string, extra = ''): string =>
  `<text x="${x.toFixed(0)}" y="${y.toFixed(0)}" text-anchor="${anchor}" fill="#1d2129" ${extra}>${escapeXml(content)}</text>`;

const escapeXml = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
