//! `waxwing import`: messages from elsewhere into one mailbox, once each.
//!
//! Messages come one by one and are stored in batches of one folder. Which ones were stored is kept in the mailbox itself
//! ([`record`]), so a second run imports nothing twice and a run that was interrupted goes on where it stopped, down to the
//! message, even after a crash. What one message is: the n-th with the same octets for the same folder in a run. So an mbox that holds a
//! message twice gives it twice, and once more in the next run gives nothing.
//!
//! A message that the store refuses (too large, not a message) is counted and named, the others go on; when the
//! store itself fails, the import stops. Memory is bounded by a batch and 40 octets per message that was ever imported.

mod folders;
mod record;

use bytes::{Bytes, BytesMut};
pub(crate) use folders::{Folders, MAIL};
use record::{MessageKey, Record};
use waxwing_exmdb::{Body, Error as StoreError, FolderId, Mailbox, NewMail};

use crate::{
    Admin, Error, Result,
    admin::{Claim, Task},
    flags::flags_and_keywords,
    protocol::{ImportMessage, ImportProblem, ImportProgress, ImportStart, ImportSummary},
};

/// Messages of one commit.
const BATCH_MESSAGES: usize = 100;
/// Octets of one commit, unless one message has more.
const BATCH_OCTETS: usize = 8 * 1024 * 1024;
/// Messages between two progress events.
const PROGRESS_EVERY: u64 = 100;
/// Problems that the summary names.
const MAX_PROBLEMS: usize = 100;

/// An import that is going on.
pub(crate) struct Import {
    mailbox: Mailbox,
    folders: Folders,
    record: Record,
    batch: Vec<Waiting>,
    batch_folder: Option<FolderId>,
    batch_octets: usize,
    summary: ImportSummary,
    total: Option<u64>,
    _claim: Claim,
}

struct Waiting {
    key: MessageKey,
    origin: String,
    mail: NewMail,
}

impl Import {
    pub(crate) async fn begin(admin: &Admin, start: ImportStart) -> Result<Import> {
        let user = admin.directory.user(&start.user).await?;
        let guid = user.mailbox.parse()?;
        let claim = admin.claim(guid, Task::Import)?;
        let mailbox = admin.store.mailbox(guid).await?;
        Ok(Import {
            folders: Folders::of(&mailbox).await?,
            record: Record::open(&mailbox).await?,
            mailbox,
            batch: Vec::new(),
            batch_folder: None,
            batch_octets: 0,
            summary: ImportSummary::default(),
            total: start.total,
            _claim: claim,
        })
    }

    /// Takes one message. Now and then says how far it is; what it counts as imported is durable.
    pub(crate) async fn message(
        &mut self,
        message: ImportMessage,
    ) -> Result<Option<ImportProgress>> {
        let ImportMessage { header, message } = message;
        let octets = match header.as_is {
            true => message,
            false => with_crlf(message),
        };
        let folder = match self
            .folders
            .find_or_create(&self.mailbox, &header.folder, MAIL)
            .await
        {
            Ok(folder) if !octets.is_empty() => folder,
            Ok(_) => return Ok(self.refuse(header.origin, "it is empty".into())),
            Err(StoreError::Invalid(reason) | StoreError::Limit(reason)) => {
                return Ok(self.refuse(header.origin, reason));
            }
            Err(error) => return Err(error.into()),
        };
        let key = self.record.next_key(folder, &octets);
        if self.record.is_done(key) {
            self.summary.skipped += 1;
            return Ok(self.step());
        }
        if self.batch_folder.is_some_and(|other| other != folder)
            || self.batch_octets + octets.len() > BATCH_OCTETS
        {
            self.flush().await?;
        }
        let (flags, keywords) = flags_and_keywords(&header.flags);
        self.batch_folder = Some(folder);
        self.batch_octets += octets.len();
        let internal_date = header.internal_date.or_else(|| date_field(&octets));
        let mail = NewMail {
            message: Body::from_bytes(octets),
            flags,
            keywords,
            internal_date,
        };
        self.batch.push(Waiting {
            key,
            origin: header.origin,
            mail,
        });
        if self.batch.len() < BATCH_MESSAGES {
            return Ok(None);
        }
        self.flush().await?;
        Ok(Some(self.progress()))
    }

    /// Counts a message that cannot be imported.
    pub(crate) fn refuse(&mut self, origin: String, reason: String) -> Option<ImportProgress> {
        self.summary.failed += 1;
        if self.summary.problems.len() < MAX_PROBLEMS {
            self.summary.problems.push(ImportProblem { origin, reason });
        }
        self.step()
    }

    /// Stores what is waiting.
    pub(crate) async fn finish(mut self) -> Result<ImportSummary> {
        self.flush().await?;
        Ok(self.summary)
    }

    async fn flush(&mut self) -> Result<()> {
        let Some(folder) = self.batch_folder.take() else {
            return Ok(());
        };
        self.batch_octets = 0;
        let batch = std::mem::take(&mut self.batch);
        match self.store(folder, &batch).await {
            Ok(()) => {
                self.summary.imported += batch.len() as u64;
                Ok(())
            }
            // A batch is all or nothing: one by one shows which message it was.
            Err(Error::Store(StoreError::Invalid(_) | StoreError::Limit(_))) => {
                for one in batch {
                    match self.store(folder, std::slice::from_ref(&one)).await {
                        Ok(()) => self.summary.imported += 1,
                        Err(Error::Store(
                            error @ (StoreError::Invalid(_) | StoreError::Limit(_)),
                        )) => {
                            self.refuse(one.origin, error.to_string());
                        }
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn store(&mut self, folder: FolderId, batch: &[Waiting]) -> Result<()> {
        let keys: Vec<MessageKey> = batch.iter().map(|waiting| waiting.key).collect();
        let uid_next = self.mailbox.folder(folder).await?.uid_next;
        self.record
            .announce(&self.mailbox, folder, uid_next, &keys)
            .await?;
        self.mailbox
            .append(
                folder,
                batch.iter().map(|waiting| waiting.mail.clone()).collect(),
            )
            .await?;
        self.record.done(&self.mailbox, &keys).await
    }

    fn step(&self) -> Option<ImportProgress> {
        let handled = self.summary.imported + self.summary.skipped + self.summary.failed;
        handled
            .is_multiple_of(PROGRESS_EVERY)
            .then(|| self.progress())
    }

    fn progress(&self) -> ImportProgress {
        let ImportSummary {
            imported,
            skipped,
            failed,
            ..
        } = self.summary;
        ImportProgress {
            imported,
            skipped,
            failed,
            total: self.total,
        }
    }
}

/// Mail in files has the line ends of its system; in a mailbox it has those of RFC 5322.
fn with_crlf(message: Bytes) -> Bytes {
    let bare = |(at, octet): (usize, &u8)| {
        *octet == b'\n' && (at == 0 || message.get(at - 1) != Some(&b'\r'))
    };
    let missing = message
        .iter()
        .enumerate()
        .filter(|pair| bare(*pair))
        .count();
    if missing == 0 {
        return message;
    }
    let mut whole = BytesMut::with_capacity(message.len() + missing);
    let mut before = 0;
    for octet in &message {
        if *octet == b'\n' && before != b'\r' {
            whole.extend_from_slice(b"\r");
        }
        whole.extend_from_slice(&[*octet]);
        before = *octet;
    }
    whole.freeze()
}

/// The Date field, seconds since 1970.
fn date_field(message: &[u8]) -> Option<i64> {
    let parsed = mail_parser::MessageParser::new()
        .with_date_headers()
        .parse_headers(message)?;
    parsed.date().map(mail_parser::DateTime::to_timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::ImportHeader,
        testing::{Fixture, message},
    };

    const ANNA: &str = "anna@example.org";

    #[test]
    fn line_ends_become_crlf_and_stay_so() {
        for (given, expected) in [
            ("a\nb\n", "a\r\nb\r\n"),
            ("a\r\nb\n", "a\r\nb\r\n"),
            ("\n", "\r\n"),
            ("a\rb", "a\rb"),
            ("", ""),
        ] {
            assert_eq!(
                with_crlf(Bytes::from_static(given.as_bytes())),
                expected,
                "{given:?}"
            );
        }
    }

    #[test]
    fn the_date_field_is_read() {
        assert_eq!(
            date_field(b"Subject: x\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\nDate: no"),
            Some(1_700_000_000)
        );
        assert_eq!(date_field(b"Subject: x\r\n\r\n"), None);
    }

    #[tokio::test]
    async fn a_second_run_imports_nothing_twice() {
        let fixture = Fixture::with_users(&[ANNA]).await;
        let mail = [
            ("INBOX", "Subject: 1\n\nx\n"),
            ("Archive/2024", "Subject: 1\n\nx\n"),
            ("INBOX", "Subject: 2\n\nx\n"),
        ];
        assert_eq!(fixture.import(ANNA, &mail).await.imported, 3);
        let again = fixture.import(ANNA, &mail).await;
        assert_eq!((again.imported, again.skipped), (0, 3));
        assert_eq!(fixture.count(ANNA, "INBOX").await, 2);
        assert_eq!(fixture.count(ANNA, "Archive/2024").await, 1);
    }

    #[tokio::test]
    async fn what_a_source_holds_twice_is_imported_twice_and_no_more() {
        let fixture = Fixture::with_users(&[ANNA]).await;
        let twice = [
            ("INBOX", "Subject: 1\n\nx\n"),
            ("INBOX", "Subject: 1\r\n\r\nx\r\n"),
        ];
        assert_eq!(fixture.import(ANNA, &twice).await.imported, 2);
        assert_eq!(fixture.import(ANNA, &twice).await.skipped, 2);
        let thrice = [twice[0], twice[0], twice[0]];
        let third = fixture.import(ANNA, &thrice).await;
        assert_eq!((third.imported, third.skipped), (1, 2));
    }

    #[tokio::test]
    async fn an_interrupted_run_goes_on() {
        let fixture = Fixture::with_users(&[ANNA]).await;
        let mail: Vec<String> = (0..250)
            .map(|number| format!("Subject: {number}\n\nx\n"))
            .collect();
        let mut import = Import::begin(
            &fixture.admin,
            ImportStart {
                user: ANNA.into(),
                total: None,
            },
        )
        .await
        .unwrap();
        for text in &mail[..150] {
            import.message(message("INBOX", text)).await.unwrap();
        }
        // 100 are stored, 50 were waiting.
        drop(import);
        let mail: Vec<_> = mail.iter().map(|text| ("INBOX", text.as_str())).collect();
        let rest = fixture.import(ANNA, &mail).await;
        assert_eq!((rest.imported, rest.skipped), (150, 100));
        assert_eq!(fixture.count(ANNA, "INBOX").await, 250);
    }

    #[tokio::test]
    async fn a_crash_between_the_append_and_its_record_makes_no_duplicate() {
        let fixture = Fixture::with_users(&[ANNA]).await;
        for stored in [true, false] {
            let mut import = Import::begin(
                &fixture.admin,
                ImportStart {
                    user: ANNA.into(),
                    total: None,
                },
            )
            .await
            .unwrap();
            let text = format!("Subject: {stored}\n\nx\n");
            import.message(message("INBOX", &text)).await.unwrap();
            let folder = import.batch_folder.unwrap();
            let uid_next = import.mailbox.folder(folder).await.unwrap().uid_next;
            let key = import.batch[0].key;
            import
                .record
                .announce(&import.mailbox, folder, uid_next, &[key])
                .await
                .unwrap();
            if stored {
                import
                    .mailbox
                    .append(folder, vec![import.batch[0].mail.clone()])
                    .await
                    .unwrap();
            }
            drop(import);
            let again = fixture.import(ANNA, &[("INBOX", &text)]).await;
            assert_eq!(
                (again.imported, again.skipped),
                (u64::from(!stored), u64::from(stored)),
                "stored: {stored}"
            );
        }
        assert_eq!(fixture.count(ANNA, "INBOX").await, 2);
    }

    #[tokio::test]
    async fn flags_and_date_come_along() {
        let fixture = Fixture::with_users(&[ANNA]).await;
        let mut mail = message("INBOX", "Subject: x\n\nx\n");
        mail.header = ImportHeader {
            flags: vec!["\\Seen".into(), "work".into()],
            internal_date: Some(1_700_000_000),
            ..mail.header
        };
        let mut import = Import::begin(
            &fixture.admin,
            ImportStart {
                user: ANNA.into(),
                total: None,
            },
        )
        .await
        .unwrap();
        import.message(mail).await.unwrap();
        import.finish().await.unwrap();
        let row = fixture.rows(ANNA, "INBOX").await.remove(0);
        assert_eq!(
            (row.flags.0 & 1, row.internal_date, row.keywords.len()),
            (1, 1_700_000_000, 1)
        );
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_is_named_and_the_others_go_on() {
        let fixture = Fixture::with_users(&[ANNA]).await;
        let summary = fixture
            .import(
                ANNA,
                &[
                    ("INBOX", ""),
                    ("a//b", "Subject: x\n\n"),
                    ("INBOX", "Subject: x\n\n"),
                ],
            )
            .await;
        assert_eq!(
            (summary.imported, summary.failed, summary.problems.len()),
            (1, 2, 2)
        );
    }

    #[tokio::test]
    async fn one_import_per_mailbox_at_a_time() {
        let fixture = Fixture::with_users(&[ANNA]).await;
        let begin = || {
            Import::begin(
                &fixture.admin,
                ImportStart {
                    user: ANNA.into(),
                    total: None,
                },
            )
        };
        let first = begin().await.unwrap();
        assert!(matches!(begin().await, Err(Error::Failed(_))));
        drop(first);
        begin().await.unwrap();
    }
}
