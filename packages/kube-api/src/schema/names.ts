/**
 * Rules for names. Each says what is wrong with a text, or undefined. Source: RFC 1123 and the
 * Kubernetes documentation, "Object Names and IDs" and "Labels and Selectors".
 */
export type NameRule = (text: string) => string | undefined;

const maxLabelLength = 63;
const maxSubdomainLength = 253;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedPart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

export const dnsLabel: NameRule = (text) => {
  if (text.length > maxLabelLength) return `must be no more than ${maxLabelLength} characters`;
  return label.test(text)
    ? undefined
    : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
};

export const dnsSubdomain: NameRule = (text) => {
  if (text.length > maxSubdomainLength) {
    return `must be no more than ${maxSubdomainLength} characters`;
  }
  return text.split('.').every((part) => label.test(part))
    ? undefined
    : "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
};

/** A key of labels, annotations or finalizers: `name` or `prefix.example/name`. */
export const qualifiedName: NameRule = (text) => {
  const slash = text.indexOf('/');
  const prefix = slash === -1 ? undefined : text.slice(0, slash);
  const name = text.slice(slash + 1);
  if (name === '') return 'name part must be non-empty';
  if (name.length > maxLabelLength) {
    return `name part must be no more than ${maxLabelLength} characters`;
  }
  if (!qualifiedPart.test(name)) {
    return "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  }
  if (prefix === undefined) return undefined;
  if (prefix === '') return 'prefix part must be non-empty';
  const wrong = dnsSubdomain(prefix);
  return wrong === undefined ? undefined : `prefix part ${wrong}`;
};

export const labelValue: NameRule = (text) => {
  if (text.length > maxLabelLength) return `must be no more than ${maxLabelLength} characters`;
  return text === '' || qualifiedPart.test(text)
    ? undefined
    : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
};
