// Stands in for the internet, in a network namespace: names, and servers that say who asks.
// argv[2]: JSON {dns: address, names: {name: [record…]}, tcp: [[address, port]…], udp: the same}
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import dnsPacket from 'dns-packet';

const { dns, names, tcp, udp } = JSON.parse(process.argv[2]);
const asked = [];

function answerTo(message) {
  const { id, questions } = dnsPacket.decode(message);
  const [question] = questions;
  asked.push(`${question.type} ${question.name}`);
  const zone = names[question.name.toLowerCase()];
  const records = (zone ?? []).filter(
    ({ type }) => type === question.type || (type === 'CNAME' && question.type === 'A'),
  );
  const answers = [];
  for (const record of records) {
    const last = answers.at(-1);
    const name = last?.type === 'CNAME' ? last.data : question.name;
    answers.push({ ttl: 1, ...record, name });
  }
  const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (zone ? 0 : 3);
  return { type: 'response', id, flags, questions, answers };
}

const names53 = createSocket('udp4', (message, from) => {
  const packet = answerTo(message);
  const bytes = dnsPacket.encode(packet);
  const cut = { ...packet, answers: [], flags: packet.flags | dnsPacket.TRUNCATED_RESPONSE };
  names53.send(bytes.length > 512 ? dnsPacket.encode(cut) : bytes, from.port, from.address);
});
names53.bind(53, dns);
createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', (data) => socket.end(dnsPacket.streamEncode(answerTo(data.subarray(2)))));
}).listen(53, dns);

for (const [address, port] of tcp)
  createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`${address} greets ${socket.remoteAddress}\n`);
    socket.on('data', (data) => {
      if (data.toString().startsWith('asked')) socket.end(JSON.stringify(asked));
      else if (data.toString().startsWith('send')) flood(socket);
      else socket.write(data);
    });
  }).listen(port, address);
for (const [address, port] of udp) {
  const socket = createSocket('udp4', (message, from) =>
    socket.send(message, from.port, from.address),
  );
  socket.bind(port, address);
}

function flood(socket) {
  const chunk = Buffer.alloc(64 * 1024);
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

process.stdout.write('ready\n');
