/** docs/reference/errors.md, from the error table. */
export function generate(errorTable) {
  const code = (text) => `\`${text}\``;
  const rows = Object.entries(errorTable).map(([name, row]) => {
    const carries = row.carries.length > 0 ? row.carries.map(code).join(', ') : '—';
    const retry = row.retryable ? 'yes' : 'no';
    return `| ${code(name)} | ${row.status} | ${code(row.errorClass)} | ${retry} | ${carries} | ${row.meaning} | ${row.advice} |`;
  });
  return `<!-- Made by \`npm run generate\` from packages/protocol/src/error-table.ts. -->

# Errors

Every answer that is not a success is JSON with a sentence and a code, and the fields that the code carries:

\`\`\`json
{ "error": "nothing exists at /home/user/a.csv", "code": "file_not_found", "path": "/home/user/a.csv" }
\`\`\`

The SDKs raise the class in the third column, below \`SandportError\`. *Retry* says whether the same request may succeed later without a change.

| code | status | class | retry | carries | when | what to do |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
