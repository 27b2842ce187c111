//! waxwing-plugin-smtp.
