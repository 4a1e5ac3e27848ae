import type { SandboxLimits } from '@sandport/driver';
import type { TemplateName } from '@sandport/protocol';

/** How a template is made from Debian packages, and what sandboxes get from it by default. */
export interface TemplateRecipe {
  readonly name: TemplateName;
  readonly description: string;
  /** Debian packages beside the essential ones. */
  readonly packages: readonly string[];
  /** Paths below the root that are deleted after the packages are in; missing ones are no error. */
  readonly remove: readonly string[];
  readonly user: { readonly name: string; readonly id: number; readonly home: string };
  /** Directories owned by the user, beside its home. */
  readonly directories: readonly string[];
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
}
