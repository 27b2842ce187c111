//! waxwing-admin.
