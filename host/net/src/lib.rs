//! waxwing-net.
