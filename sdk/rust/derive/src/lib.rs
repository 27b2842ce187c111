//! waxwing-sdk-derive.
