export type { CommandOutput, CommandResult } from './commands.ts';
export { Engine, type EngineOptions } from './engine.ts';
export { type NamedOwner, resolveOwner } from './files/owners.ts';
export { preconditionOf, type PreconditionFields } from './files/precondition.ts';
export { timeNsOf } from './files/time-text.ts';
export { isAdministrator, type Principal } from './principal.ts';
export type { SandboxFilter } from './sandboxes/page.ts';
export { defaultAliases } from './templates.ts';
