/** Options that every command takes which speaks to a daemon; told once. */
const common = new Set(['--url', '--api-key', '--json', '--help']);

/** docs/reference/cli.md, from the help of every command. @param program as the command line makes it */
export function generate(program) {
  const sections = commandsBelow(program).map(
    ({ name, command }) => `## ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`,
  );
  return `<!-- Made by \`npm run generate\` from the commands in apps/cli/src/commands. -->

# Command line

\`sandport COMMAND --help\` prints what stands here. Commands that speak to a daemon also take, before and behind the name of the command:

| option | |
| --- | --- |
| \`--url <url>\` | address of the daemon; \`SANDPORT_URL\`, then client.json |
| \`--api-key <key>\` | API key; \`SANDPORT_API_KEY\`, then client.json |
| \`--json\` | print JSON: the objects of the API, with its names |

What is printed for people goes to standard output when it is the result, and to standard error when it is a note, a log or progress, which is shown on terminals only and from one second on. Ctrl-C ends what is under way and takes back what is half done. The options of \`serve\` and \`doctor\`, with their defaults on the machine, stand in their \`--help\`.

\`\`\`text
${exitCodesOf(program)}
\`\`\`

${sections.join('\n')}`;
}

/** Those that do something, in the order of the help; a group comes before its own. */
function commandsBelow(parent, prefix = 'sandport') {
  return parent.commands.flatMap((command) => {
    const name = `${prefix} ${command.name()}`;
    return [{ name, command }, ...commandsBelow(command, name)];
  });
}

function helpOf(command) {
  let text = '';
  command.configureHelp({
    helpWidth: 100,
    visibleOptions: (each) => each.options.filter(({ long }) => !common.has(long)),
  });
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text.trim();
}

function exitCodesOf(program) {
  const text = helpOf(program);
  return text.slice(text.indexOf('Exit codes:'));
}
