// Drives tsdav through calendars and address books and prints what it saw as one JSON line.
import { createRequire } from 'node:module';

// NODE_PATH names the folder of the installed modules, which only `require` looks at.
const require = createRequire(import.meta.url);
const { DAVClient } = require('tsdav');

const facts = JSON.parse(process.argv[2]);
const login = async (defaultAccountType) => {
  const client = new DAVClient({
    serverUrl: `https://localhost:${facts.port}`,
    credentials: { username: facts.user, password: facts.password },
    authMethod: 'Basic',
    defaultAccountType,
  });
  await client.login();
  return client;
};
const seen = {};

const calendars = await login('caldav');
seen.calendars = (await calendars.fetchCalendars()).map((c) => [c.displayName, c.components.sort()]).sort();
let [calendar] = (await calendars.fetchCalendars()).filter((c) => c.displayName === 'Calendar');
const ics = (uid, summary) => ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//tests//EN', 'BEGIN:VEVENT', `UID:${uid}`, 'DTSTAMP:20260101T000000Z', 'DTSTART:20260105T100000Z', 'DURATION:PT1H', `SUMMARY:${summary}`, 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n');
seen.created = (await calendars.createCalendarObject({ calendar, filename: 'one.ics', iCalString: ics('one', 'one') })).status;
seen.again = (await calendars.createCalendarObject({ calendar, filename: 'one.ics', iCalString: ics('one', 'one') })).status;
await calendars.createCalendarObject({ calendar, filename: 'two.ics', iCalString: ics('two', 'two') });
const objects = await calendars.fetchCalendarObjects({ calendar, timeRange: { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' } });
seen.objects = objects.map((o) => o.data.match(/SUMMARY:(.*)/)[1].trim()).sort();
const one = objects.find((o) => o.url.endsWith('one.ics'));
seen.updated = (await calendars.updateCalendarObject({ calendarObject: { ...one, data: ics('one', 'other') } })).status;
seen.stale = (await calendars.updateCalendarObject({ calendarObject: { ...one, data: ics('one', 'third') } })).status;
const synced = await calendars.smartCollectionSync({ collection: { ...calendar, objects, objectMultiGet: (params) => calendars.calendarMultiGet(params) }, method: 'webdav', detailedResult: true });
seen.synced = synced.objects.updated.map((o) => o.data.match(/SUMMARY:(.*)/)[1].trim());
const two = objects.find((o) => o.url.endsWith('two.ics'));
seen.deleted = (await calendars.deleteCalendarObject({ calendarObject: two })).status;
await calendars.makeCalendar({ url: `${calendar.url.replace(/calendar\/$/, '')}made/`, props: { displayname: 'Made' } });
seen.made = (await calendars.fetchCalendars()).some((c) => c.displayName === 'Made');

const books = await login('carddav');
const [book] = await books.fetchAddressBooks();
seen.book = book.displayName;
const vcf = ['BEGIN:VCARD', 'VERSION:3.0', 'UID:c1', 'FN:Ada Lovelace', 'N:Lovelace;Ada;;;', 'END:VCARD', ''].join('\r\n');
seen.card = (await books.createVCard({ addressBook: book, filename: 'c1.vcf', vCardString: vcf })).status;
seen.cards = (await books.fetchVCards({ addressBook: book })).map((c) => c.data.match(/FN:(.*)/)[1].trim());
console.log(JSON.stringify(seen));
