// Submits one message with nodemailer and prints what it was answered as one JSON line.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

// NODE_PATH names the folder of the installed modules, which only `require` looks at.
const require = createRequire(import.meta.url);
const nodemailer = require('nodemailer');

const facts = JSON.parse(process.argv[2]);
const transport = nodemailer.createTransport({
  host: 'localhost', port: facts.port, secure: false, requireTLS: true, tls: { ca: readFileSync(facts.ca) },
  auth: { user: facts.user, pass: facts.password },
});
const content = Buffer.concat(Array.from({ length: 4000 }, () => Buffer.from(Array.from({ length: 256 }, (_, at) => at))));
const info = await transport.sendMail({
  from: facts.user, to: facts.to, subject: 'grüße', text: 'with an attachment',
  attachments: [{ filename: 'all.bin', content }],
  dsn: { id: 'n1', return: 'headers', notify: ['success', 'failure'], recipient: facts.user },
});
transport.close();
console.log(JSON.stringify({ accepted: info.accepted, rejected: info.rejected, response: info.response }));
