//! waxwing-plugin-imap.
