/**
 * Makes `sdks/python/src/sandport/_error_table.py` from the error table of the protocol: the error
 * classes and one row a code. The output is stable under `ruff format`.
 *
 * @param {Readonly<Record<string, import('../../packages/protocol/src/error-table.ts').ErrorRow>>} errorTable
 * @returns {string} text of the module
 */
export function generate(errorTable) {
  const codesOfClass = new Map();
  for (const [code, row] of Object.entries(errorTable)) {
    const codes = codesOfClass.get(row.errorClass) ?? [];
    codes.push(code);
    codesOfClass.set(row.errorClass, codes);
  }
  const classes = [...codesOfClass].map(([name, codes]) => pythonClass(name, codes));
  const rows = Object.entries(errorTable).map(([code, row]) => pythonRow(code, row));
  return `${header}\n\n${classes.join('\n\n\n')}\n\n\n${tableHead}\n${rows.join('\n')}\n}\n`;
}

const header = `"""Error classes and the error table. Generated from packages/protocol; do not edit."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Tuple, Type

from ._error_base import SandportError
`;

const tableHead = `class ErrorRow(NamedTuple):
    """What one code of the table means."""

    status: int
    retryable: bool
    error_class: Type[SandportError]
    carries: Tuple[str, ...]
    meaning: str
    advice: str


ERROR_TABLE: Mapping[str, ErrorRow] = {`;

const pythonClass = (name, codes) => {
  const list = codes.map((code) => `    * \`\`${code}\`\``).join('\n');
  return `class ${name}(SandportError):\n    """Codes:\n\n${list}\n    """`;
};

const pythonRow = (code, row) =>
  [
    `    ${text(code)}: ErrorRow(`,
    `        status=${row.status},`,
    `        retryable=${row.retryable ? 'True' : 'False'},`,
    `        error_class=${row.errorClass},`,
    `        carries=${tuple(row.carries)},`,
    `        meaning=${text(row.meaning)},`,
    `        advice=${text(row.advice)},`,
    '    ),',
  ].join('\n');

const tuple = (names) =>
  names.length === 1 ? `(${text(names[0])},)` : `(${names.map(text).join(', ')})`;

/** A Python string literal, quoted as ruff quotes it. */
const text = (value) => {
  const json = JSON.stringify(value);
  if (!value.includes('"') || value.includes("'")) return json;
  return `'${json.slice(1, -1).replaceAll('\\"', '"')}'`;
};
