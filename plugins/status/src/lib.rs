//! waxwing-plugin-status.
