// Drives imapflow through a mailbox and prints what it saw as one JSON line.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

// NODE_PATH names the folder of the installed modules, which only `require` looks at.
const require = createRequire(import.meta.url);
const { ImapFlow } = require('imapflow');

const facts = JSON.parse(process.argv[2]);
const options = { host: 'localhost', port: facts.port, secure: true, tls: { ca: readFileSync(facts.ca) }, auth: { user: facts.user, pass: facts.password }, logger: false };
const client = new ImapFlow(options);
await client.connect();

const alternative = ['From: a@elsewhere.test', 'Subject: three', 'MIME-Version: 1.0', 'Content-Type: multipart/alternative; boundary=b', '', '--b', 'Content-Type: text/plain', '', 'plain', '--b', 'Content-Type: text/html', '', '<p>html</p>', '--b--', 'text three', ''].join('\r\n');
for (const message of ['From: a@elsewhere.test\r\nSubject: one\r\n\r\ntext one\r\n', 'From: a@elsewhere.test\r\nSubject: =?utf-8?q?two_=C3=A4?=\r\n\r\ntext two\r\n', alternative]) {
  await client.append('INBOX', Buffer.from(message), ['\\Seen']);
}
const lock = await client.getMailboxLock('INBOX');
const seen = { exists: client.mailbox.exists, subjects: [] };
for await (const message of client.fetch('1:*', { envelope: true, uid: true })) seen.subjects.push(message.envelope.subject);
await client.messageFlagsAdd('3', ['\\Flagged']);
const third = await client.fetchOne('3', { source: true, flags: true, bodyStructure: true });
seen.source = third.source.toString();
seen.flags = [...third.flags].filter((f) => f !== '\\Recent').sort();
seen.structure = third.bodyStructure.type;
await client.mailboxCreate('Moved');
seen.moved = (await client.messageMove('1', 'Moved')).uidMap.size;
await client.append('INBOX', Buffer.from('Subject: late\r\n\r\nlate\r\n'));
const other = new ImapFlow(options);
await other.connect();
const news = new Promise((resolve) => client.on('exists', (data) => { if (data.count === 4) resolve(data.count); }));
client.idle();
await other.append('INBOX', Buffer.from('Subject: idle\r\n\r\nidle\r\n'));
seen.idleExists = await news;
await other.logout();
lock.release();
await client.logout();
console.log(JSON.stringify(seen));
