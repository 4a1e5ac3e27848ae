import { createFloorServer } from './floor-server.ts';

/** A process of its own: `node floor.js DIRECTORY`; prints its port and runs until it is killed. */
const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: floor DIRECTORY');
const server = createFloorServer(directory);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(address.port);
});
